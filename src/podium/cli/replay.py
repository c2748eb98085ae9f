"""`podium replay`: recorded turns decided again, and compared bit for bit with what was recorded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

import podium
from podium.cli import options, outcome

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.ledger.ledger import Ledger
    from podium.loop.remember.replay import Replayed

_MOST_SHOWN = 20


@click.command()
@options.at
@click.option("--all", "every", is_flag=True, help="Every recorded turn, or those between --since and --until.")
@click.option("--since", metavar="RFC3339", help="With --all: from this moment on.")
@click.option("--until", metavar="RFC3339", help="With --all: up to this moment.")
@options.config
@options.demo
@options.output
def command(
    at: str | None,
    every: bool,
    since: str | None,
    until: str | None,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
    form: str,
    output: str | None,
) -> int:
    """Decide a recorded turn again from its recorded inputs, and compare bit for bit.

    Podium need not run. The forecasts, which are inputs, are recomputed as well, and their distance is shown.
    """
    if every and at is not None:
        raise click.BadParameter("names one moment; with --all, use --since and --until", param_hint="--at")
    if not every and (since or until):
        raise click.BadParameter("goes with --all", param_hint="--since" if since else "--until")
    when = options.moment(at)
    span = options.moment(since, "--since"), options.moment(until, "--until")
    loaded = options.recorded(config, flags, of_demo=of_demo)
    from podium.cli import store

    with store.ledger(loaded) as ledger:
        try:
            return _all(ledger, span, form, output) if every else _one(ledger, when, form, output)
        except (KeyError, ValueError) as error:
            # Nothing is recorded then, or the inputs are older than the retention.
            click.echo(f"podium: {error.args[0]}", err=True)
            return outcome.NEGATIVE


def _one(ledger: Ledger, at: float | None, form: str, output: str | None) -> int:
    from podium.loop.remember import anew
    from podium.loop.remember.replay import replay
    from podium.loop.remember.restore import Library

    done = replay(ledger, anew.new_memory(), at)
    rows = _rows(done, Library(ledger))
    if form == "json":
        options.emit(options.as_json(_facts(done) | {"workloads": rows}), output)
    else:
        _show(done, rows, output)
    return outcome.DONE if done.identical else outcome.NEGATIVE


def _rows(done: Replayed, library: Any) -> list[dict[str, Any]]:
    """What was decided per workload, and what deciding again gave where it differs."""
    from podium.model.arrays import UNKNOWN

    def known(value: Any) -> int | None:
        return None if value == UNKNOWN else int(value)

    turn = done.turn
    return [
        {
            "key": str(key),
            "before": known(turn.snapshot.replicas[slot]),
            "decided": known(turn.decisions.replicas[slot]),
            "again": known(done.decisions.replicas[slot]),
        }
        for key, slot in sorted(library.fleet(turn.fleet).index.items())
    ]


def _facts(done: Replayed) -> dict[str, Any]:
    distance = done.forecast_difference
    return {
        "turn": done.turn.number,
        "at": done.turn.snapshot.now,
        "identical": done.identical,
        "differences": done.differences,
        "same_state": done.same_state,
        "policy_digest": done.turn.policies,
        "epoch": done.epoch,
        "forecast_difference": distance if math.isfinite(distance) else None,
        "forecast_agrees": done.forecast_agrees,
    }


def _verdict(done: Replayed) -> str:
    if done.identical:
        return "the same, bit for bit"
    said = [f"{', '.join(done.differences)} of the decision"] if done.differences else []
    said += [] if done.same_state else ["the state it left"]
    by = "" if done.turn.version == podium.__version__ else f"; it was decided by Podium {done.turn.version}"
    return f"NOT the same; different: {' and '.join(said)}{by}"


def _distance(far: float) -> str:
    from podium.loop.remember.replay import FORECAST_TOLERANCE

    if math.isnan(far):
        return "nothing to compare"
    if math.isinf(far):
        return "known in one, unknown in the other"
    judged = "within" if far <= FORECAST_TOLERANCE else "more than"
    return "none" if far == 0 else f"{far:.1e} relative, {judged} the tolerance of {FORECAST_TOLERANCE:g}"


def _show(done: Replayed, rows: list[dict[str, Any]], output: str | None) -> None:
    from rich.text import Text

    from podium.cli import tables
    from podium.model import clock

    style = "bold" if done.identical else "bold red"
    head = Text(f"turn {done.turn.number} of {clock.rfc3339(done.turn.snapshot.now)}: {_verdict(done)}", style=style)
    table = tables.table("workload", ("before", "right"), ("decided", "right"), ("again", "right"))
    for row in rows:
        again = tables.count(row["again"])
        changed = Text(again, style="" if row["again"] == row["decided"] else "bold red")
        table.add_row(row["key"], tables.count(row["before"]), tables.count(row["decided"]), changed)
    facts = [
        ("policies", done.turn.policies[:12]),
        ("epoch", str(done.epoch)),
        ("forecast", f"recomputed; largest difference: {_distance(done.forecast_difference)}"),
    ]
    tables.show([head, "", table, "", tables.pairs(facts)], output)


def _all(ledger: Ledger, span: tuple[float | None, float | None], form: str, output: str | None) -> int:
    """Every turn of a span; says how many there were and which differ."""
    from podium.loop.remember import anew
    from podium.loop.remember.replay import replay_all

    count, furthest = 0, math.nan
    moments: list[float] = []
    different: list[dict[str, Any]] = []
    for done in replay_all(ledger, anew.new_memory(), *span):
        count += 1
        moments = [*moments[:1], done.turn.snapshot.now]
        furthest = max((furthest, done.forecast_difference), key=lambda far: -1.0 if math.isnan(far) else far)
        if not done.identical:
            different.append(_facts(done))
    if not count:
        raise KeyError("no turn is recorded in that time, or their inputs were dropped")
    answer = {
        "turns": count,
        "identical": count - len(different),
        "first": moments[0],
        "last": moments[-1],
        "forecast_difference": furthest if math.isfinite(furthest) else None,
        "different": different,
    }
    if form == "json":
        options.emit(options.as_json(answer), output)
    else:
        _show_all(answer, _distance(furthest), output)
    return outcome.NEGATIVE if different else outcome.DONE


def _show_all(answer: dict[str, Any], distance: str, output: str | None) -> None:
    from rich.text import Text

    from podium.cli import tables
    from podium.model import clock

    different = answer["different"]
    verdict = "all the same, bit for bit" if not different else f"{len(different)} NOT the same"
    style = "bold red" if different else "bold"
    parts: list[RenderableType] = [Text(f"{answer['turns']} turns: {verdict}", style=style), ""]
    if different:
        table = tables.table(("turn", "right"), "at", "differs")
        for row in different[:_MOST_SHOWN]:
            state = [] if row["same_state"] else ["state"]
            table.add_row(str(row["turn"]), clock.rfc3339(row["at"]), ", ".join([*row["differences"], *state]))
        parts += [table, *([f"… and {len(different) - _MOST_SHOWN} more"] * (len(different) > _MOST_SHOWN)), ""]
    facts = [
        ("from", clock.rfc3339(answer["first"])),
        ("to", clock.rfc3339(answer["last"])),
        ("forecasts", f"recomputed; largest difference: {distance}"),
    ]
    tables.show([*parts, tables.pairs(facts)], output)
