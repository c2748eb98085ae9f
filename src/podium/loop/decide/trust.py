"""Distrust of sources: values that leap together, or stand still together, hold instead of scaling down.

A load that halves within minutes under half of a source's workloads is more often a broken join, a restarted exporter
or a lying proxy than a quiet hour. It is believed when another source saw the same workloads fall, or after six hours.

One that grows by half within minutes is followed up all the same, but not taken for the new level unless another source
saw it: or the end of a lie of a hundredfold would look like a fall.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from podium.loop.decide import zero
from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.state import State, Trust
from podium.loop.decide.table import MetricGroup, PolicyTable
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int32s
from podium.model.decision import Reason
from podium.model.snapshot import Level, Snapshot

FEW = 3  # series: fewer than these are suspect only when all of them leap, and frozen only after as many equal samples
CORROBORATED = 0.5  # another source must have seen this part of the change: idle pods use something, too
AT_REST = (
    "memory"  # used without any load: it follows the pods that we add, may stand still, and says nothing of the load
)


def distrust(turn: Turn, draft: Draft) -> Draft:
    """Hold what would go down on the word of a suspect or frozen source, or without any new evidence."""
    told = {name: level for name, level in turn.snapshot.signals.items() if name not in _lowers_nothing(turn.table)}
    changes = _without_resting(turn.table, {name: _change(turn, name, level) for name, level in told.items()})
    state = draft.state
    current = turn.current
    trust: dict[str, Trust] = {}  # a source that is no longer asked is forgotten
    for number, source in enumerate(turn.snapshot.sources):
        before = state.trust.get(source) or Trust(
            moved=False, moved_at=np.nan, suspect_since=np.nan, frozen_since=np.nan
        )
        if _ordered(turn, source):
            trust[source] = Trust(moved=before.moved, moved_at=np.nan, suspect_since=np.nan, frozen_since=np.nan)
            draft.reasons.add(_speaks(turn, number) & draft.open, Reason.SOURCE_BELIEVED, number)
            continue
        share, suspect = _leaping(turn, number, changes)
        trust[source] = _judged(turn, number, before, suspect=suspect)
        speaks = _speaks(turn, number)
        down = speaks & draft.open & (draft.wanted < current)
        if _held(turn, trust[source]):
            draft = draft.bent(down, current, Reason.SOURCE_SUSPECT, number, share)
        elif turn.now - trust[source].frozen_since <= turn.table.guards.believe_after:
            still = turn.now - trust[source].frozen_since
            draft = draft.bent(down, current, Reason.SOURCE_FROZEN, number, still)
    blind = draft.open & (draft.wanted < current) & ~_new_evidence(turn)
    draft = draft.bent(blind, current, Reason.NO_NEW_EVIDENCE, draft.wanted)
    return dataclasses.replace(draft, state=_learned(turn, dataclasses.replace(state, trust=trust)))


def suspects(state: State, snapshot: Snapshot) -> list[int]:
    """The sources (as numbered in `snapshot`) that were under suspicion when `state` was left."""
    none = Trust(moved=False, moved_at=np.nan, suspect_since=np.nan, frozen_since=np.nan)
    known = (state.trust.get(source, none) for source in snapshot.sources)
    return [number for number, trust in enumerate(known) if not np.isnan(trust.suspect_since)]


def doubted(state: State, snapshot: Snapshot) -> list[int]:
    """The sources (as numbered in `snapshot`) that are suspect or stand still, as `state` has it."""
    return [
        number
        for number, source in enumerate(snapshot.sources)
        if source in state.trust and not state.trust[source].believed
    ]


def _ordered(turn: Turn, source: str) -> bool:
    """Did a person order to believe this source as it is now? It may stand still, too, until it moves again."""
    return turn.table.ordered is not None and source in turn.table.ordered.believed


def _held(turn: Turn, trust: Trust) -> bool:
    """Is the source under a suspicion that has not yet grown so old that it must be the truth?"""
    return turn.now - trust.suspect_since <= turn.table.guards.believe_after  # NaN: not suspect, so not held


def _speaks(turn: Turn, source: int) -> Bools:
    """The slots of which this source measures what their policies use."""
    speaks = np.zeros(len(turn.table), np.bool_)
    for name, slots in _measures(turn.table):
        level = turn.snapshot.signals.get(name)
        if level is not None:
            speaks[slots] |= level.source[slots] == source
    return speaks


def _lowers_nothing(table: PolicyTable) -> set[str]:
    """Latencies that are bounded and nothing else: they fall by half when an incident is over, and lower nothing."""
    bounded = {bound.signal for bound in table.latency}
    others = {measure(group) for group in table.metrics} | {reading.signal for reading in table.rules.reads}
    return bounded - others


def _without_resting(table: PolicyTable, changes: dict[str, Float64s]) -> dict[str, Float64s]:
    """Whoever may rest at zero has nothing to do at times, all at once: that is no evidence against a source."""
    if not table.activation:
        return changes
    resting = zero.may_rest(table)
    return {name: np.where(resting, np.nan, change) for name, change in changes.items()}


def _measures(table: PolicyTable) -> Iterator[tuple[str, Int32s]]:
    """Every signal that policies use, with the slots that use it: in metrics, objectives, rules, and to wake by."""
    for waking in table.activation:
        yield waking.signal, waking.slots
    for group in table.metrics:
        yield measure(group), group.slots
    for bound in table.latency:
        yield bound.signal, bound.slots
    for reading in table.rules.reads:
        yield reading.signal, reading.slots


def measure(group: MetricGroup) -> str:
    """The signal whose level stands for a group's: a container's usage (`cpu@app`) is as good as its pod's."""
    return group.signal.partition("@")[0]


