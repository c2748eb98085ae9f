"""Distrust of sources: values that fall together, or stand still together, hold instead of scaling down.

A load that halves within minutes under half of a source's workloads is more often a broken join, a restarted exporter
or a lying proxy than a quiet hour. It is believed when another source saw the same workloads fall, or after a day.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.state import State, Trust
from podium.model.arrays import UNKNOWN, Bools, Float64s
from podium.model.decision import Reason
from podium.model.snapshot import Level, Snapshot

FEW = 3  # series: fewer than these cannot fall or freeze "together"
CORROBORATED = 0.5  # another source must have seen this part of the asked fall


def distrust(turn: Turn, draft: Draft) -> Draft:
    """Hold what would go down on the word of a suspect or frozen source, or without any new evidence."""
    fallen = {name: _fallen(turn, name, level) for name, level in turn.snapshot.signals.items()}
    state = draft.state
    current = turn.current
    trust: dict[str, Trust] = dict(state.trust)
    for number, source in enumerate(turn.snapshot.sources):
        before = state.trust.get(source) or Trust(
            moved=False, moved_at=np.nan, suspect_since=np.nan, frozen_since=np.nan
        )
        share = _share_fallen(turn, number, fallen)
        suspect = share >= turn.table.guards.share and not _corroborated(turn, number, fallen)
        trust[source] = _judged(turn, number, before, suspect=suspect)
        speaks = _speaks(turn, number)
        down = speaks & draft.open & (draft.wanted < current)
        if _held(turn, trust[source]):
            draft = draft.bent(down, current, Reason.SOURCE_SUSPECT, number, share)
        elif not np.isnan(trust[source].frozen_since):
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


def _held(turn: Turn, trust: Trust) -> bool:
    """Is the source under a suspicion that has not yet grown so old that it must be the truth?"""
    return turn.now - trust.suspect_since <= turn.table.guards.believe_after  # NaN: not suspect, so not held


def _speaks(turn: Turn, source: int) -> Bools:
    """The slots of which this source measures anything."""
    speaks = np.zeros(len(turn.table), np.bool_)
    for level in turn.snapshot.signals.values():
        speaks |= level.source == source
    return speaks


def _fallen(turn: Turn, name: str, level: Level) -> Float64s:
    """[n] the part of its recent level that a signal lost; NaN where there is no level above zero to compare with."""
    recent = turn.before.levels.get(name)
    if recent is None:
        return np.full(len(level.value), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(recent > 0, 1.0 - level.value / recent, np.nan)


def _share_fallen(turn: Turn, source: int, fallen: dict[str, Float64s]) -> float:
    """The share of a source's series that fell together. Few series are suspect only when all of them read zero."""
    asked = turn.table.guards.fall
    compared = [loss[(turn.snapshot.signals[name].source == source) & ~np.isnan(loss)] for name, loss in fallen.items()]
    losses = np.concatenate(compared) if compared else np.empty(0)
    if not len(losses):
        return 0.0
    if len(losses) < FEW:
        return 1.0 if (losses >= 1.0).all() else 0.0
    return float((losses > asked).sum() / len(losses))


def _corroborated(turn: Turn, source: int, fallen: dict[str, Float64s]) -> bool:
    """Did other sources see most of the fallen workloads fall, too?"""
    fell = np.zeros(len(turn.table), np.bool_)
    seen = np.zeros(len(turn.table), np.bool_)
    for name, loss in fallen.items():
        with np.errstate(invalid="ignore"):
            own = turn.snapshot.signals[name].source == source
            fell |= own & (loss > turn.table.guards.fall)
            seen |= ~own & (loss > CORROBORATED * turn.table.guards.fall)
    return bool(fell.any() and (fell & seen).sum() * 2 >= fell.sum())


def _judged(turn: Turn, source: int, before: Trust, *, suspect: bool) -> Trust:
    """A source freezes when three series or more were measured anew and not one moved, though they once did."""
    advanced, changed = 0, 0
    for name, level in turn.snapshot.signals.items():
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
    elif advanced >= FEW and before.moved and np.isnan(frozen):
        frozen = turn.now
    since = before.suspect_since
    if not suspect:
        since = np.nan
    elif np.isnan(since):
        since = turn.now
    return Trust(
        moved=moved, moved_at=turn.now if changed else before.moved_at, suspect_since=since, frozen_since=frozen
    )


def _new_evidence(turn: Turn) -> Bools:
    """The slots with a sample newer than the last turn's: nothing goes down twice on the same sample."""
    newer = np.zeros(len(turn.table), np.bool_)
    for name, level in turn.snapshot.signals.items():
        stamps = turn.before.stamps.get(name)
        newer |= ~np.isnan(level.at) & (True if stamps is None else ~(level.at <= stamps))
    return newer


def _learned(turn: Turn, state: State) -> State:
    """Levels follow the values (gain dt / (dt + memory)), except under suspicion; the last values are kept."""
    elapsed = 0.0 if np.isnan(turn.before.at) else max(turn.now - turn.before.at, 0.0)
    gain = elapsed / (elapsed + turn.table.guards.level_memory)
    suspects = [number for number, source in enumerate(turn.snapshot.sources) if _held(turn, state.trust[source])]
    levels, values, stamps = dict(state.levels), dict(state.values), dict(state.stamps)
    for name, level in turn.snapshot.signals.items():
        unknown = np.full(len(level.value), np.nan)
        old = levels.get(name, unknown)
        trusted = ~np.isnan(level.value) & ~np.isin(level.source, suspects) & (level.source != UNKNOWN)
        followed = np.where(np.isnan(old), level.value, old + gain * (level.value - old))
        levels[name] = np.where(trusted, followed, old)
        known = ~np.isnan(level.value)
        values[name] = np.where(known, level.value, values.get(name, unknown))
        stamps[name] = np.where(known, level.at, stamps.get(name, unknown))
    return dataclasses.replace(state, levels=levels, values=values, stamps=stamps)
