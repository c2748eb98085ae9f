"""What has not the shape of its kind is refused with its field, whatever it is; nothing falls over it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from tests.loop.adopt.manifests import adopted, hpa, made, said, scaled, vpa

from podium.loop.adopt.original import Original

ODD = (3, "two", [], {}, [3], {"a": 1}, None, True, -1, 1e300)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (hpa(minReplicas="two"), "HPA web: spec.minReplicas: expected int | null, got str"),
        (hpa(metrics="cpu"), "HPA web: spec.metrics: expected array | null, got str"),
        (scaled(maxReplicaCount=[]), "ScaledObject web: spec.maxReplicaCount: expected int, got array"),
        (
            vpa(minAllowed=3),
            "VPA size: spec.resourcePolicy.containerPolicies[0].minAllowed: expected object | null, got int",
        ),
    ],
)
def test_a_field_of_another_shape_is_named(one: Original, words: str) -> None:
    assert adopted(one).refused == words


def test_whatever_stands_in_any_field_it_is_refused_or_said() -> None:
    fields = ("minReplicas", "maxReplicas", "metrics", "behavior", "targetCPUUtilizationPercentage")
    for field, odd in itertools.product(fields, ODD):
        adopted(hpa(**{field: odd}))
    for field, odd in itertools.product(("minReplicaCount", "triggers", "advanced", "fallback", "cooldownPeriod"), ODD):
        adopted(scaled(**{"triggers": [], field: odd}))
    for kind, field, odd in itertools.product(("cpu", "prometheus", "cron"), ("metadata", "metricType", "name"), ODD):
        adopted(scaled({"type": kind, field: odd}))
    for field, odd in itertools.product(("mode", "minAllowed", "controlledResources", "containerName"), ODD):
        adopted(vpa(**{field: odd}))


@pytest.mark.parametrize("text", ["{", "3", "[3]", '[{"type": "Pods", "pods": 3}]'])
def test_annotations_of_version_1_that_cannot_be_read_are_said(text: str) -> None:
    spec: dict[str, Any] = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5}
    prefix = "autoscaling.alpha.kubernetes.io/"
    notes = {f"{prefix}metrics": text, f"{prefix}behavior": json.dumps([3])}
    one = adopted(made("autoscaling/v1", "HorizontalPodAutoscaler", "web", spec, annotations=notes))
    assert {f"metadata.annotations.{prefix}metrics", f"metadata.annotations.{prefix}behavior"} <= set(said(one))
