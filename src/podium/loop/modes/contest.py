"""Somebody else writes what Podium leads: it is noticed, named, and after a few rounds Podium yields for a while."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from podium.loop.act.carry_out import Fate, Result
from podium.loop.modes.settings import ContestSettings
from podium.model import clock
from podium.model.arrays import UNKNOWN, Int64s
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey


@dataclasses.dataclass(slots=True)
class _Rounds:
    """What happened to one workload."""

    at: list[float] = dataclasses.field(default_factory=list)  # when a write of ours was overwritten
    by: str = ""  # by whom, as far as it is known
    until: float = float("-inf")  # Podium yields


class Contest:
    """Remembers what Podium wrote, and who wrote over it. All times are Unix seconds of the loop's clock."""

    def __init__(self, settings: ContestSettings) -> None:
        self._settings = settings
        self._ours: dict[int, Scale] = {}  # slot -> what was written there last
        self._rounds: dict[WorkloadKey, _Rounds] = {}

    def wrote(self, results: Iterable[Result]) -> None:
        """Podium's own writes of replicas."""
        for result in results:
            if result.fate is Fate.WRITTEN:
                self._ours[result.command.slot] = result.command

    def overwritten(self, replicas: Int64s, versions: Sequence[str], fleet: Fleet) -> tuple[WorkloadKey, ...]:
        """The workloads whose replicas [n] are no longer what Podium wrote. Each is told once.

        One that is still at the version that was written upon was read before the write, and says nothing.
        """
        slots = np.fromiter(self._ours, np.int64, len(self._ours))
        slots = slots[slots < len(replicas)]
        wrote = np.array([self._ours[slot].replicas for slot in slots.tolist()], np.int64)
        changed = slots[(replicas[slots] != UNKNOWN) & (replicas[slots] != wrote)].tolist()
        found = [self._ours.pop(slot) for slot in changed if versions[slot] != self._ours[slot].resource_version]
        return tuple(one.key for one in found if fleet.slots[one.slot].key == one.key)

    def lost(self, keys: Mapping[WorkloadKey, str], now: float) -> None:
        """A round was lost at `now`: somebody (named where known) wrote over what Podium had written."""
        for key, by in keys.items():
            rounds = self._rounds.setdefault(key, _Rounds())
            rounds.at = [at for at in rounds.at if now - at < self._settings.window] + [now]
            rounds.by = by or rounds.by
            if len(rounds.at) >= self._settings.writes and now >= rounds.until:
                rounds.until, rounds.at = now + self._settings.rest, []

    def resting(self, now: float) -> frozenset[WorkloadKey]:
        """Where Podium yields."""
        return frozenset(key for key, rounds in self._rounds.items() if now < rounds.until)

    def troubles(self, now: float) -> dict[WorkloadKey, str]:
        """What is to be said of it, for as long as Podium yields or has lost a round lately."""
        out = {}
        for key, rounds in self._rounds.items():
            by = rounds.by or "somebody else"
            if now < rounds.until:
                until = clock.rfc3339(int(rounds.until))
                out[key] = f"{by} overwrites what Podium writes: Podium yields until {until} and writes nothing"
            elif rounds.at and now - rounds.at[-1] < self._settings.window:
                times = "once" if len(rounds.at) == 1 else f"{len(rounds.at)} times"
                out[key] = f"{by} overwrote what Podium had written, {times} lately"
        return out
