from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.scenes import FLEET, WEB, policies

from podium.loop.decide.table import Guards, MetricKind, Mode, PolicyTable, Reactive, Select
from podium.loop.tabulate import Limits, Policies, tabulate
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

EVERYTHING = """\
  mode: own
  pause: down
  metrics:
    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}
    - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 64Mi}}}
    - type: ContainerResource
      containerResource: {name: cpu, container: app, target: {type: Utilization, averageUtilization: 70}}
    - {type: Pods, pods: {metric: {name: jobs}, target: {type: AverageValue, averageValue: 250m}}}
    - {type: External, external: {metric: {name: queue}, target: {type: Value, value: 100}}}
    - {type: External, external: {metric: {name: queue}, target: {type: AverageValue, averageValue: 10}}}
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 30
      selectPolicy: Min
      tolerance: 50m
      policies: [{type: Pods, value: 3, periodSeconds: 60}]
  objective: {unservedFraction: 0.005}
  forecast: {leadTime: 90s}
"""


def table(spec: str = EVERYTHING, **others: object) -> PolicyTable:
    return tabulate(dataclasses.replace(policies(spec), **others), FLEET)  # type: ignore[arg-type]


def test_policies_come_back_from_the_ledger_with_the_digest_they_had() -> None:
    written = dataclasses.replace(
        policies(EVERYTHING),
        guards=Guards(reduction_fraction=0.3),
        reactive=Reactive(tolerance=0.2),
        limits=Limits(maximum=7, mode="floor"),
    )
    read = Policies.from_json(written.to_json())
    assert (read.digest(), read.guards, read.reactive, read.limits) == (
        written.digest(),
        written.guards,
        written.reactive,
        written.limits,
    )
    assert read.documents[WEB].spec == written.documents[WEB].spec


def test_the_digest_tells_policies_apart_and_not_their_order() -> None:
    one, other = policies(), policies("  mode: own\n  pause: up\n")
    api = WorkloadKey("local", "shop", "deployment", "apps", "api")
    both = Policies({WEB: one.documents[WEB], api: one.documents[WEB]})
    turned = Policies({api: one.documents[WEB], WEB: one.documents[WEB]})
    assert one.digest() != other.digest()
    assert one.digest() != dataclasses.replace(one, guards=Guards(fall=0.4)).digest()
    assert both.digest() == turned.digest()


def test_an_empty_behavior_is_not_the_same_as_none() -> None:
    kept = Policies.from_json(policies("  behavior: {}\n").to_json())
    assert (tabulate(kept, FLEET).behaved.tolist(), table("  mode: own\n").behaved.tolist()) == ([True], [False])


def test_every_metric_becomes_its_calculation() -> None:
    groups = [(one.kind, one.signal, one.targets.tolist(), one.position.tolist()) for one in table().metrics]
    assert sorted(groups) == sorted(
        [
            (MetricKind.UTILISATION, "cpu", [60], [0]),
            (MetricKind.AVERAGE, "memory", [64 * 2**20 * 1000], [1]),
            (MetricKind.UTILISATION, "cpu@app", [70], [2]),
            (MetricKind.AVERAGE, "jobs", [250], [3]),
            (MetricKind.VALUE, "queue", [100_000], [4]),
            (MetricKind.AVERAGE_VALUE, "queue", [10_000], [5]),
            (MetricKind.LOAD, "requests_per_second", [85_000], [6]),
        ]
    )


def test_one_signal_used_twice_in_one_way_keeps_both_targets() -> None:
    queue = "    - {type: External, external: {metric: {name: queue}, target: {type: Value, value: %d}}}\n"
    rules = table("  metrics:\n" + queue % 100 + queue % 200)
    uses = [(one.targets.tolist(), one.position.tolist()) for one in rules.metrics if one.kind is MetricKind.VALUE]
    assert uses == [([100_000], [0]), ([200_000], [1])]


def test_behavior_is_filled_in_as_the_api_server_does() -> None:
    rules = table()
    up, down = rules.up, rules.down
    assert (up.window[0], up.select[0], up.tolerance[0], up.longest[0]) == (30.0, Select.MIN, 0.05, 60.0)
    assert (up.percent.tolist(), up.value.tolist(), up.period.tolist()) == ([False], [3], [60.0])
    assert (down.window[0], down.select[0], down.tolerance[0], down.longest[0]) == (300.0, Select.MAX, 0.1, 15.0)
    assert (down.percent.tolist(), down.value.tolist()) == ([True], [100])


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), (2, 60, Mode.OWN)),
        (Limits(minimum=5, maximum=20, mode="recommend"), (5, 20, Mode.RECOMMEND)),
        (Limits(maximum=1), (1, 1, Mode.OWN)),
        (Limits(minimum=90), (90, 90, Mode.OWN)),
    ],
)
def test_the_installations_limits_stand_around_a_policys_own(limits: Limits, expected: tuple[int, int, Mode]) -> None:
    rules = table(limits=limits)
    assert (rules.minimum[0], rules.maximum[0], rules.mode[0]) == expected


def test_slots_without_a_policy_are_left_alone() -> None:
    lonely = Fleet().revised({WEB: "shop", WorkloadKey("local", "shop", "deployment", "apps", "zoo"): "shop"})
    rules = tabulate(policies(), lonely.revised({WEB: "shop"}))
    assert rules.mode.tolist() == [Mode.OWN, -1]
    assert np.isnan(rules.capacity[1])
    assert (rules.forecast.tolist(), rules.load) == ([True, False], ("requests_per_second", ""))


def test_an_objective_asks_for_its_quantile() -> None:
    rules = table()
    assert (rules.level[0], rules.lead[0], rules.pause_down[0]) == (0.95, 90.0, True)


def test_a_fleet_of_nobody_has_an_empty_table() -> None:
    rules = tabulate(Policies({}), Fleet())
    assert (len(rules), rules.metrics, rules.up.slots.shape) == (0, (), (0,))


def test_dependencies_are_looked_at_where_they_are() -> None:
    api = WorkloadKey("local", "shop", "deployment", "apps", "api")
    spec = """\
  dependencies:
    - {signal: database-errors, below: 0.05}
    - {signal: database-errors, below: 0.5, targetRef: {apiVersion: apps/v1, kind: Deployment, name: api}}
    - {signal: latency, below: 2, targetRef: {apiVersion: apps/v1, kind: Deployment, name: gone}}
"""
    (group,) = tabulate(policies(spec), Fleet().revised({WEB: "", api: ""})).dependencies
    web, other = (Fleet().revised({WEB: "", api: ""}).index[key] for key in (WEB, api))
    rows = (group.slots.tolist(), group.of.tolist(), group.below.tolist(), group.position.tolist())
    assert (group.signal, *rows) == ("database-errors", [web, web], [web, other], [0.05, 0.5], [0, 1])
