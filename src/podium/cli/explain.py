"""`podium explain`: why a workload has as many replicas as it has, from what the ledger recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.ledger.ledger import Ledger
    from podium.loop.prices.price import Price
    from podium.loop.tell.view import Explanation


@click.command()
@click.argument("workload")
@options.at
@options.config
@options.demo
@options.output
def command(
    workload: str,
    at: str | None,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
    form: str,
    output: str | None,
) -> int:
    """Say why a workload has as many replicas as it has, now or at a moment of the past.

    WORKLOAD is a key as `local/shop/deployment.apps/web`, or enough of it: `shop/web`, `web`. Podium need not run.
    """
    when = options.moment(at)
    from podium.cli import store

    loaded = options.recorded(config, flags, of_demo=of_demo)
    with store.ledger(loaded) as ledger:
        try:
            told = _explained(ledger, workload, when, loaded.value.prices.price())
        except (KeyError, ValueError) as error:
            # Nothing is recorded at that time, or its inputs are older than the retention.
            click.echo(f"podium: {error.args[0]}", err=True)
            return outcome.NEGATIVE
    if form == "json":
        options.emit(options.as_json(told), output)
    else:
        _show(told, output)
    return outcome.DONE


def _explained(ledger: Ledger, workload: str, at: float | None, price: Price | None) -> Explanation:
    """The explanation of an abbreviated workload. Raises KeyError or ValueError where nothing can be told."""
    from podium.cli import names
    from podium.loop.remember import record
    from podium.loop.remember.restore import Library
    from podium.loop.tell import story
    from podium.model import clock

    library = Library(ledger)
    entry = ledger.latest(record.TURN, at_or_before_us=None if at is None else clock.microseconds(at))
    if entry is None:
        raise KeyError("nothing is recorded " + ("yet" if at is None else f"at or before {clock.rfc3339(at)}"))
    key = names.resolve(workload, library.fleet(record.read_turn(entry).fleet).index)
    return story.explain(ledger, library, str(key), at, price)


def _show(told: Explanation, output: str | None) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from podium.cli import tables
    from podium.model import clock

    row = told.decision
    parts: list[RenderableType] = [Text(told.sentence, style="bold"), ""]
    parts += [Padding(Text(f"{number}. {reason}"), (0, 0, 0, 2)) for number, reason in enumerate(row.reasons, 1)]
    seen = tables.table("what it saw", "")
    for name, value in told.inputs.items():
        seen.add_row(Text(name), Text(value))
    became = row.outcome or ("nothing is known of its command yet" if row.changed else "nothing had to be written")
    facts = [
        ("decided", f"{clock.rfc3339(row.at)}, turn {row.tick}"),
        ("became of it", became),
        ("by", f"{row.actor}, epoch {row.epoch}, policies {row.policy_digest[:12]}"),
        ("workload", row.key),
    ]
    tables.show([*parts, "", seen, "", tables.pairs(facts)], output)
