"""The kill switch in the cluster: the annotation podium.dev/paused on a workload or a namespace, as orders.

What it says becomes a pause like one that a person ordered with `podium pause`, recorded in the ledger, and ends when
it is taken away. A word that is not known stops both directions: a misspelt kill switch is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podium.loop.orders.order import PAUSED, Direction, Order, Target
from podium.loop.orders.orders import Orders
from podium.model import clock, identity

ANNOTATION = "annotation"  # how such an order came
_DIRECTIONS: dict[str, Direction | None] = {
    "true": "both", "both": "both", "yes": "both", "up": "up", "down": "down", "false": None, "no": None, "none": None,
    "": None,
}  # fmt: skip


def direction(text: str) -> Direction | None:
    """Which direction the annotation stops; None: neither."""
    return _DIRECTIONS.get(text.strip().casefold(), "both")


def orders(standing: Orders, written: Mapping[Target, str], unseen: frozenset[Target], now: float) -> Iterator[Order]:
    """The orders that make `standing` say what is `written` now. What is `unseen` stays as it was."""
    wanted = {target: found for target, text in written.items() if (found := direction(text)) is not None}
    there = {one.target: one for one in standing.pauses if one.via == ANNOTATION}
    for target, one in there.items():
        if wanted.get(target) != one.direction and target not in unseen:
            yield _order("resume", target, "both", "the annotation was taken away or changed", now)
    for target, way in wanted.items():
        if target not in there or there[target].direction != way:
            yield _order("pause", target, way, _reason(written[target]), now)


def _order(what: str, target: Target, way: Direction, reason: str, now: float) -> Order:
    return Order(
        id=identity.new_id(clock.microseconds(now)),
        at=now,
        what="pause" if what == "pause" else "resume",
        target=target,
        by=f"annotation {PAUSED}",
        reason=reason,
        direction=way,
        via=ANNOTATION,
    )


def _reason(text: str) -> str:
    known = text.strip().casefold() in _DIRECTIONS
    return f'it says "{text[:80]}"' + ("" if known else "; expected true, up, down or both, so both are taken")
