"""The fleet now: what one turn of the loop observed, as arrays. These are the recorded inputs of every decision."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import Bools, Float64s, Int32s, Int64s

Int8s = NDArray[np.int8]


class Phase(enum.IntEnum):
    """A pod's `status.phase`, and GONE for a sample whose pod is no more."""

    PENDING = 0
    RUNNING = 1
    SUCCEEDED = 2
    FAILED = 3
    UNKNOWN = 4
    GONE = 5


class Ready(enum.IntEnum):
    """A pod's Ready condition; ABSENT where the pod has none yet."""

    FALSE = 0
    TRUE = 1
    UNKNOWN = 2
    ABSENT = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Samples:
    """One metric, a row per pod: thousandths of its unit, and when and over which window it was measured (seconds)."""

    milli: Int64s
    at: Float64s  # NaN: there is no sample
    window: Float64s


@dataclasses.dataclass(frozen=True, slots=True)
class Pods:
    """All pods of the fleet, one row each, in any order."""

    slot: Int32s
    phase: Int8s
    ready: Int8s
    deleting: Bools
    start: Float64s  # NaN: no start time yet
    transition: Float64s  # of the Ready condition
    requests: dict[str, Int64s]  # resource -> thousandths; UNKNOWN where a container has none
    samples: dict[str, Samples]  # metric -> samples

    def __len__(self) -> int:
        return len(self.slot)


@dataclasses.dataclass(frozen=True, slots=True)
class Level:
    """One signal over the fleet, a row per slot."""

    value: Float64s  # in the signal's unit; NaN: unknown
    at: Float64s  # when it was measured; NaN: never
    source: Int32s  # index into `Snapshot.sources`; UNKNOWN: nobody measures it here


class Holds(enum.IntEnum):
    """What became of the condition of a rule."""

    NO = 0
    YES = 1
    UNKNOWN = 2  # a signal that it reads is unknown, or it cannot be answered
    TOO_LONG = 3  # it took too long and was stopped


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """What held at the moment beside what was measured. Recorded with it: a replay needs neither cron nor CEL."""

    windows: Float64s  # [w] until when each window of the policy table holds, Unix seconds; NaN: it does not hold now
    rules: Int8s  # [r] Holds, of each rule row of the policy table
    announced: Float64s = dataclasses.field(default_factory=lambda: np.empty(0))
    """[a] load that each announced event brings, if it is to be prepared for now; 0: it is not known how much. NaN: it
    is not."""


def nothing_held() -> Held:
    """No window and no rule was looked at."""
    return Held(np.empty(0), np.empty(0, np.int8))


@dataclasses.dataclass(frozen=True, slots=True)
class Room:
    """What bounds workloads from outside their policies, for n slots. Empty: nobody looked, or nothing is bounded."""

    quota: Int64s  # [n] more pods that the quotas of the namespace allow; UNKNOWN: no bound is known
    budget: Int64s  # [n] pods that a disruption budget wants to be available; UNKNOWN: it names no number
    unplaced: Int64s  # [n] pods that no node has had room for, for minutes


def no_room() -> Room:
    """Nothing is bounded."""
    return Room(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known at `now`, a row per slot of the fleet (n slots, p pods)."""

    now: float
    sources: tuple[str, ...]
    answered: Bools  # per source: did it answer this time?
    replicas: Int64s  # spec.replicas of the scale; UNKNOWN: not observed
    status_replicas: Int64s  # status.replicas of the scale
    written: Int64s  # replicas that the last turn's command wrote; UNKNOWN: none was carried out
    written_from: Int64s  # what it replaced
    pods: Pods
    signals: dict[str, Level]
    held: Held = dataclasses.field(default_factory=nothing_held)
    room: Room = dataclasses.field(default_factory=no_room)


def no_pods() -> Pods:
    """A fleet without a pod."""
    return Pods(
        slot=np.empty(0, np.int32),
        phase=np.empty(0, np.int8),
        ready=np.empty(0, np.int8),
        deleting=np.empty(0, np.bool_),
        start=np.empty(0),
        transition=np.empty(0),
        requests={},
        samples={},
    )
