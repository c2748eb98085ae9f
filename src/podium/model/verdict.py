"""Verdicts: did a command do what was expected of it, and by when?"""

from __future__ import annotations

import dataclasses
import enum

from podium.model.identity import WorkloadKey


class Outcome(enum.StrEnum):
    """How an expectation ended."""

    REACHED = "reached"  # as many pods were ready as asked for
    LATE = "late"  # the deadline passed first


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """`replicas` pods of a workload ready by `deadline` (Unix seconds), because of the command written at `since`."""

    key: WorkloadKey
    replicas: int
    before: int
    since: float
    deadline: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The end of an expectation at `at`, with the ready pods seen then."""

    expectation: Expectation
    outcome: Outcome
    at: float
    ready: int
