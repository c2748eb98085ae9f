"""A stream of lines: the order, the two kinds, what is refused and how it is named."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from tests.loop.evaluate.worlds import (
    Object,
    answer,
    answered,
    external,
    line,
    loads,
    pod,
    pods,
    resource,
    series,
    spec,
)

from podium.loop.evaluate import answers

CPU_50 = resource("cpu", averageUtilization=50)
BUSY: Object = {"replicas": 2, "pods": pods(2), "metrics": {"pods": loads(2, cpu="80m")}}


def test_a_state_answers_proposals_and_a_timeline_what_was_written() -> None:
    state, timeline = answered([line(spec(CPU_50), **BUSY), line(spec(CPU_50), ticks=[{"at": 0, **BUSY}])])
    assert state == {"id": "case", "metrics": [{"replicas": 4, "usage": 80, "utilization": 80}]}
    (tick,) = timeline["ticks"]
    assert tick == {
        "at": 0,
        "replicas": 4,
        "wrote": 4,
        "status": {
            "currentReplicas": 2,
            "desiredReplicas": 4,
            "lastScaleTime": "2000-01-02T00:00:00Z",
            "conditions": [
                {"type": "AbleToScale", "status": "True", "reason": "SucceededRescale"},
                {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"},
                {"type": "ScalingLimited", "status": "False", "reason": "DesiredWithinRange"},
            ],
        },
    }


def test_with_full_the_conditions_speak_and_metrics_are_shown() -> None:
    (tick,) = answer(line(spec(CPU_50), ticks=[{"at": 0, **BUSY}]), full=True)["ticks"]
    words = [condition["message"] for condition in tick["status"]["conditions"]]
    assert words[0] == "the HPA controller was able to update the target scale to 4"
    shown = {"name": "cpu", "current": {"averageValue": "80m", "averageUtilization": 80}}
    assert tick["status"]["currentMetrics"] == [{"type": "Resource", "resource": shown}]


def test_answers_keep_the_order_of_their_lines_whatever_is_asked_together() -> None:
    cases = []
    for number in range(60):
        kind: Object = {"ticks": [{"at": 0, **BUSY}, {"at": 30 + number % 2 * 15}]} if number % 3 else dict(BUSY)
        settings = {"horizontalPodAutoscalerTolerance": 0.1 * (number % 4)}
        cases.append(line(spec(CPU_50), controller=settings, **kind) | {"id": str(number)})
    assert [one["id"] for one in answered(cases)] == [str(number) for number in range(60)]


def test_ticks_left_out_are_reconciled_in_the_world_as_it_is() -> None:
    reconciled = answer(line(spec(CPU_50), tick_seconds=30, ticks=[{"at": 60, **BUSY}, {"at": 180}]))["ticks"]
    assert [tick["at"] for tick in reconciled] == [60, 90, 120, 150, 180]


def test_an_hpa_that_the_api_server_refuses_is_not_run() -> None:
    assert answer(line(spec(CPU_50, least=3, most=2), **BUSY)) == {
        "id": "case",
        "invalid": ["spec.maxReplicas: Invalid value"],
        "metrics": [],
    }


def test_a_closed_gate_drops_tolerances_and_refuses_zero() -> None:
    wide = spec(CPU_50, least=0, behavior={"scaleUp": {"tolerance": "9"}})
    closed: Object = {"HPAConfigurableTolerance": False}
    assert answer(line(wide, **BUSY))["invalid"] == ["spec.minReplicas: Invalid value", "spec.metrics: Forbidden"]
    (metric,) = answer(line(wide | {"minReplicas": 1}, featureGates=closed, **BUSY))["metrics"]
    assert metric["replicas"] == 4


def test_a_container_resource_is_measured_in_its_container_alone() -> None:
    target = {"type": "Utilization", "averageUtilization": 50}
    metric = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "app", "target": target}}
    sidecar = {"name": "proxy", "usage": {"cpu": "900m"}}
    used = loads(2, cpu="80m")
    for one in used:
        one["containers"].append(sidecar)
    (proposed,) = answer(line(spec(metric), **BUSY | {"metrics": {"pods": used}}))["metrics"]
    assert proposed == {"replicas": 4, "usage": 80, "utilization": 80}


WRONG: dict[str, tuple[Any, str]] = {
    "no json": ("{", "line 2: Input data was truncated"),
    "a wrong type": (line(spec(CPU_50), replicas="two"), "line 2: replicas: expected `int | null`, got `str`"),
    "a typing error": (
        line(spec(CPU_50), replcas=2),
        "line 2: replcas: there is no such member; did you mean replicas?",
    ),
    "no hpa": ({"id": "a"}, "line 2: Object missing required field `hpa`"),
    "follow": (
        line(spec(CPU_50), follow={}, ticks=[{"at": 0, "follow": True}]),
        "line 2: ticks[0].follow: only a driver",
    ),
    "followed pods": (
        line(spec(CPU_50), follow={"startupSeconds": 3}, ticks=[{"at": 0}]),
        "line 2: follow: Podium reads",
    ),
    "rival": (
        line(spec(CPU_50), ticks=[{"at": 0}, {"at": 15, "rival": True}]),
        "line 2: ticks[1].rival: only a driver",
    ),
    "fail": (line(spec(CPU_50), ticks=[{"at": 0, "fail": ["scale.get"]}]), "line 2: ticks[0].fail: only a driver"),
    "no tick": (line(spec(CPU_50), ticks=[]), "line 2: ticks: expected at least one"),
    "a crooked tick": (
        line(spec(CPU_50), ticks=[{"at": 0}, {"at": 20}]),
        "line 2: ticks[1].at: expected 15 s, or a multiple, after 0; got 20",
    ),
    "a wrong tick": (
        line(spec(CPU_50), ticks=[{"at": 0}, {"at": "x"}]),
        "line 2: ticks[1].at: expected `int`, got `str`",
    ),
    "a gate": (
        line(spec(CPU_50), featureGates={"HPAScaleToZer": True}),
        "line 2: featureGates.HPAScaleToZer: expected one",
    ),
    "a duration": (
        line(spec(CPU_50), controller={"horizontalPodAutoscalerInitialReadinessDelay": "soon"}),
        "line 2: controller.horizontalPodAutoscalerInitialReadinessDelay: 'soon' is not a duration",
    ),
    "a quantity": (
        line(spec(CPU_50), replicas=1, pods=[pod("a", cpu="lots")], metrics={"pods": [{"metadata": {"name": "a"}}]}),
        "line 2: pods[0].spec.containers[0].resources.requests.cpu: 'lots' is not a quantity",
    ),
    "a quantity in a tick": (
        line(
            spec(external("queue", value="1")),
            ticks=[{"at": 0}, {"at": 15, "metrics": {"external": series("queue", "1 pod")}}],
        ),
        "line 2: ticks[1].metrics.external[0].value: '1 pod' is not a quantity",
    ),
    "a target": (
        line(spec(external("queue", value="much"))),
        "line 2: hpa.spec.metrics[0].external.target.value: 'much'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_line_that_cannot_be_used_is_named_with_its_member(name: str) -> None:
    case, words = WRONG[name]
    text = case if isinstance(case, str) else json.dumps(case)
    with pytest.raises(answers.Invalid) as refused:
        list(answers.answers([json.dumps(line(spec(CPU_50), **BUSY)).encode(), text.encode()], full=False))
    assert str(refused.value).startswith(words)


def test_null_is_what_is_left_out_as_go_writes_it() -> None:
    go = {"pods": [{"metadata": {"name": "p", "labels": None}, "spec": {"containers": None}, "status": None}]}
    nulls = {"controller": None, "featureGates": None, "metrics": None, "statusReplicas": None}
    assert answer(line(spec(CPU_50), **go, **nulls)) == answer(line(spec(CPU_50), pods=[{"metadata": {"name": "p"}}]))


def test_a_long_stream_is_answered_piece_by_piece() -> None:
    text = json.dumps(line(spec(CPU_50), **BUSY)).encode()
    lines = iter([text] * 1000)
    first = next(answers.answers(lines, full=False, at_once=50))
    assert (json.loads(first)["metrics"][0]["replicas"], len(list(lines))) == (4, 950)


def test_the_memory_of_a_stream_does_not_grow_with_its_length() -> None:
    text = json.dumps(line(spec(CPU_50), **BUSY)).encode()

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in answers.answers((text for _ in range(count)), full=False, at_once=50):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(1000) < 1.3 * peak(150)
