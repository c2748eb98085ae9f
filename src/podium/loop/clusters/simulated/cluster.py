"""The port over the simulated world: reads in one consistent turn, refuses writes where the API server would."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from podium.loop.clusters.port import Conflict, Observation, Permanent, StaleLeader
from podium.loop.clusters.simulated.reading import Reader
from podium.loop.clusters.simulated.shape import WorldShape
from podium.loop.clusters.simulated.store import WorldFile, Write
from podium.loop.clusters.simulated.world import World
from podium.model.clock import Clock
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

Load = Callable[[WorkloadKey, float], float | None]  # (workload, Unix seconds) -> the load it truly gets; None: unknown

_SAVED_EVERY = 200  # writes between two saved states: replaying them at start takes some ten milliseconds
_MOST_REPLICAS = 10_000  # of one workload: a slip of the keyboard must not fill the memory


class SimulatedCluster:
    """One simulated cluster. `path` keeps it across restarts; without it the world lives as long as this object.

    `load` says what each workload truly receives, whatever sources may claim. Raises Permanent for an unusable file.
    """

    def __init__(
        self, name: str, shape: WorldShape, *, clock: Clock, load: Load | None = None, path: Path | None = None
    ) -> None:
        self.name = name
        self.containers: frozenset[str] = frozenset()
        self._clock = clock
        self._reader = Reader(name, shape, load)
        self._file = WorldFile(path)
        self._shape = shape
        self._seq = self._saved = 0
        self._certain = True  # whether memory and file are known to agree
        try:
            with self._file.turn():
                self._world = self._load_or_begin()
        except BaseException:
            self._file.close()
            raise

    async def observe(self, fleet: Fleet) -> Observation:
        """See the port."""
        with self._turn():
            return self._reader.observation(self._world, fleet, self.containers)

    async def claim(self, keys: Sequence[WorkloadKey], epoch: int) -> None:
        """See the port. Unknown workloads are Permanent; a refusal leaves all workloads as they were."""
        numbers = {key: self._number(key) for key in keys}
        with self._turn():
            claimed = {key: int(self._world.epochs[number]) for key, number in numbers.items()}
            refusals = {key: _outdated(key, epoch, before) for key, before in claimed.items() if epoch < before}
            for key, before in claimed.items():
                if key in refusals or (not refusals and epoch > before):
                    self._record("claim", key, epoch, before=before, after=epoch, refusal=refusals.get(key))
        for refusal in refusals.values():
            raise refusal

    async def scale(self, command: Scale) -> str:
        """See the port."""
        key, number = command.key, self._number(command.key)
        _check_range(key, command.replicas)
        with self._turn():
            before = int(self._world.replicas[number])
            refusal = self._refusal(command, number)
            self._record("scale", key, command.epoch, before=before, after=command.replicas, refusal=refusal)
            version = self._world.version(number)
        if refusal:
            raise refusal
        return str(version)

    async def edit(self, key: WorkloadKey, replicas: int) -> None:
        """What a person does with `kubectl scale`: no precondition, no epoch."""
        number = self._number(key)
        _check_range(key, replicas)
        with self._turn():
            self._record("edit", key, 0, before=int(self._world.replicas[number]), after=replicas)

    def writes(self) -> list[Write]:
        """The world's record of every write, accepted or refused, oldest first."""
        with self._turn():
            return [write for _, write in self._file.writes()]

    async def close(self) -> None:
        """Save the world and let its file go."""
        with self._turn():
            self._save()
        self._file.close()

    def _load_or_begin(self) -> World:
        position, saved = self._file.position(), self._file.load()
        if saved is not None:
            self._seq, columns = saved
            self._saved = self._seq
            return World.restored(self._shape, columns)
        world = World.begin(self._shape, self._clock() if position is None else position)
        self._file.move(world.at)
        self._file.save(0, world.columns())
        return world

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the world alone, at the present, with everybody's writes taken in. Time never runs backwards."""
        try:
            with self._file.turn():
                self._catch_up()
                yield
                if self._seq - self._saved >= _SAVED_EVERY:
                    self._save()
        except BaseException:
            self._certain = False  # the file kept nothing of this turn: read it again before the next
            raise

    def _catch_up(self) -> None:
        if not self._certain:
            self._world = self._load_or_begin()
            self._certain = True
        for seq, write in self._file.writes(self._seq):
            self._carry_out(seq, write)
        now = max(self._clock(), self._file.position() or 0.0)
        self._file.move(now)
        self._world.advance(now)

    def _save(self) -> None:
        self._file.save(self._seq, self._world.columns())
        self._saved = self._seq

    def _record(
        self, action: str, key: WorkloadKey, epoch: int, *, before: int, after: int, refusal: Conflict | None = None
    ) -> None:
        write = Write(
            at=self._world.at,
            action=action,
            workload=str(key),
            epoch=epoch,
            before=before,
            after=after,
            refusal=str(refusal or ""),
        )
        self._carry_out(self._file.record(write), write)

    def _carry_out(self, seq: int, write: Write) -> None:
        self._seq = seq
        number = self._world.index.get(WorkloadKey.parse(write.workload))
        if number is None or write.refusal:
            return
        self._world.advance(write.at)
        if write.action == "claim":
            self._world.claim(number, write.after)
        else:
            self._world.set_replicas(number, write.after)

    def _number(self, key: WorkloadKey) -> int:
        number = self._world.index.get(key)
        if number is None:
            raise Permanent(f"{key} does not exist in the simulated cluster {self.name}")
        return number

    def _refusal(self, command: Scale, number: int) -> Conflict | None:
        key = command.key
        claimed = int(self._world.epochs[number])
        if command.epoch < claimed:
            return _outdated(key, command.epoch, claimed)
        version = str(self._world.version(number))
        if version != command.resource_version:
            return Conflict(f"{key}: has changed since it was read (version {command.resource_version}, now {version})")
        return None


def _outdated(key: WorkloadKey, epoch: int, claimed: int) -> StaleLeader:
    return StaleLeader(f"{key}: is claimed by epoch {claimed}, later than {epoch}")


def _check_range(key: WorkloadKey, replicas: int) -> None:
    if not 0 <= replicas <= _MOST_REPLICAS:
        raise Permanent(f"{key}: replicas {replicas} is out of range; expected 0 to {_MOST_REPLICAS}")
