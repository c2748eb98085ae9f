from __future__ import annotations

import pytest
from tests.documents.samples import POLICY, SIGNAL, complaints, policy

from podium.documents.collection import gather
from podium.documents.loading import loads
from podium.documents.problem import Invalid
from podium.kinds import KINDS
from podium.loop import checks
from podium.loop.policy import ScalingPolicy
from podium.model.identity import WorkloadKey


def test_defaults_touch_nothing_and_ask_for_three_nines() -> None:
    document = policy()
    assert isinstance(document, ScalingPolicy)
    spec = document.spec
    assert (spec.mode, spec.pause, spec.requests.mode, spec.forecast.lead_time) == (
        "recommend",
        "none",
        "recommend",
        "learned",
    )
    assert spec.objective.unserved_fraction == 0.001


@pytest.mark.parametrize("mode", ["recommend", "metric", "floor", "own"])
def test_every_way_in_can_be_asked_for(mode: str) -> None:
    assert policy(f"  mode: {mode}\n").spec.mode == mode  # type: ignore[attr-defined]


def test_a_policy_speaks_of_a_workload_of_its_own_namespace() -> None:
    document = policy()
    assert isinstance(document, ScalingPolicy)
    assert document.workload("local") == WorkloadKey("local", "shop", "deployment", "apps", "web")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "  objective: {unservedFraction: 0.1, latency: {quantile: 0.9, below: 1s}}\n",
            "because the objective is unservedFraction",
        ),
        ("  objective: {latency: {quantile: 1, below: 250ms}}\n", "a number below 1; got 1"),
        ("  rules: [{when: (cpu > 1, then: {pause: up}}]\n", "the ( at its character 1 is not closed"),
        ("  rules: [{when: cpu > 1, then: {}}]\n", "at least one of minReplicas, maxReplicas and pause"),
        ("  rules: [{when: cpu > 1, then: {minReplicas: 61}}]\n", "at most replicas.max, which is 60; got 61"),
        ("  schedule: [{cron: '@daily', duration: 1h, maxReplicas: 1}]\n", "at least replicas.min, which is 2; got 1"),
        ("  schedule: [{cron: '@daily', duration: 1h}]\n", "at least one of minReplicas and maxReplicas"),
        ("  requests: {containers: {app: {cpu: {min: 2, max: 500m}}}}\n", "at most max; got 2"),
        ("  forecast: {leadTime: 0s}\n", "learned, or a duration above 0s"),
    ],
)
def test_fields_that_contradict_each_other_are_named(lines: str, said: str) -> None:
    (complaint,) = complaints(POLICY + lines)
    assert said in complaint


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("Deployment", "apiVersion, as in apps/v1 for a Deployment; got nothing"),
        ("statefulset", "apiVersion, as in apps/v1 for a statefulset; got nothing"),
        ("CronJob", "apiVersion, as in batch/v1 for a CronJob; got nothing"),
    ],
)
def test_a_target_without_the_group_its_kind_lives_in_is_refused(kind: str, said: str) -> None:
    text = POLICY.replace("apiVersion: apps/v1, kind: Deployment", f"kind: {kind}")
    assert complaints(text) == [f"web.yaml:5:3: spec.targetRef.apiVersion: expected {said}"]


def test_a_kind_of_the_core_group_needs_no_group() -> None:
    assert complaints(POLICY.replace("apiVersion: apps/v1, kind: Deployment", "kind: ReplicationController")) == []


def set_of(*texts: str) -> str:
    documents = loads("---\n".join(texts).encode(), "shop.yaml", KINDS)
    try:
        gather(documents, (), checks.CHECKS)
    except Invalid as error:
        return str(error)
    return "fine"


def test_a_missing_signal_is_named_with_the_nearest_one() -> None:
    assert set_of(POLICY.replace("signal: requests_per", "signal: request_per"), SIGNAL) == (
        "shop.yaml:7:10: spec.load.signal: expected the name of a Signal in namespace shop; "
        "did you mean requests_per_second?; got request_per_second"
    )


def test_a_signal_of_another_namespace_does_not_count() -> None:
    assert "expected the name of a Signal in namespace shop" in set_of(POLICY, SIGNAL.replace("shop", "till"))


def test_two_policies_for_one_workload_are_refused() -> None:
    assert set_of(POLICY, POLICY.replace("name: web, namespace", "name: web2, namespace"), SIGNAL) == (
        "shop.yaml:13:3: spec.targetRef: expected a workload without another policy; "
        "got Deployment web, which has web (shop.yaml:1)"
    )


def test_a_name_twice_is_refused_with_both_places() -> None:
    assert set_of(POLICY, SIGNAL, SIGNAL) == (
        "shop.yaml:18:12: metadata.name: expected a name that no other Signal of the namespace has; "
        "got requests_per_second, as in shop.yaml:9"
    )


def test_a_selector_of_a_metric_is_refused_because_its_signal_selects() -> None:
    metric = (
        "  metrics: [{type: Pods, pods: {metric: {name: requests_per_second, selector: {matchLabels: {b: c}}}, "
        "target: {type: AverageValue, averageValue: 1}}}]\n"
    )
    assert set_of(POLICY + metric, SIGNAL) == (
        "shop.yaml:8:69: spec.metrics[0].pods.metric.selector: expected nothing here: which series count is said by "
        "the query of the Signal requests_per_second; got a selector"
    )


def test_a_dependency_that_nobody_looks_at_is_refused() -> None:
    leaning = POLICY + (
        "  dependencies: [{signal: requests_per_second, below: 5, "
        "targetRef: {apiVersion: apps/v1, kind: Deployment, name: %s}}]\n"
    )
    expected = "shop.yaml:8:58: spec.dependencies[0].targetRef: expected "
    assert set_of(leaning % "api", SIGNAL) == (
        expected + "a workload with a ScalingPolicy in namespace shop; got Deployment api"
    )
    assert set_of(leaning % "web", SIGNAL) == expected + "another workload than the policy's own; got Deployment web"


def test_zero_takes_an_activation_and_an_activation_takes_zero() -> None:
    woken = "  activation: {signal: requests_per_second, idle: 10m}\n"
    zero = POLICY.replace("min: 2,", "min: 0,")
    with pytest.raises(Invalid, match=r"spec\.activation: expected nothing here, because replicas\.min is 2"):
        set_of(POLICY + woken, SIGNAL)
    with pytest.raises(Invalid, match=r"replicas\.min: expected at least 1, or an activation"):
        set_of(zero, SIGNAL)
    assert set_of(zero + woken, SIGNAL) == "fine"
