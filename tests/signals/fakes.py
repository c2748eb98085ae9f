"""Fleets, pods and a scripted source for the tests of signals."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Phase, Pods, Ready
from podium.signals.placement import PodRows
from podium.signals.source import Reading, Subject

NOW = 1_800_000_000.0


def fleet_of(*names: str) -> Fleet:
    """`shop/web` -> local/shop/deployment.apps/web, in slots in that order."""
    fleet = Fleet()
    for name in names:
        fleet = fleet.revised({**dict.fromkeys(fleet.index, ""), WorkloadKey("local", *key_parts(name)): ""})
    return fleet


def key_parts(name: str) -> tuple[str, str, str, str]:
    namespace, _, workload = name.partition("/")
    return namespace, "deployment", "apps", workload


def pods_of(*rows: tuple[int, str, str], since: float = NOW - 3600) -> PodRows:
    """(slot, namespace, name) per pod, all Running and Ready since an hour."""
    size = len(rows)
    return PodRows(
        Pods(
            slot=np.array([slot for slot, _, _ in rows], np.int32),
            phase=np.full(size, Phase.RUNNING, np.int8),
            ready=np.full(size, Ready.TRUE, np.int8),
            deleting=np.zeros(size, np.bool_),
            start=np.full(size, since),
            transition=np.full(size, since),
            requests={},
            samples={},
        ),
        tuple((namespace, name) for _, namespace, name in rows),
    )


def reading_of(*rows: tuple[str, str, str, float], at: float = NOW) -> Reading:
    """(namespace, kind, name, value) per series, all measured at one moment."""
    subjects = tuple(Subject(namespace, kind, name) for namespace, kind, name, _ in rows)
    return Reading(subjects, np.array([value for *_, value in rows], np.float64), np.full(len(rows), at))


class Scripted:
    """A source that answers, raises or sleeps as its script says, and counts how often it was asked."""

    def __init__(self, name: str, answers: dict[str, Reading | Exception | float]) -> None:
        self.name = name
        self.answers = answers
        self.asked: list[str] = []

    async def read(self, query: str, now: float) -> Reading:
        self.asked.append(query)
        answer = self.answers[query]
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return reading_of()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.asked.append("close")


def values(numbers: Sequence[float]) -> list[float | None]:
    """NaN as None, so that whole lists compare."""
    return [None if np.isnan(number) else float(number) for number in numbers]
