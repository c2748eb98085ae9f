"""`podium tune`: the settings that a workload's own history justifies, as a diff; applied only when it is asked to."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

import click

from podium.cli import applied, comparison, lived, options, outcome

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.cli.applied import Edit, Wish
    from podium.loop.backtest.lived import Lived, Past
    from podium.loop.backtest.promise import Kept, Promise
    from podium.loop.backtest.tune import Tuned
    from podium.settings import Loaded

NOTHING = "Nothing was changed."


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the options say about the answer, and about applying it."""

    loaded: Loaded
    apply: bool
    yes: bool
    url: str | None
    token: str | None
    form: str
    output: pathlib.Path | None

    def edit(self, wish: Wish | None) -> Edit | None:
        """The wish in the file that holds it, where it is to be applied."""
        return applied.edit_of(self.loaded, wish) if wish is not None and self.apply else None

    def put(self, edit: Edit | None) -> str | None:
        """Apply what is confirmed: the outcome in words; None: nothing was changed."""
        if edit is None or not applied.confirmed(edit, yes=self.yes):
            return None
        return applied.put(edit, self.loaded, self.url, self.token)


@click.command(short_help="Propose the settings that a workload's own history justifies; apply them when asked to.")
@click.argument("workloads", nargs=-1, metavar="WORKLOAD")
@click.option("--days", type=click.IntRange(2, 366), default=21, show_default=True, help="How far back.")
@click.option("--risk", type=click.FloatRange(0, 1, min_open=True, max_open=True), metavar="SHARE",
              help="Load that may go unserved (default: what the policy asks).")  # fmt: skip
@click.option("--check", is_flag=True, help="Instead: whether settings that were tuned before kept their promise.")
@click.option("--apply", is_flag=True, help="Write the change into the file that holds the policy, once confirmed.")
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--url", metavar="URL", help="The Podium that records it (default: the one that runs here, if one does).")
@click.option("--token", envvar="PODIUM_TOKEN", show_envvar=True, metavar="TOKEN", help="What opens its door.")
@click.option("--output", type=click.Path(path_type=pathlib.Path, dir_okay=False), metavar="FILE.yaml",
              help="Write the proposed document there.")  # fmt: skip
@click.option("-o", "--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True,
              help="For people, or for machines.")  # fmt: skip
@options.config
@options.demo
def command(
    workloads: tuple[str, ...],
    days: int,
    risk: float | None,
    check: bool,
    apply: bool,
    yes: bool,
    url: str | None,
    token: str | None,
    output: pathlib.Path | None,
    form: str,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
) -> int:
    """Replay what this installation recorded of WORKLOAD under other settings, and propose the better ones.

    They are chosen on the first part of the history and judged on the rest; what did not hold there is not proposed.
    The answer is a diff of the policy with the evidence. --apply asks, and then writes it into the file that holds the
    policy, comments and all; --output writes the document elsewhere. It carries what it promised. Exit code 1 when
    nothing is to be changed.

    With --check: what was recorded since is compared with the promise, of every tuned policy unless some are named.
    Exit code 1 when one did worse; with --apply that one is taken back, once confirmed.
    """
    if not check and len(workloads) != 1:
        raise click.UsageError("expected one WORKLOAD; with --check any number of them")
    if output is not None and (apply or len(workloads) != 1):
        raise click.UsageError("--output goes with one WORKLOAD and without --apply")
    if apply:
        applied.asking(yes=yes, form=form)
    loaded = options.recorded(config, flags, of_demo=of_demo)
    asked = Asked(loaded, apply, yes, url, token, form, output)
    past = lived.read(config, flags, workloads, days, of_demo=of_demo)
    return _check(past, asked, named=bool(workloads)) if check else _tune(past.lived[0], risk, past.until, asked)


