"""`podium tune`: the settings that a workload's own history justifies, as a diff. Nothing is applied."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import click

from podium.cli import comparison, lived, options, outcome

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.loop.backtest.lived import Lived
    from podium.loop.backtest.promise import Kept
    from podium.loop.backtest.tune import Tuned


@click.command(short_help="Propose the settings that a workload's own history justifies; apply nothing.")
@click.argument("workload")
@click.option("--days", type=click.IntRange(2, 366), default=21, show_default=True, help="How far back.")
@click.option("--risk", type=click.FloatRange(0, 1, min_open=True, max_open=True), metavar="SHARE",
              help="Load that may go unserved (default: what the policy asks).")  # fmt: skip
@click.option("--check", is_flag=True, help="Instead: whether settings that were tuned before kept their promise.")
@click.option("--output", type=click.Path(path_type=pathlib.Path, dir_okay=False), metavar="FILE.yaml",
              help="Write the proposed document there.")  # fmt: skip
@click.option("-o", "--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True,
              help="For people, or for machines.")  # fmt: skip
@options.config
@options.demo
def command(
    workload: str,
    days: int,
    risk: float | None,
    check: bool,
    output: pathlib.Path | None,
    form: str,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
) -> int:
    """Replay what this installation recorded of WORKLOAD under other settings, and propose the better ones.

    They are chosen on the first part of the history and judged on the rest; what did not hold there is not proposed.
    The answer is a diff of the policy with the evidence. --output writes the document, to be reviewed and put where
    your policies are; it carries what it promised. Exit code 1 when nothing is to be changed.

    With --check: what was recorded since is compared with the promise. Exit code 1 when it did worse; then --output
    writes the document as it was before.
    """
    past = lived.read(config, flags, (workload,), days, of_demo=of_demo)
    one = past.lived[0]
    return _check(one, form, output) if check else _tune(one, risk, past.until, form, output)


def _tune(one: Lived, risk: float | None, until: float, form: str, output: pathlib.Path | None) -> int:
    from podium.loop.backtest import promise
    from podium.loop.backtest.tune import tune
    from podium.loop.remember import anew

    before = promise.promise_of(one.document)
    asked = before.risk if risk is None and before is not None else risk  # what people asked, not what was tuned
    told = tune(one, asked, anew.new_memory, comparison.progress)
    whole = promise.tuned_document(one.document, told, until) if told.holds else None
    if whole is not None and output is not None:
        options.write_text(output, promise.as_yaml(whole))
    if form == "json":
        options.emit(options.as_json(_facts(one, told, whole)), None)
    else:
        from podium.cli import tables

        tables.show(_for_people(one, told, None if whole is None else promise.diff(one.document, whole)), None)
    return outcome.DONE if told.holds else outcome.NEGATIVE


def _facts(one: Lived, told: Tuned, whole: dict[str, Any] | None) -> dict[str, Any]:
    import dataclasses

    def part(present: Any, chosen: Any) -> dict[str, Any]:
        names = ("replica_hours", "unserved_fraction", "cost")
        both = (("present", present), ("chosen", chosen))
        return {"days": len(present.minutes)} | {
            side: {name: getattr(score, name) for name in names} for side, score in both
        }

    return {
        "workload": str(one.key),
        "risk": told.risk,
        "tried": told.tried,
        "holds": told.holds,
        "changes": [dataclasses.asdict(change) for change in told.changes],
        "first": part(*told.first),
        "rest": part(*told.rest) | {"saved_likely": None if told.saved is None else list(told.saved)},
        "document": whole,
        "words": told.words,
        "notes": list(one.replayed.notes),
    }


def _for_people(one: Lived, told: Tuned, diff: str | None) -> list[RenderableType]:
    from rich.text import Text

    from podium.cli import tables

    right = [(name, "right") for name in ("days", "replica-hours", "x oracle", "unserved")]
    table = tables.table("", *right)  # type: ignore[arg-type]
    parts = ((f"first {told.first_days} days", told.first), ("the rest", told.rest))
    for name, (present, chosen) in parts:
        for side, score in (("present", present), *((("tried", chosen),) if told.chosen != told.present else ())):
            hours = f"{score.replica_hours:,.0f}".replace(",", " ")
            days = str(len(score.minutes))
            table.add_row(f"{name}, {side}", days, hours, f"{score.cost:.2f}", f"{score.unserved_fraction:.3%}")
    out: list[RenderableType] = [Text(told.words, style="bold"), "", table]
    if diff is not None:
        out += ["", Text(diff)]
        out += [
            "",
            *(f"{change.path}: {change.before} -> {change.after}: {change.evidence}" for change in told.changes),
        ]
    if told.saved is not None and told.holds:
        low, high = told.saved
        out += ["", f"On the rest it saves {low:,.0f} to {high:,.0f} replica-hours, with 95 % confidence."]
    return [*out, "", *(f"note: {note}" for note in one.replayed.notes), "Nothing was changed."]


def _check(one: Lived, form: str, output: pathlib.Path | None) -> int:
    from podium.loop.backtest import promise

    given = promise.promise_of(one.document)
    if given is None:
        raise outcome.BadInput(f"{one.key}: its policy was never tuned (it has no annotation {promise.ANNOTATION})")
    kept = promise.check(one, given)
    if kept.broken and output is not None:
        options.write_text(output, promise.as_yaml(promise.withdrawn(one.document, given)))
    if form == "json":
        options.emit(options.as_json(_kept(one, kept)), None)
    else:
        words = [kept.words]
        if kept.broken:
            words += [f"{path}: was {value}" for path, value in given.before.items()]
            words += [f"{output}: the document as it was" if output else "--output FILE.yaml writes it as it was"]
        options.emit("\n".join(words), None)
    return outcome.NEGATIVE if kept.broken else outcome.DONE


def _kept(one: Lived, kept: Kept) -> dict[str, Any]:
    import msgspec

    return {
        "workload": str(one.key),
        "kept": not kept.broken,
        "broken": list(kept.broken),
        "days": kept.days,
        "promise": msgspec.to_builtins(kept.promise),
        "unserved_fraction": kept.since.unserved_fraction,
        "cost_ratio": kept.since.cost,
        "words": kept.words,
    }