def _change(turn: Turn, name: str, level: Level) -> Float64s:
    """[n] a signal over its recent level, 1.0 when nothing changed; NaN where there is no level above zero."""
    recent = turn.before.levels.get(name)
    if recent is None:
        return np.full(len(level.value), np.nan)
    recent = _after_writes(turn, level, recent)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(recent > 0, level.value / recent, np.nan)


def _after_writes(turn: Turn, level: Level, recent: Float64s) -> Float64s:
    """What the cluster's own metrics are compared with: pods that we took away take their idle usage along.

    10 pods use 5 GB and 7 of them go: 1.5 GB is no fall.
    """
    written, before = turn.snapshot.written, turn.snapshot.written_from
    ours = (level.source == _cluster(turn)) & (written != UNKNOWN) & (written < before)
    return np.where(ours, recent * (written / np.maximum(before, 1)), recent)


def _cluster(turn: Turn) -> int:
    """The number of the cluster itself: the last source. Its metrics rise with the pods that we add."""
    return len(turn.snapshot.sources) - 1


def _leaping(turn: Turn, source: int, changes: dict[str, Float64s]) -> tuple[float, bool]:
    """(the largest share of a source's series that leapt the same way, whether a leap is suspect)."""
    fall, largest, suspect = turn.table.guards.fall, 0.0, False
    # What rises by less than a half is learned; when it comes back, 1 / 1.5 of it is no fall by a half.
    for down, asked in ((True, 1.0 - fall), (False, 1.0 + fall)):
        if not down and source == _cluster(turn):
            continue
        share = _share_leapt(turn, source, changes, asked, down=down)
        if share >= turn.table.guards.share and not _corroborated(turn, source, changes, asked, down=down):
            suspect = True
        largest = max(largest, share)
    return largest, suspect


def _share_leapt(turn: Turn, source: int, changes: dict[str, Float64s], asked: float, *, down: bool) -> float:
    """The share of a source's series beyond `asked`. Few series leap only all together."""
    shares = [0.0]
    for at_rest in (False, True):
        compared = [
            change[(turn.snapshot.signals[name].source == source) & ~np.isnan(change)]
            for name, change in changes.items()
            if (name == AT_REST) == at_rest
        ]
        ratios = np.concatenate(compared) if compared else np.empty(0)
        if not len(ratios):
            continue
        share = float(_beyond(ratios, asked, down=down).sum() / len(ratios))
        shares.append(share if len(ratios) >= FEW or share == 1.0 else 0.0)
    return max(shares)


def _beyond(change: Float64s, asked: Float64s | float, *, down: bool) -> Bools:
    with np.errstate(invalid="ignore"):
        return change < asked if down else change > asked


def _corroborated(turn: Turn, source: int, changes: dict[str, Float64s], asked: float, *, down: bool) -> bool:
    """Did other sources see most of the workloads that leapt go the same way?"""
    leapt = np.zeros(len(turn.table), np.bool_)
    seen = np.zeros(len(turn.table), np.bool_)
    farthest = np.ones(len(turn.table))
    bend = np.fmin if down else np.fmax
    for name, change in changes.items():
        own = turn.snapshot.signals[name].source == source
        leapt |= own & _beyond(change, asked, down=down)
        farthest = np.where(own, bend(farthest, change), farthest)
    for name, change in changes.items():
        partly = 1.0 + CORROBORATED * (farthest - 1.0)
        if name != AT_REST:
            seen |= (turn.snapshot.signals[name].source != source) & _beyond(change, partly, down=down)
    return bool(leapt.any() and (leapt & seen).sum() * 2 >= leapt.sum())