def _tune(one: Lived, risk: float | None, until: float, asked: Asked) -> int:
    from podium.loop.backtest import promise
    from podium.loop.backtest.tune import tune
    from podium.loop.remember import anew

    before = promise.promise_of(one.document)
    wanted = before.risk if risk is None and before is not None else risk  # what people asked, not what was tuned
    told = tune(one, wanted, anew.new_memory, comparison.progress)
    whole = promise.tuned_document(one.document, told, until) if told.holds else None
    if whole is not None and asked.output is not None:
        options.write_text(asked.output, promise.as_yaml(whole))
    edit = asked.edit(None if whole is None else _wish(one, told, whole))
    if asked.form == "json":
        options.emit(options.as_json(_facts(one, told, whole) | {"applied": asked.put(edit)}), None)
        return outcome.DONE if told.holds else outcome.NEGATIVE
    from podium.cli import tables

    shown = edit.diff if edit is not None else None if whole is None else promise.diff(one.document, whole)
    tables.show(_for_people(one, told, shown), None)
    done = asked.put(edit)
    click.echo(done or NOTHING)
    return outcome.DONE if told.holds and (done or not asked.apply) else outcome.NEGATIVE


def _wish(one: Lived, told: Tuned, whole: dict[str, Any]) -> Wish:
    from podium.loop.backtest.promise import ANNOTATION

    return applied.Wish(
        did="applied",
        key=one.key,
        document=one.document,
        before={change.path: change.before for change in told.changes},
        after={change.path: change.after for change in told.changes},
        annotation=(ANNOTATION, whole["metadata"]["annotations"][ANNOTATION]),
        reason=told.words,
    )


def _facts(one: Lived, told: Tuned, whole: dict[str, Any] | None) -> dict[str, Any]:
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
    return [*out, "", *(f"note: {note}" for note in one.replayed.notes)]


def _check(past: Past, asked: Asked, *, named: bool) -> int:
    from podium.loop.backtest import promise
    from podium.loop.backtest.run import Unfit

    rows, broken = [], False
    for one in past.lived:
        given = promise.promise_of(one.document)
        if given is None:
            if named:
                raise outcome.BadInput(f"{one.key}: its policy was never tuned (no annotation {promise.ANNOTATION})")
            continue
        try:
            kept = promise.check(one, given)
        except Unfit as error:
            if named and len(past.lived) == 1:
                raise
            rows.append({"workload": str(one.key), "kept": None, "words": str(error)})
            _say(str(error), asked)
            continue
        rows.append(_checked(one, given, kept, asked))
        broken = broken or bool(kept.broken)
    if not rows:
        raise outcome.BadInput("no policy was tuned: none has the annotation " + promise.ANNOTATION)
    if asked.form == "json":
        options.emit(options.as_json(rows[0] if named and len(rows) == 1 else rows), None)
    return outcome.NEGATIVE if broken else outcome.DONE


def _checked(one: Lived, given: Promise, kept: Kept, asked: Asked) -> dict[str, Any]:
    """Tell whether one promise was kept; if not, and it is asked for, take the settings back."""
    from podium.loop.backtest import promise

    _say(f"{one.key}: {kept.words}", asked)
    if not kept.broken:
        return _kept(one, kept) | {"withdrawn": None}
    back = promise.taken_back(one.document, given)
    left = [path for path in given.before if path not in back]
    if asked.output is not None:
        options.write_text(asked.output, promise.as_yaml(promise.withdrawn(one.document, given)))
    wish = applied.Wish(
        did="withdrawn", key=one.key, document=one.document, before={path: given.after.get(path) for path in back},
        after=back, annotation=(promise.ANNOTATION, None), reason=kept.words,
    )  # fmt: skip
    edit = asked.edit(wish)
    _say(edit.diff if edit is not None else "\n".join(f"{path}: was {value}" for path, value in back.items()), asked)
    for path in left:
        _say(f"{path}: somebody changed it since; it stays", asked)
    done = asked.put(edit)
    otherwise = "--apply takes it back; --output FILE.yaml writes the document as it was"
    _say(done or (f"{asked.output}: the document as it was" if asked.output else otherwise), asked)
    return _kept(one, kept) | {"withdrawn": done}


def _say(words: str, asked: Asked) -> None:
    if asked.form == "table" and words:
        click.echo(words)


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
