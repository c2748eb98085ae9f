"""ScaledObjects and VPAs become policies; two that contradict each other are named."""

from __future__ import annotations

from typing import Any

import pytest
from tests.loop.adopt.manifests import THERE, adopted, hpa, made, said, scaled, vpa

from podium.loop.adopt.adoption import Target, Wish, adoptions
from podium.loop.adopt.original import Original

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
QUERY = {
    "type": "prometheus",
    "metadata": {"serverAddress": "http://prom:9090", "query": "sum(rate(http[1m]))", "threshold": "50"},
    "authenticationRef": {"name": "prom-token"},
}


def test_a_query_of_keda_is_a_signal_and_the_load() -> None:
    one = adopted(scaled(QUERY, maxReplicaCount=30))
    signal, policy = one.documents
    assert signal["metadata"]["name"] == "web-trigger-0"
    assert signal["spec"]["prometheus"]["query"] == (
        'label_replace(label_replace(sum(sum(rate(http[1m]))), "namespace", "shop", "", ""), '
        '"deployment", "web", "", "")'
    )
    spec = policy["spec"]
    assert spec["replicas"] == {"min": 2, "max": 30}
    target = {"type": "AverageValue", "averageValue": "50"}
    external = {"metric": {"name": "web-trigger-0"}, "target": target}
    assert spec["metrics"] == [{"type": "External", "external": external}]
    assert spec["load"] == {"signal": "web-trigger-0", "capacityPerReplica": 50.0}
    assert said(one) == {
        "spec.triggers[0].authenticationRef": False,
        "spec.triggers[0].metadata.serverAddress": False,
        "spec.triggers[0].metadata.ignoreNullValues": False,
    }
    assert one.held_back == ()


def test_cpu_and_cron_triggers_have_their_counterparts() -> None:
    cpu = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}
    hours = {"timezone": "Europe/Paris", "start": "0 8 * * 1-5", "end": "0 20 * * 1-5", "desiredReplicas": "6"}
    one = adopted(scaled(cpu, {"type": "cron", "metadata": hours}))
    spec = one.policy["spec"]
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    window = {"cron": "0 8 * * 1-5", "timeZone": "Europe/Paris", "duration": "12h", "minReplicas": 6}
    assert spec["schedule"] == [window]
    assert one.lost == ()


def test_a_cron_window_of_no_fixed_length_is_said() -> None:
    hours = {"timezone": "UTC", "start": "0 8 1 * *", "end": "0 8 * * 1", "desiredReplicas": "6"}
    assert said(adopted(scaled({"type": "cron", "metadata": hours}))) == {"spec.triggers[0]": True}


def test_one_query_that_keda_goes_to_zero_by_wakes_the_policy() -> None:
    query = QUERY | {"metadata": QUERY["metadata"] | {"activationThreshold": "5"}}
    one = adopted(scaled(query, minReplicaCount=0, cooldownPeriod=120))
    spec = one.policy["spec"]
    assert spec["replicas"]["min"] == 0
    assert spec["activation"] == {"signal": "web-trigger-0", "above": 5.0, "idle": "120s"}
    assert one.held_back == ()
    both = adopted(scaled(QUERY, QUERY | {"name": "other"}, minReplicaCount=0))
    assert (both.policy["spec"]["replicas"]["min"], said(both)["spec.minReplicaCount"]) == (1, True)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"minReplicaCount": 0}, "spec.minReplicaCount"),
        ({"idleReplicaCount": 0}, "spec.idleReplicaCount"),
        ({"fallback": {"failureThreshold": 3, "replicas": 6}}, "spec.fallback"),
        ({"advanced": {"scalingModifiers": {"formula": "a + b"}}}, "spec.advanced.scalingModifiers"),
        ({"advanced": {"wings": 2}}, "spec.advanced.wings"),
    ],
)
def test_what_keda_does_and_podium_does_not_keeps_it_from_being_handed_over(more: dict[str, Any], field: str) -> None:
    cpu = {"type": "cpu", "metadata": {"value": "70"}}
    assert said(adopted(scaled(cpu, **more))) == {field: True}


def test_triggers_that_podium_cannot_ask_are_named() -> None:
    kafka = {"type": "kafka", "metadata": {"lagThreshold": "50"}}
    one = adopted(scaled(kafka))
    assert one.policy["spec"]["metrics"] == []
    assert said(one) == {"spec.triggers[0]": True}
    assert "the trigger kafka" in one.held_back[0]


def test_a_paused_scaled_object_becomes_a_paused_policy() -> None:
    spec = {"scaleTargetRef": {"name": "web"}, "minReplicaCount": 1, "triggers": []}
    notes = {"autoscaling.keda.sh/paused": "true"}
    one = adopted(made("keda.sh/v1alpha1", "ScaledObject", "web", spec, annotations=notes))
    assert one.policy["spec"]["pause"] == "both"


def test_the_hpa_that_keda_made_is_not_adopted_beside_its_scaled_object() -> None:
    owners = [{"kind": "ScaledObject", "name": "web"}]
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 9}
    own = made("autoscaling/v2", "HorizontalPodAutoscaler", "keda-hpa-web", spec, ownerReferences=owners)
    one = adopted(scaled(QUERY), own)
    assert [original.kind for original in one.originals] == ["ScaledObject"]


def test_a_vpa_beside_an_hpa_on_another_resource_becomes_its_requests() -> None:
    bounds = {"minAllowed": {"cpu": "100m"}, "maxAllowed": {"memory": "2Gi"}, "controlledResources": ["memory"]}
    one = adopted(hpa(metrics=[CPU]), vpa(containerName="main", **bounds))
    requests = one.policy["spec"]["requests"]
    assert requests == {"mode": "recommend", "containers": {"main": {"cpu": {"min": "100m"}, "memory": {"max": "2Gi"}}}}
    assert one.held_back == ()


def test_a_vpa_that_resizes_what_the_hpa_scales_by_is_said_and_left() -> None:
    one = adopted(hpa(metrics=[CPU]), vpa())
    assert "requests" not in one.policy["spec"]
    words = "VPA size changes the requests of cpu, by which HPA web scales"
    assert one.notes == (
        f"{words}: each undoes the other's work; set its updateMode to Off, or scale by another metric",
    )
    assert "requests" in adopted(hpa(metrics=[CPU]), vpa("Off")).policy["spec"]


def test_a_vpa_alone_keeps_as_many_replicas_as_there_are() -> None:
    spec = adopted(vpa()).policy["spec"]
    assert (spec["replicas"], spec["requests"]["mode"]) == ({"min": 3, "max": 3}, "recommend")


@pytest.mark.parametrize(
    ("originals", "target", "words"),
    [
        (
            [hpa(metrics=[CPU]), hpa("other", metrics=[CPU])],
            THERE,
            "HPA web and HPA other scale it in turn: nothing is adopted until one alone does",
        ),
        (
            [hpa(metrics=[CPU]), scaled(QUERY)],
            THERE,
            "HPA web and ScaledObject web scale it in turn: nothing is adopted until one alone does",
        ),
        ([hpa(metrics=[CPU])], Target(there=False), "HPA web names deployment shop/web, which is not there"),
        ([vpa()], None, "VPA size says nothing of replicas, and how many there are was not seen"),
    ],
)
def test_what_contradicts_itself_is_said_and_not_guessed(
    originals: list[Original], target: Target | None, words: str
) -> None:
    targets = {} if target is None else {("shop", "deployment", "web"): target}
    (one,) = adoptions(originals, Wish(), targets)
    assert (one.refused, one.documents) == (words, ())
