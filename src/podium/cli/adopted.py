"""What an adoption would do or did, compared with the original's own history, told to people or to machines."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from podium.cli import comparison, history, options, outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from podium.cli.adopt import Asked
    from podium.loop.adopt.adoption import Adoption
    from podium.loop.backtest.advice import Advice
    from podium.loop.backtest.replayed import Replayed
    from podium.settings import Loaded

STARTUP_SECONDS = 120.0  # where the history does not tell it
RISK = 0.001


@dataclasses.dataclass(frozen=True)
class Compared:
    """Policies beside what really happened. `words` say on what, or why on nothing."""

    words: str
    advice: tuple[Advice, ...] = ()
    unseen: tuple[str, ...] = ()


@dataclasses.dataclass
class Done:
    """What was done, and what was left with why, by workload."""

    did: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    left: list[tuple[str, str]] = dataclasses.field(default_factory=list)


def compare(chosen: Sequence[Adoption], asked: Asked, loaded: Loaded) -> Compared:
    """Replay each workload's own past under the policy, beside what its autoscaler really did."""
    able = {one.workload: one for one in chosen if not one.refused}
    if not able:
        return Compared("nothing to compare")
    if asked.url is not None:
        cases, unseen = _of_prometheus(able, asked, asked.url)
        words = f"on the last {asked.days} days of {asked.url}"
    else:
        cases, unseen = _of_ledger(able, asked, loaded)
        words = f"on the last {asked.days} days that Podium recorded"
    if not cases:
        words = "there is no history to compare on: --prometheus URL names one"
        return Compared(words if not unseen else f"not compared: {'; '.join(unseen)}", (), tuple(unseen))
    from podium.loop.backtest.advice import advise
    from podium.loop.backtest.answer import Rate
    from podium.loop.remember.anew import new_memory

    found = advise(cases, RISK, lambda _: Rate(), new_memory, comparison.progress)
    return Compared(words, tuple(found), tuple(unseen))


def _of_prometheus(
    able: dict[tuple[str, str, str], Adoption], asked: Asked, url: str
) -> tuple[list[Replayed], list[str]]:
    from podium.loop.backtest.recorded import Asked as Question
    from podium.loop.backtest.replayed import replayed
    from podium.loop.backtest.run import Unfit
    from podium.model.clock import wall_clock

    found = history.read(url, asked.bearer, Question(wall_clock(), asked.days * 1440, asked.namespace))
    cases: list[Replayed] = []
    unseen = list(found.missing)
    known = set()
    for one in found.workloads:
        name = (one.subject.namespace, one.subject.kind, one.subject.name)
        if name not in able:
            continue
        known.add(name)
        try:
            case = replayed(one, found.first, capacity=None, startup_seconds=STARTUP_SECONDS)
        except Unfit as error:
            unseen.append(str(error))
            continue
        cases.append(_bounded(case, able[name]))
    unseen += [f"{able[name].shown}: nothing is recorded of it" for name in able if name not in known]
    return cases, unseen


def _bounded(case: Replayed, one: Adoption) -> Replayed:
    """Under the limits of the policy."""
    from podium.loop.backtest.contender import Limits

    replicas = one.policy["spec"]["replicas"]
    limits = Limits(int(replicas["min"]), int(replicas["max"]))
    return dataclasses.replace(case, case=dataclasses.replace(case.case, limits=limits))


def _of_ledger(
    able: dict[tuple[str, str, str], Adoption], asked: Asked, loaded: Loaded
) -> tuple[list[Replayed], list[str]]:
    """From an installation that already looks at them; none is no mistake."""
    from podium.cli import store

    if loaded.file is None:
        return [], []
    from podium.loop.backtest import lived

    with contextlib.suppress(outcome.BadInput, KeyError), store.ledger(loaded) as ledger:
        past = lived.read(
            ledger,
            asked.days,
            loaded.value.database.retention.metrics_step,
            lambda documents: [key for key in documents if (key.namespace, key.kind, key.name) in able],
        )
        names = [(one.key.namespace, one.key.kind, one.key.name) for one in past.lived]
        cases = [_bounded(one.replayed, able[name]) for one, name in zip(past.lived, names, strict=True)]
        return cases, list(past.missing)
    return [], []


