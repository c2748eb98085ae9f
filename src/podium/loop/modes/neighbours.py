"""What one leadership knows of the surroundings of its workloads, and what it does there: pauses, floors, rivals."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import time
from collections.abc import Callable, Collection, Mapping

import numpy as np

from podium.loop.act.carry_out import AT_ONCE, Fate, Result
from podium.loop.clusters.port import Conflict, Observation, Permanent, Temporary
from podium.loop.decide.table import Mode, PolicyTable
from podium.loop.modes import floors, pauses
from podium.loop.modes.contest import Contest
from podium.loop.modes.settings import ContestSettings, FloorSettings
from podium.loop.modes.surroundings import Around, SetFloor, Surroundings
from podium.loop.orders.order import PAUSED, Order, Target
from podium.loop.orders.orders import Orders
from podium.model.command import Scale
from podium.model.decision import Decisions
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Snapshot

LOOK_SECONDS = 60.0  # between two looks for HPAs where none is led: they are named, and nothing hangs on the minute


class Rival(enum.StrEnum):
    """What may be wrong around a workload; the type of the event that says so."""

    CONTESTED = "workload.contested"  # somebody overwrites what Podium writes
    SHARED = "workload.shared"  # an HPA targets what Podium leads
    FLOORLESS = "floor.absent"  # mode floor, and no minimum to raise
    UNASKED = "metric.unasked"  # mode metric, and nobody asks


@dataclasses.dataclass(frozen=True, slots=True)
class FloorResult:
    """A floor's command and its fate, with the cluster's own words where it was not written."""

    command: SetFloor
    fate: Fate
    words: str = ""


class Neighbours:
    """The surroundings of one cluster under one leadership; without `surroundings` nothing is known or done."""

    def __init__(
        self,
        surroundings: Surroundings | None,
        epoch: int,
        deadline_seconds: float,
        floor: FloorSettings,
        contest: ContestSettings,
        *,
        remembered: Collection[str] = (),
        unread: Callable[[WorkloadKey], bool] | None = None,
    ) -> None:
        """`remembered`: namespaces in which earlier turns raised floors. `unread`: whom nobody asks about for long."""
        self._unread = unread
        self._surroundings = surroundings
        self._epoch = epoch
        self._deadline = deadline_seconds
        self._floor = floor
        self._contest = Contest(contest)
        self._around = Around({}, {})
        self._looked = float("-inf")  # by the monotonic clock
        self._remembered = set(remembered)
        self._claimed: set[tuple[str, str]] = set()
        self._paused: Mapping[str, str] | None = {}  # None: it cannot be read now
        self._again = 0.0  # when to ask once more what is written on namespaces, by the monotonic clock
        self._marks: Mapping[WorkloadKey, Mapping[str, str]] = {}
        self._unseen: frozenset[Target] = frozenset()
        self._cut: list[tuple[float, int]] = []  # when floors were lowered, and by how much
        self._planned = floors.Planned((), floors.no_floors(), (), {}, 0)

    async def read(self, table: PolicyTable, fleet: Fleet) -> None:
        """Read what a turn needs to know, beside its look at the workloads; nothing raises.

        What cannot be read stays as it was.
        """
        if self._surroundings is None or not (np.any(table.mode > Mode.RECOMMEND) or self._remembered):
            return
        led = [fleet.slots[slot].key for slot in np.flatnonzero(table.mode == Mode.FLOOR).tolist()]
        spaces = sorted(fleet.by_namespace)
        wanted = {key.namespace for key in led if key} | self._remembered
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            wanted |= set(spaces)
        try:
            async with asyncio.timeout(self._deadline):
                around, _ = await asyncio.gather(self._autoscalers(wanted), self._read_pauses(spaces))
                self._around = _merged(self._around, around, wanted)
                await self._claim(led)
        except TimeoutError:
            self._around = _merged(self._around, Around({}, dict.fromkeys(wanted, "the cluster is too slow")), wanted)

    async def see(self, observation: Observation, fleet: Fleet, now: float) -> None:
        """Take in what the turn at `now` saw of the workloads themselves."""
        self._marks = observation.marks
        unread = [slot for slot, version in enumerate(observation.resource_versions) if not version]
        self._unseen = frozenset(Target("workload", str(fleet.slots[slot].key)) for slot in unread)
        await self._lost(self._contest.overwritten(observation.replicas, observation.resource_versions, fleet), now)

    def orders(self, standing: Orders, cluster: str, now: float) -> list[Order]:
        """The orders that make `standing` say what is written on workloads and namespaces."""
        marked = {key: marks[PAUSED] for key, marks in self._marks.items() if PAUSED in marks}
        written = {Target("workload", str(key)): text for key, text in marked.items()}
        unseen = self._unseen
        if self._paused is None:
            unseen |= {one.target for one in standing.pauses if one.target.of == "namespace"}
        else:
            written |= {Target("namespace", f"{cluster}/{name}"): text for name, text in self._paused.items()}
        return list(pauses.orders(standing, written, unseen, now))

    def plan(self, decisions: Decisions, snapshot: Snapshot, fleet: Fleet, table: PolicyTable) -> floors.Floors:
        """What is to be done with floors after these decisions; `act` does it."""
        now, replicas = snapshot.now, snapshot.replicas
        guards, floored = table.guards, table.mode == Mode.FLOOR
        self._cut = [one for one in self._cut if now - one[0] < guards.reduction_window]
        size = int(np.maximum(replicas, 0)[floored].sum())
        budget = max(int(guards.reduction_fraction * size), 1) - sum(count for _, count in self._cut)
        terms = floors.Terms(
            epoch=self._epoch,
            now=now,
            expires_seconds=self._floor.expires,
            budget=max(budget, 0),
            resting=self._contest.resting(now),
        )
        self._planned = floors.plan(decisions, replicas, fleet, table, self._around, terms)
        self._contest.lost(dict.fromkeys(self._planned.overwritten, "somebody else"), now)
        return self._planned.floors

    def troubles(self, table: PolicyTable, fleet: Fleet, now: float) -> dict[tuple[Rival, WorkloadKey], str]:
        """What is wrong around single workloads, in words."""
        out = {(Rival.FLOORLESS, key): words for key, words in self._planned.troubles.items()}
        out |= {(Rival.CONTESTED, key): words for key, words in self._contest.troubles(now).items()}
        asked_of = np.flatnonzero(table.mode == Mode.METRIC).tolist() if self._unread is not None else []
        for key in [fleet.slots[number].key for number in asked_of]:
            if key is not None and self._unread is not None and self._unread(key):
                out[Rival.UNASKED, key] = "nobody has asked for its metric for long: no HPA follows podium-replicas"
        for key, found in self._around.autoscalers.items():
            slot = fleet.index.get(key)
            if slot is not None and table.mode[slot] == Mode.OWN:
                named = " and ".join(f"{one} ({one.minimum} to {one.maximum} replicas)" for one in found)
                out[Rival.SHARED, key] = f"{named} scales it, too: leave it to one of the two, or let it be mode metric"
        return out

    def withheld(self, key: WorkloadKey, now: float) -> str:
        """Why a workload's replicas must not be written; "" lets them."""
        return "it is contested, and Podium yields" if key in self._contest.resting(now) else ""

    async def paused_since(self, commands: Collection[Scale]) -> str:
        """Why nothing must be written any more: a namespace was paused after it was looked at. "" lets all go.

        Asked right before the writes. A workload's own annotation moves its version, and the server refuses the write.
        """
        spaces = {one.key.namespace for one in commands} | {one.key.namespace for one in self._planned.commands}
        if self._surroundings is None or not spaces or time.monotonic() < self._again:
            return ""
        before = self._paused
        try:
            async with asyncio.timeout(self._deadline):
                found = await self._surroundings.pauses(sorted(spaces))
        except (TimeoutError, Temporary):
            return "whether a namespace was paused meanwhile cannot be read"
        except Permanent:
            return ""  # a right is missing: workloads' own annotations count
        others = {name: text for name, text in (before or {}).items() if name not in spaces}
        self._paused = {**others, **found}
        return "somebody paused a namespace after the decision" if self._paused != (before or {}) else ""

    async def act(self, recheck: Callable[[WorkloadKey], str]) -> tuple[FloorResult, ...]:
        """Write the floors that were planned; `recheck` says why one must not be written any more."""
        if self._surroundings is None or not self._planned.commands:
            return ()
        surroundings, gate = self._surroundings, asyncio.Semaphore(AT_ONCE)

        async def one(command: SetFloor) -> FloorResult:
            async with gate:
                if reason := recheck(command.key):
                    return FloorResult(command, Fate.WITHHELD, reason)
                try:
                    await surroundings.set_floor(command)
                except Conflict as error:
                    return FloorResult(command, Fate.REFUSED, str(error))
                except (Temporary, Permanent) as error:
                    return FloorResult(command, Fate.FAILED, str(error))
                return FloorResult(command, Fate.WRITTEN)

        return tuple(await asyncio.gather(*map(one, self._planned.commands)))

    def wrote(self, results: Collection[Result], floored: Collection[FloorResult], now: float) -> None:
        """What became of the turn's commands."""
        self._contest.wrote(results)
        for one in floored:
            if one.fate is Fate.WRITTEN:
                self._cut.append((now, max(one.command.current - one.command.minimum, 0)))
                self._remembered.add(one.command.key.namespace)

    async def _autoscalers(self, namespaces: Collection[str]) -> Around:
        if self._surroundings is None or not namespaces:
            return Around({}, {})
        try:
            return await self._surroundings.autoscalers(sorted(namespaces))
        except (Temporary, Permanent) as error:
            return Around({}, dict.fromkeys(namespaces, str(error)))

    async def _read_pauses(self, namespaces: Collection[str]) -> None:
        """What is written on namespaces. Where a right is missing it is asked for again after a while."""
        if self._surroundings is None or time.monotonic() < self._again:
            return
        try:
            self._paused = await self._surroundings.pauses(namespaces)
        except Temporary:
            self._paused = None
        except Permanent:
            self._paused, self._again = None, time.monotonic() + LOOK_SECONDS

    async def _claim(self, keys: Collection[WorkloadKey | None]) -> None:
        """Mark the HPAs that may be written to as ours, each once. What is refused is tried again."""
        if self._surroundings is None:
            return
        found = [one for key in keys if key is not None for one in self._around.autoscalers.get(key, ())]
        unclaimed = [one for one in found if (one.namespace, one.name) not in self._claimed and not one.owner]
        moved = []
        for one in unclaimed:
            if one.epoch == self._epoch:
                self._claimed.add((one.namespace, one.name))
            else:
                moved.append(one)
        if moved:
            with contextlib.suppress(Conflict, Temporary, Permanent):
                await self._surroundings.claim(moved, self._epoch)
            # Their versions have moved: what was read of them can be written upon no more.
            spaces = {one.namespace for one in moved}
            self._around = _merged(self._around, await self._autoscalers(spaces), spaces)

    async def _lost(self, overwritten: Collection[WorkloadKey], now: float) -> None:
        """Rounds that somebody won. Who it was is asked of the cluster, and of the HPAs that are known."""
        named = {}
        for key in overwritten:
            hpas = self._around.autoscalers.get(key, ())
            by = " and ".join(map(str, hpas))
            if not by and self._surroundings is not None:
                try:
                    async with asyncio.timeout(self._deadline):
                        by = await self._surroundings.writer(key)
                except TimeoutError:
                    by = ""
            named[key] = by
        self._contest.lost(named, now)


def _merged(before: Around, found: Around, asked: Collection[str]) -> Around:
    """What is known now: new where it was asked for, also where that failed; else as before."""
    failed = set(found.troubles)
    fresh = set(asked) - failed
    kept = {key: hpas for key, hpas in before.autoscalers.items() if key.namespace not in fresh}
    troubles = {name: words for name, words in before.troubles.items() if name not in asked}
    return Around({**kept, **found.autoscalers}, {**troubles, **found.troubles})
