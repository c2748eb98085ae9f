"""How the sources stand: what each is called on the page, why, and which workloads do not go down because of it."""

from __future__ import annotations

import collections
import math
from collections.abc import Mapping

import numpy as np

from podium.loop.cycle import Turned
from podium.loop.decide.state import Trust
from podium.loop.decide.table import PolicyTable
from podium.loop.decide.trust import measure
from podium.loop.tell.view import SourceRow
from podium.model import clock
from podium.model.arrays import UNKNOWN
from podium.model.decision import Reason
from podium.model.fleet import Fleet

NAMED = 3  # workloads called by name in one sentence
MANY = 0.5  # share of a source's workloads without a value from which on it counts as silent

Where = Mapping[str, tuple[str, str]]  # source -> (kind, URL or file)


def rows(turned: Turned, table: PolicyTable, fleet: Fleet, where: Where) -> tuple[SourceRow, ...]:
    """Every source of signals, and the cluster last."""
    snapshot = turned.turn.snapshot
    asked, missing = _asked(turned, table), _missing(turned, table)
    health = {one.name: one for one in turned.sight.health}
    out = []
    for number, name in enumerate(snapshot.sources):
        kind, place = where.get(name, ("cluster" if name not in health else "", ""))
        trouble = turned.sight.cluster_trouble if name not in health else ""
        state, since, words = ("silent", None, trouble) if trouble else ("ok", None, "")
        if name in health:
            state, since, words = str(health[name].state), health[name].since, health[name].words
        if state == "ok" and (doubt := _doubt(turned.trust.get(name), snapshot.now)):
            state, since, words = doubt
        elif state == "ok" and (gone := sorted({slot for slot, _ in missing.get(number, ())})):
            state = "silent" if len(gone) >= MANY * len(asked[number]) else "ok"
            words = _gone(gone, len(asked[number]), fleet)
        out.append(
            SourceRow(name=name, kind=kind, where=place, state=state, since=since, words=_full(name, place, words))
        )
    return tuple(out)


def holds(turned: Turned, table: PolicyTable, where: Where) -> dict[int, tuple[str, ...]]:
    """Per slot, in words, which source keeps it from going down."""
    snapshot = turned.turn.snapshot
    said: dict[int, dict[str, None]] = collections.defaultdict(dict)  # a dict keeps the order and says nothing twice
    for number, lost in _missing(turned, table).items():
        name = snapshot.sources[number]
        for slot, signal in lost:
            said[slot][f"{_full(name, where.get(name, ('', ''))[1], f'no value of {signal}')}; it does not go down"] = (
                None
            )
    for number, name in enumerate(snapshot.sources):
        doubt = _doubt(turned.trust.get(name), snapshot.now)
        if not doubt:
            continue
        words = _full(name, where.get(name, ("", ""))[1], f"is {doubt[0]}; it does not go down")
        for group in table.metrics:
            sources = _sources(turned, measure(group), group.slots)
            for slot in [slot for slot, one in zip(group.slots.tolist(), sources, strict=True) if one == number]:
                said[slot][words] = None
    return {slot: tuple(words) for slot, words in said.items()}


def doubts(turned: Turned) -> dict[str, tuple[str, str]]:
    """Sources that are not believed: name -> (state, what it means)."""
    found = {name: _doubt(trust, turned.turn.snapshot.now) for name, trust in turned.trust.items()}
    return {name: (doubt[0], doubt[2]) for name, doubt in found.items() if doubt}


def _doubt(trust: Trust | None, now: float) -> tuple[str, float, str] | None:
    """(state, since, words) of a source that answers and is not believed."""
    if trust is None:
        return None
    for state, since, what, told in (
        ("suspect", trust.suspect_since, "many of its values have leapt together", True),
        ("frozen", trust.frozen_since, "its values have stood still", trust.stands_still(now)),
    ):
        if told and not math.isnan(since):
            return state, since, f"{what}, for {clock.duration(round(now - since))} now; nothing goes down on its word"
    return None


def _asked(turned: Turned, table: PolicyTable) -> dict[int, set[int]]:
    """Source -> the slots whose policies use one of its signals."""
    out: dict[int, set[int]] = collections.defaultdict(set)
    for group in table.metrics:
        for slot, number in zip(group.slots.tolist(), _sources(turned, measure(group), group.slots), strict=True):
            out[number].add(slot)
    return out


def _missing(turned: Turned, table: PolicyTable) -> dict[int, list[tuple[int, str]]]:
    """Source -> (slot, signal) of every metric that a policy uses and that is unknown."""
    reasons = turned.turn.decisions.reasons
    chosen = np.flatnonzero(reasons.code == Reason.SIGNAL_MISSING)
    unknown = set(zip(reasons.slot[chosen].tolist(), reasons.metric[chosen].tolist(), strict=True))
    out: dict[int, list[tuple[int, str]]] = collections.defaultdict(list)
    for group in table.metrics if unknown else ():
        numbers = _sources(turned, measure(group), group.slots)
        for slot, position, number in zip(group.slots.tolist(), group.position.tolist(), numbers, strict=True):
            if (slot, position) in unknown:
                out[number].append((slot, group.signal))
    return out


def _sources(turned: Turned, signal: str, slots: np.ndarray) -> list[int]:
    """Who measures a signal of these slots; the cluster when nobody else says so."""
    cluster = len(turned.turn.snapshot.sources) - 1
    level = turned.turn.snapshot.signals.get(signal)
    if level is None:
        return [cluster] * len(slots)
    return [number if number != UNKNOWN else cluster for number in level.source[slots].tolist()]


def _gone(slots: list[int], asked: int, fleet: Fleet) -> str:
    keys = [fleet.slots[slot].key for slot in slots[:NAMED]]
    names = ", ".join(f"{key.namespace}/{key.name}" for key in keys if key is not None)
    more = ", …" if len(slots) > NAMED else ""
    return f"no value for {len(slots)} of {asked} workloads ({names}{more}); they do not go down"


def _full(name: str, where: str, words: str) -> str:
    """A sentence with the source's name and, unless it is there already, its URL or file."""
    if not words:
        return ""
    plain = words.removeprefix(f"{name}: ")
    return f"{name}: {plain}" if not where or where in plain else f"{name}: {where}: {plain}"