def show_plan(
    chosen: Sequence[Adoption], missing: Sequence[str], compared: Compared, form: str, output: str | None
) -> int:
    """What would be written. Nothing that can be adopted is a negative answer."""
    if form == "json":
        whole: dict[str, Any] = {
            "adoptions": [one.as_json() for one in chosen],
            "compared": {"words": compared.words, "workloads": [one.as_json() for one in compared.advice]},
            "unseen": [*missing, *compared.unseen],
        }
        options.emit(options.as_json(whole), output)
    else:
        from podium.cli import tables

        tables.show(_plan(chosen, missing, compared), output)
    return outcome.DONE if any(not one.refused for one in chosen) else outcome.NEGATIVE


def _plan(chosen: Sequence[Adoption], missing: Sequence[str], compared: Compared) -> list[RenderableType]:
    from podium.cli import recommend, tables
    from podium.loop.adopt.adoption import SHORT

    able = [one for one in chosen if not one.refused]
    out: list[RenderableType] = []
    if able:
        table = tables.table("workload", "from", ("replicas", "right"), "follows", "looks ahead by")
        for one in able:
            spec = one.policy["spec"]
            names = ", ".join(f"{SHORT[each.kind]} {each.name}" for each in one.originals)
            limits = f"{spec['replicas']['min']}-{spec['replicas']['max']}"
            load = spec.get("load", {}).get("signal", tables.UNKNOWN)
            table.add_row(one.shown, names, limits, _follows(spec) or tables.UNKNOWN, load)
        out += [table, ""]
    else:
        out += ["Nothing here can be adopted.", ""]
    lost = [(one, original, each) for one in able for original, each in one.lost]
    if lost:
        out += ["Without a counterpart (! decides)"]
        out += [f"  {'!' if each.decides else ' '} {one.shown}: {each}" for one, _, each in lost] + [""]
    if notes := [f"  {one.shown}: {words}" for one in able for words in one.notes]:
        out += ["Notes", *notes, ""]
    if refused := [f"  {one.shown}: {one.refused}" for one in chosen if one.refused]:
        out += ["Not adopted", *refused, ""]
    if able:
        out += [f"Compared {compared.words}" if compared.advice else compared.words, ""]
    if compared.advice:
        out += [recommend.advice_table(compared.advice), ""]
    if unseen := [*missing, *(compared.unseen if compared.advice else ())]:
        out += ["Not seen", *(f"  {words}" for words in unseen), ""]
    return [*out, "Nothing was changed. --apply writes the policies in mode recommend; -o json shows them whole."]


def _follows(spec: dict[str, Any]) -> str:
    """`cpu 60 %, rps 100`."""
    words = []
    for metric in spec.get("metrics", []):
        part = next(one for one in metric.values() if isinstance(one, dict))
        name = part.get("name") or part["metric"]["name"]
        target = part["target"]
        share = target.get("averageUtilization")
        words.append(f"{name} {share} %" if share else f"{name} {target.get('averageValue') or target.get('value')}")
    words += [f"{len(spec['schedule'])} windows"] if spec.get("schedule") else []
    return ", ".join(words)


def show_done(done: Done, form: str, output: str | None) -> int:
    """What was done. Something that was left is a negative answer."""
    if form == "json":
        whole = {
            "did": [{"workload": name, "words": words} for name, words in done.did],
            "left": [{"workload": name, "words": words} for name, words in done.left],
        }
        options.emit(options.as_json(whole), output)
    else:
        from podium.cli import tables

        lines = [f"{name}: {words}" for name, words in done.did]
        lines += ["", "Left as it is", *(f"  {name}: {words}" for name, words in done.left)] if done.left else []
        tables.show(lines or ["There was nothing to do."], output)
    return outcome.NEGATIVE if done.left or not done.did else outcome.DONE
