"""`podium report`: what the past says, over weeks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from podium.cli import comparison, lived, options, outcome

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.loop.backtest.shadowed import Moment, Shadowed

TITLES = (
    ("Served, and with Podium it would not have been", "hurt"),
    ("Not served, and with Podium it would have been", "helped"),
)
MOST = 5  # moments named of each workload for people; JSON has up to twenty


@click.group()
def command() -> None:
    """Reports on an installation's own past. They touch nothing."""


@command.command("shadow", short_help="Where Podium would have saved, and where it would have hurt.")
@click.option("--workload", "workloads", multiple=True, metavar="NAME", help="This one (default: all); again for more.")
@click.option("--days", type=click.IntRange(2, 366), default=14, show_default=True, help="How far back.")
@click.option("--risk", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.001, show_default=True,
              metavar="SHARE", help="Load that may go unserved.")  # fmt: skip
@click.option("--against", default="recorded", show_default=True, metavar="POLICY",
              help="What Podium is compared with: what really happened, or a policy as hpa:70.")  # fmt: skip
@options.config
@options.demo
@options.output
def shadow(
    workloads: tuple[str, ...],
    days: int,
    risk: float,
    against: str,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
    form: str,
    output: str | None,
) -> int:
    """Replay what this installation recorded under Podium, beside what really happened, and name the moments.

    Of use while policies only recommend: what would have been saved, where load that was served would have gone
    unserved, and where the other way round. Exit code 1 when Podium would have hurt somewhere.
    """
    from podium.loop.backtest import contender
    from podium.loop.backtest.shadowed import shadowed
    from podium.loop.backtest.together import replay
    from podium.loop.remember.anew import new_memory

    past = lived.read(config, flags, workloads, days, of_demo=of_demo)
    asked = [contender.parse("podium", risk)]
    if against != "recorded":
        try:
            asked.append(contender.parse(against, risk))
        except contender.Unclear as error:
            raise click.BadParameter(str(error), param_hint="--against") from error
    field, ran = replay(past, asked, new_memory, comparison.progress)
    was = ran[0] if against == "recorded" else ran[2]
    found = [shadowed(field, column, was, ran[1], column, one.replayed.notes) for column, one in enumerate(past.lived)]
    found.sort(
        key=lambda one: (-one.would.unserved_fraction * (one.verdict(risk) == "would have hurt"), -one.saved_hours)
    )
    if form == "json":
        whole = {
            "risk": risk, "days": days, "against": against, "workloads": [one.as_json(risk) for one in found],
            "unseen": list(past.missing),
        }  # fmt: skip
        options.emit(options.as_json(whole), output)
    else:
        from podium.cli import tables

        tables.show(_for_people(found, past.missing, risk, against), output)
    return outcome.NEGATIVE if any(one.verdict(risk) == "would have hurt" for one in found) else outcome.DONE


def _for_people(found: Sequence[Shadowed], missing: Sequence[str], risk: float, against: str) -> list[RenderableType]:
    from podium.cli import tables

    names = ("replica-hours", "with Podium", "of it reserve", "saved", "likely", "unserved", "with Podium")
    table = tables.table("workload", *((name, "right") for name in names), "verdict")
    for one in found:
        saved = "" if one.saved is None else f"{one.saved[0]:,.0f} to {one.saved[1]:,.0f}".replace(",", " ")
        table.add_row(
            one.name,
            _hours(one.was.replica_hours),
            _hours(one.would.replica_hours),
            "" if one.would.reserve_hours is None else _hours(one.would.reserve_hours),
            _hours(one.saved_hours),
            saved,
            f"{one.was.unserved_fraction:.3%}",
            f"{one.would.unserved_fraction:.3%}",
            one.verdict(risk),
        )
    out: list[RenderableType] = [
        f"Podium beside {against}, over the days that were judged. Nothing was changed.",
        "",
        table,
    ]
    for title, pick in TITLES:
        lines = [line for one in found for line in _moments(one.name, getattr(one, pick))]
        out += ["", title, *lines] if lines else []
    notes = [f"  {one.name}: {note}" for one in found for note in one.notes]
    out += ["", "How it was understood", *notes] if notes else []
    return [*out, "", "Not seen", *(f"  {words}" for words in missing)] if missing else out


def _moments(name: str, moments: Sequence[Moment]) -> list[str]:
    lines = [f"  {name}: {one.words()}" for one in moments[:MOST]]
    more = len(moments) - MOST
    return [*lines, f"  {name}: and {more} more"] if more > 0 else lines


def _hours(hours: float) -> str:
    return f"{hours:,.0f}".replace(",", " ")
