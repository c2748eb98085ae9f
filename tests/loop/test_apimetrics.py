"""Metrics that no Signal measures: which questions they become, and when two of one name are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium import kinds
from podium.documents.problem import Invalid
from podium.loop import apimetrics
from podium.loop.policy import ScalingPolicy
from podium.loop.settings import ClusterSettings
from podium.settings import Settings
from podium.signals.metrics_api import Metric
from podium.signals.settings import SourceSettings

POLICY = """\
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  replicas: {{min: 1, max: 9}}
  metrics:
{metrics}
---
"""
QUEUE = "  - {type: External, external: {metric: {name: queue%s}, target: {type: AverageValue, averageValue: '5'}}}\n"
PODS = "  - {type: Pods, pods: {metric: {name: queue%s}, target: {type: AverageValue, averageValue: '5'}}}\n"
OBJECT = (
    "  - {type: Object, object: {describedObject: {apiVersion: networking.k8s.io/v1, kind: Ingress, name: front},"
    " metric: {name: hits}, target: {type: Value, value: '5'}}}\n"
)
SELECTOR = (
    ", selector: {matchLabels: {q: a}, matchExpressions: [{key: t, operator: In, values: [x, v]},"
    " {key: old, operator: DoesNotExist}, {key: z, operator: NotIn, values: [w]}, {key: e, operator: Exists}]}"
)
SIGNAL = """\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {name: queue, namespace: shop}
spec: {unit: count, prometheus: {query: q}}
"""
REAL = Settings(
    clusters=(ClusterSettings(name="local", kind="kubernetes"),),
    sources=(SourceSettings(name="p", kind="prometheus", url="http://p"),),
)


def problems(tmp_path: Path, text: str, settings: Settings | None = REAL) -> str:
    """What is wrong with some documents; "" when nothing is."""
    (tmp_path / "shop.yaml").write_text(text)
    try:
        kinds.folder(tmp_path, settings).load()
    except Invalid as invalid:
        return str(invalid)
    return ""


def policy(metrics: str, name: str = "web") -> str:
    return POLICY.format(name=name, metrics=metrics)


def test_a_metric_becomes_the_question_that_an_hpa_would_ask(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        policy(QUEUE % SELECTOR + OBJECT) + policy(PODS % "", "cart").replace("queue", "busy")
    )
    policies = kinds.folder(tmp_path, REAL).load().of(ScalingPolicy)
    bound = apimetrics.bound(policies, (), "local/metrics", "local")
    assert {one.query for one in bound} == {
        Metric(
            type="External", namespace="shop", name="queue", of=("deployment", "web"),
            selector="q=a,t in (x,v),!old,z notin (w),e",
        ).query(),
        Metric(
            type="Object", namespace="shop", name="hits", of=("deployment", "web"),
            object=("networking.k8s.io", "Ingress", "front"),
        ).query(),
        Metric(type="Pods", namespace="shop", name="busy").query(),
    }  # fmt: skip
    assert {(one.name, one.of, one.source, one.cluster) for one in bound} == {
        ("queue", "workloads", "local/metrics", "local"),
        ("hits", "workloads", "local/metrics", "local"),
        ("busy", "pods", "local/metrics", "local"),
    }


def test_what_a_signal_measures_is_not_asked_of_the_cluster(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(policy(QUEUE % "") + SIGNAL)
    policies = kinds.folder(tmp_path, REAL).load().of(ScalingPolicy)
    assert apimetrics.bound(policies, {("shop", "queue")}, "local/metrics", "local") == ()


def test_two_workloads_may_ask_for_other_series_of_one_metric(tmp_path: Path) -> None:
    other = ", selector: {matchLabels: {q: b}}"
    assert problems(tmp_path, policy(QUEUE % SELECTOR) + policy(QUEUE % other, "cart")) == ""


@pytest.mark.parametrize(
    "text",
    [
        policy(QUEUE % "" + QUEUE % SELECTOR),
        policy(QUEUE % "" + PODS % ""),
        policy(PODS % "") + policy(PODS % SELECTOR, "cart"),
        policy(PODS % "") + policy(QUEUE % "", "cart"),
    ],
)
def test_two_questions_of_one_name_are_refused(tmp_path: Path, text: str) -> None:
    assert "expected a name that no other metric has here, or a Signal" in problems(tmp_path, text)


def test_a_name_like_that_of_a_signal_is_taken_for_a_slip(tmp_path: Path) -> None:
    text = policy(QUEUE % "").replace("queue", "quueue") + SIGNAL
    assert "did you mean queue?; got quueue" in problems(tmp_path, text)


def test_beside_a_signal_a_selector_is_refused(tmp_path: Path) -> None:
    assert "the query of the Signal queue" in problems(tmp_path, policy(QUEUE % SELECTOR) + SIGNAL)


def test_where_no_cluster_is_real_every_metric_is_a_signal(tmp_path: Path) -> None:
    said = problems(tmp_path, policy(QUEUE % ""), Settings())
    assert "spec.metrics[0].external.metric.name: expected the name of a Signal in namespace shop; got queue" in said
