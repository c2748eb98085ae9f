"""The port: where readings come from. Adapters lie beside this file, named after the system they speak to."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple, Protocol, runtime_checkable

from podium.model.arrays import Float64s


class Temporary(Exception):
    """The source was silent, slow or broken. The message names its URL or file and what it said."""


class Late(Temporary):
    """The answer was not there in time. What comes of it later is dropped: a turn sees only its own answers."""


class Garbage(Temporary):
    """The source answered, but what it said cannot be used: not its language, cut off, or admittedly incomplete."""


class Permanent(Exception):
    """The question itself is wrong (a bad query, a missing file or column): asking again will not help."""


class Subject(NamedTuple):
    """What a series measures: a pod (`kind` is `pod`) or a workload (`deployment`, `statefulset` …).

    The kind `workload` stands for a workload whose kind the series does not tell.
    """

    namespace: str
    kind: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One batch of values of one signal, a row per series, as the source gave them: not yet judged.

    A source hands out the same `subjects` object for as long as its series stay the same: the join is then free.
    """

    subjects: tuple[Subject, ...]
    values: Float64s  # NaN and infinities included, where the source said so
    at: Float64s  # when each was measured, Unix seconds
    unplaced: int = 0  # series that name neither a pod nor a workload, and are left out
    notes: tuple[str, ...] = ()  # what the source remarked without taking anything back
    origins: tuple[str, ...] = ()  # per series: "recorded: …" or "synthetic: …"; empty: measured by the source now


class Source(Protocol):
    """One system that measures. `read` answers for the whole fleet at once and is asked once per query and tick."""

    name: str

    async def read(self, query: str, now: float) -> Reading:
        """The newest value of every series of `query` at or before `now`; an empty reading is a valid answer.

        Raises Temporary, Garbage or Permanent. Calls may repeat, and overlap; none changes anything.
        """

    async def close(self) -> None:
        """Release connections and files. May be called again; `read` is not called afterwards."""


@runtime_checkable
class Past(Protocol):
    """A source that remembers: what a loop learns from before its first turn."""

    async def past(self, query: str, at: Float64s, stale_after_seconds: float) -> tuple[tuple[Subject, ...], Float64s]:
        """[m] subjects and their values [t, m] as a `read` at each of `at` would have given them; NaN where missing.

        A value older than `stale_after_seconds` then is missing. Raises Temporary, Garbage or Permanent.
        """
