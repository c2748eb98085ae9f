"""HPAs become policies that say the same, and say where each field comes from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.loop.adopt.manifests import adopted, hpa, made, said

from podium.loop.adopt.adoption import policy_of
from podium.loop.adopt.original import Original

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
RPS = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "10"}}}


def test_an_hpa_is_a_policy_in_its_own_words() -> None:
    behavior = {
        "scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]}
    }
    one = adopted(hpa(minReplicas=2, metrics=[CPU], behavior=behavior))
    assert one.policy["spec"] == {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "mode": "recommend",
        "replicas": {"min": 2, "max": 10},
        "metrics": [CPU],
        "behavior": behavior,
        "load": {"signal": "web-cpu"},
    }
    assert one.documents[0]["spec"] == {"unit": "cores", "cluster": {"resource": "cpu"}}
    assert one.lost == ()
    assert one.origins["replicas", "min"] == "HPA web spec.minReplicas"


def test_what_the_api_server_means_by_silence_is_written_out() -> None:
    spec = adopted(hpa()).policy["spec"]
    assert spec["replicas"] == {"min": 1, "max": 10}
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 80
    assert "behavior" not in spec  # an HPA without one is limited otherwise than one with an empty one


def test_one_without_a_forecast_has_neither_load_nor_signal() -> None:
    one = adopted(hpa(metrics=[CPU]), forecast=False)
    assert len(one.documents) == 1
    assert one.policy["spec"]["forecast"] == {"enabled": False}
    assert policy_of(one).spec.load is None


def v1(**annotations: Any) -> Original:
    spec = {
        "scaleTargetRef": {"apiVersion": "extensions/v1beta1", "kind": "Deployment", "name": "web"},
        "maxReplicas": 5,
        "targetCPUUtilizationPercentage": 70,
    }
    notes = {f"autoscaling.alpha.kubernetes.io/{name}": json.dumps(value) for name, value in annotations.items()}
    return made("autoscaling/v1", "HorizontalPodAutoscaler", "web", spec, annotations=notes)


def test_version_1_is_read_with_what_it_keeps_in_annotations() -> None:
    memory = {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "1Gi"}}
    pods = {"type": "Pods", "pods": {"metricName": "rps", "targetAverageValue": "10"}}
    behavior = {"ScaleDown": {"StabilizationWindowSeconds": 90, "SelectPolicy": "Min", "Policies": None}}
    one = adopted(v1(metrics=[memory, pods], behavior=behavior), signals=("rps",))
    spec = one.policy["spec"]
    assert spec["targetRef"]["apiVersion"] == "apps/v1"
    assert [metric["type"] for metric in spec["metrics"]] == ["Resource", "Resource", "Pods"]
    assert spec["metrics"][1]["resource"]["target"] == {"type": "AverageValue", "averageValue": "1Gi"}
    assert spec["metrics"][2] == RPS
    assert spec["behavior"] == {"scaleDown": {"stabilizationWindowSeconds": 90, "selectPolicy": "Min"}}


def test_a_metric_that_nothing_measures_is_named_and_keeps_it_from_being_handed_over() -> None:
    one = adopted(hpa(metrics=[CPU, RPS]))
    assert said(one) == {"spec.metrics[1]": True}
    assert one.held_back == (
        "HPA web spec.metrics[1]: Pods metric rps: no Signal of this name measures it yet; write one, and adopt again",
    )
    assert adopted(hpa(metrics=[CPU, RPS]), signals=("rps",)).held_back == ()


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"minReplicas": 0, "metrics": [CPU]}, "spec.minReplicas"),
        (
            {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {}}}]},
            "spec.metrics[0].resource.target",
        ),
        ({"metrics": [{"type": "Weather"}]}, "spec.metrics[0]"),
        ({"metrics": [CPU], "wings": 2}, "spec.wings"),
        ({"metrics": [CPU], "behavior": {"scaleUp": {"colour": "red"}}}, "spec.behavior.scaleUp.colour"),
    ],
)
def test_nothing_is_dropped_in_silence(spec: dict[str, Any], field: str) -> None:
    assert said(adopted(hpa(**spec))) == {field: True}


def test_a_selector_is_said_to_be_the_signals_own() -> None:
    metric = {"name": "queue", "selector": {"matchLabels": {"name": "a"}}}
    external = {"type": "External", "external": {"metric": metric, "target": {"type": "Value", "value": "30"}}}
    one = adopted(hpa(metrics=[external]), signals=("queue",))
    assert said(one) == {"spec.metrics[0].external.metric.selector": True}
    assert one.policy["spec"]["metrics"][0]["external"]["metric"] == {"name": "queue"}


def test_an_hpa_that_no_policy_can_say_is_refused_with_why() -> None:
    one = adopted(hpa(minReplicas=20, metrics=[CPU]))
    assert one.refused == "no policy can say this: spec.replicas.min: expected at most max, which is 10; got 20"
