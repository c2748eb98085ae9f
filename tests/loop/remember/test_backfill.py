"""What is learned of the past: whose series it is, and what of it counts."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from tests.signals.fakes import NOW, Scripted, fleet_of

from podium.loop.remember.backfill import backfill
from podium.model.arrays import Float64s
from podium.model.fleet import Fleet
from podium.signals.bound import BoundSignal
from podium.signals.source import Permanent, Subject

NAN = float("nan")


class Outlook:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.steps: list[tuple[float, list[float]]] = []

    def step(self, now: float, loads: Float64s, lead: Float64s, *asked: object) -> None:
        self.steps.append((now, loads.tolist()))


@dataclasses.dataclass
class Memory:
    fleet: Fleet
    outlook: Outlook = dataclasses.field(default_factory=Outlook)


@dataclasses.dataclass
class Table:
    load: tuple[str, ...]
    risk: None = None
    capacity: None = None
    announced: None = None

    def __len__(self) -> int:
        return len(self.load)


class Remembering(Scripted):
    """A source that says the same rows at every moment."""

    def __init__(self, *series: tuple[Subject, float]) -> None:
        super().__init__("prom", {})
        self.series = series

    async def past(self, query: str, at: Float64s, stale: float) -> tuple[tuple[Subject, ...], Float64s]:
        self.asked.append(query)
        if query == "wrong":
            raise Permanent("no such metric")
        return tuple(who for who, _ in self.series), np.tile([value for _, value in self.series], (len(at), 1))


async def learned(source: Remembering, *signals: BoundSignal) -> tuple[list[float], float]:
    """What was learned at the last of three minutes for [web, db, other/web], and how many seconds were."""
    memory: Any = Memory(fleet_of("shop/web", "shop/db", "other/web"))
    table: Any = Table(("load", "load", "load"))
    seconds = await backfill(memory, table, {"prom": source}, signals, np.full(3, 60.0), NOW - 180, NOW)
    assert [at for at, _ in memory.outlook.steps] == [NOW - 180, NOW - 120, NOW - 60]
    return memory.outlook.steps[-1][1], seconds


def load(**changed: Any) -> BoundSignal:
    asked = {"namespace": "shop", "name": "load", "source": "prom", "query": "load", "unit": "per_second"} | changed
    return BoundSignal(**asked)


def of(kind: str, name: str, namespace: str = "shop") -> Subject:
    return Subject(namespace, kind, name)


async def test_each_workload_learns_its_own_series_of_its_own_namespace() -> None:
    source = Remembering(
        (of("deployment", "web"), 5.0), (of("deployment", "web", "other"), 7.0), (of("pod", "db"), 9.0)
    )
    found, seconds = await learned(source, load())
    np.testing.assert_equal(found, [5.0, NAN, NAN])
    assert seconds == 180


async def test_a_workload_whose_kind_nobody_says_is_found_by_its_name() -> None:
    found, _ = await learned(Remembering((of("workload", "web"), 5.0), (of("statefulset", "db"), 1.0)), load())
    np.testing.assert_equal(found, [5.0, NAN, NAN])


async def test_several_series_of_a_workload_are_reduced_as_the_signal_says() -> None:
    web = of("deployment", "web")
    rows = (web, 2.0), (web, 4.0), (web, NAN)
    found = [(await learned(Remembering(*rows), load(reduce=how)))[0][0] for how in ("sum", "mean", "max")]
    assert found == [6.0, 3.0, 4.0]


async def test_what_is_no_measurement_is_not_learned() -> None:
    web, db = of("deployment", "web"), of("deployment", "db")
    found, seconds = await learned(Remembering((web, -1.0), (db, np.inf)), load())
    np.testing.assert_equal((found, seconds), ([NAN, NAN, NAN], 0.0))
    ratio, _ = await learned(Remembering((web, -1.0)), load(unit="ratio"))
    np.testing.assert_equal(ratio, [-1.0, NAN, NAN])


async def test_the_past_has_a_question_of_its_own_where_pods_are_gone() -> None:
    source = Remembering((of("deployment", "web"), 5.0))
    await learned(source, load(past_query="by workload"))
    assert set(source.asked) == {"by workload"}


async def test_a_source_that_refuses_leaves_the_others_their_past() -> None:
    source = Remembering((of("deployment", "web", "other"), 7.0))
    found, _ = await learned(source, load(query="wrong"), load(namespace="other"))
    np.testing.assert_equal(found, [NAN, NAN, 7.0])