def _judged(turn: Turn, source: int, before: Trust, *, suspect: bool) -> Trust:
    """A source freezes when three samples or more are new and not one moved, though they once did."""
    advanced, changed = 0, 0
    for name, level in turn.snapshot.signals.items():
        if name == AT_REST:
            continue
        stamps, values = turn.before.stamps.get(name), turn.before.values.get(name)
        if stamps is None or values is None:
            continue
        with np.errstate(invalid="ignore"):
            anew = (level.source == source) & (level.at > stamps) & ~np.isnan(values) & ~np.isnan(level.value)
        anew &= (level.value != 0) | (values != 0)
        advanced += int(anew.sum())
        changed += int((level.value[anew] != values[anew]).sum())
    moved = before.moved or changed > 0
    frozen = before.frozen_since
    if changed:
        frozen = np.nan
    elif advanced and advanced * _turns_since(turn, before.moved_at) >= FEW and np.isnan(frozen):
        frozen = turn.now
    since = before.suspect_since
    if not suspect:
        since = np.nan
    elif np.isnan(since):
        since = turn.now
    return Trust(
        moved=moved, moved_at=turn.now if changed else before.moved_at, suspect_since=since, frozen_since=frozen
    )


def _turns_since(turn: Turn, moment: float) -> float:
    """How many turns of the last one's length lie between `moment` and now; NaN when either is unknown."""
    return (turn.now - moment) / max(turn.now - turn.before.at, 1e-9)


def _new_evidence(turn: Turn) -> Bools:
    """The slots whose own metrics have a sample newer than the last turn's: nothing goes down twice on one."""
    newer = np.zeros(len(turn.table), np.bool_)
    for name, slots in _measures(turn.table):
        level, stamps = turn.snapshot.signals.get(name), turn.before.stamps.get(name)
        if level is None:
            continue
        at = level.at[slots]
        newer[slots] |= ~np.isnan(at) & (True if stamps is None else ~(at <= stamps[slots]))
    # Where nothing is measured the calendar is the evidence, and it has always just been read.
    return newer if turn.table.limits_alone is None else newer | turn.table.limits_alone


def _learned(turn: Turn, state: State) -> State:
    """Levels follow the values (gain dt / (dt + memory)), except under suspicion; the last values are kept."""
    elapsed = 0.0 if np.isnan(turn.before.at) else max(turn.now - turn.before.at, 0.0)
    gain = elapsed / (elapsed + turn.table.guards.level_memory)
    suspects = [number for number, source in enumerate(turn.snapshot.sources) if _held(turn, state.trust[source])]
    ordered = [number for number, source in enumerate(turn.snapshot.sources) if _ordered(turn, source)]
    levels, values, stamps = dict(state.levels), dict(state.values), dict(state.stamps)
    believed: dict[str, Bools] = {}
    for name, level in turn.snapshot.signals.items():
        unknown = np.full(len(level.value), np.nan)
        old = _after_writes(turn, level, levels.get(name, unknown))
        believed[name] = ~np.isnan(level.value) & ~np.isin(level.source, suspects) & (level.source != UNKNOWN)
        at_once = np.isnan(old) | np.isin(level.source, ordered)
        followed = np.where(at_once, level.value, old + gain * (level.value - old))
        levels[name] = np.where(believed[name], followed, old)
        known = ~np.isnan(level.value)
        values[name] = np.where(known, level.value, values.get(name, unknown))
        stamps[name] = np.where(known, level.at, stamps.get(name, unknown))
    levels = {
        name: level * np.where(believed[name], 1.0, _drift(turn, name, levels, believed)) if name in believed else level
        for name, level in levels.items()
    }
    return dataclasses.replace(state, levels=levels, values=values, stamps=stamps)


def _drift(turn: Turn, name: str, levels: dict[str, Float64s], believed: dict[str, Bools]) -> Float64s:
    """[n] how the levels of other, believed sources moved in this turn: a silent or suspect one's moves along.

    The night comes while Prometheus is down: the cluster's cpu tells, and what Prometheus says at dawn is no fall.
    """
    own = turn.snapshot.signals[name].source
    total, count = np.zeros(len(own)), np.zeros(len(own))
    for other, level in turn.snapshot.signals.items():
        before = turn.before.levels.get(other)
        if other in (name, AT_REST) or before is None:
            continue
        told = believed[other] & (level.source != own) & (before > 0) & (levels[other] > 0)
        total += np.where(told, levels[other] / np.where(told, before, 1.0), 0.0)
        count += told
    return np.where(count > 0, total / np.maximum(count, 1), 1.0)
