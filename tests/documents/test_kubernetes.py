from __future__ import annotations

import pytest
from tests.documents.samples import POLICY, complaints, policy

from podium.documents.kubernetes import DEFAULT_DOWN, DEFAULT_UP, ScalingPolicyRule
from podium.loop.policy import ScalingPolicy

METRICS = """\
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}
  - type: ContainerResource
    containerResource: {name: memory, container: app, target: {type: AverageValue, averageValue: 512Mi}}
  - type: Pods
    pods: {metric: {name: queue, selector: {matchLabels: {a: b}}}, target: {type: AverageValue, averageValue: 30}}
  - type: Object
    object:
      describedObject: {apiVersion: networking.k8s.io/v1, kind: Ingress, name: web}
      metric: {name: hits}
      target: {type: Value, value: 10k}
  - {type: External, external: {metric: {name: backlog}, target: {type: AverageValue, averageValue: "30"}}}
"""


def test_all_five_types_of_metrics_are_read() -> None:
    document = policy(METRICS)
    assert isinstance(document, ScalingPolicy)
    targets = [
        (metric.target.type, metric.target.value or metric.target.average_value) for metric in document.spec.metrics
    ]
    assert targets == [
        ("Utilization", None),
        ("AverageValue", 512 * 2**20 * 1000),
        ("AverageValue", 30_000),
        ("Value", 10_000_000),
        ("AverageValue", 30_000),
    ]


def test_a_policy_names_its_signals_with_their_places() -> None:
    document = policy(METRICS)
    assert isinstance(document, ScalingPolicy)
    assert document.spec.signals == (
        (("spec", "load", "signal"), "requests_per_second"),
        (("spec", "metrics", 2, "pods", "metric", "name"), "queue"),
        (("spec", "metrics", 3, "object", "metric", "name"), "hits"),
        (("spec", "metrics", 4, "external", "metric", "name"), "backlog"),
    )


RESOURCE = "  metrics: [{type: Resource, resource: {name: cpu, target: %s}}]\n"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (RESOURCE % "{type: Utilization}", "averageUtilization: expected a number, because type is Utilization"),
        (RESOURCE % "{type: Utilization, averageUtilization: 0}", "expected a number above 0; got 0"),
        (RESOURCE % "{type: Value, value: 1}", "expected Utilization or AverageValue for a resource"),
        (
            RESOURCE % "{type: Utilization, averageUtilization: 1, value: 1}",
            "nothing here, because type is Utilization",
        ),
        ("  metrics: [{type: Pods}]\n", "the metric's details under pods, because type is Pods"),
        ("  metrics: [{type: Pod}]\n", "External; did you mean Pods?"),
        ("  behavior: {scaleDown: {stabilizationWindowSeconds: 3601}}\n", "a number of at most 3600; got 3601"),
        ("  behavior: {scaleUp: {policies: []}}\n", "a list of at least 1; got an empty list"),
        ("  behavior: {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 1801}]}}\n", "at most 1800"),
        ("  behavior: {scaleUp: {tolerance: -10m}}\n", 'a quantity of at least 0; got "-10m"'),
        ("  behavior: {scaleup: {}}\n", "did you mean scaleUp?"),
    ],
)
def test_what_the_api_server_refuses_is_refused(lines: str, said: str) -> None:
    (complaint,) = complaints(POLICY + lines)
    assert said in complaint


def test_behaviour_left_out_is_autoscaling_v2s_own() -> None:
    document = policy("  behavior: {scaleDown: {policies: [{type: Pods, value: 1, periodSeconds: 60}]}}\n")
    assert isinstance(document, ScalingPolicy)
    assert document.spec.behavior.up == DEFAULT_UP
    assert document.spec.behavior.down.stabilization_window_seconds == 300
    assert document.spec.behavior.down.policies == (ScalingPolicyRule(type="Pods", value=1, period_seconds=60),)
    assert policy().spec.behavior.down == DEFAULT_DOWN  # type: ignore[attr-defined]
