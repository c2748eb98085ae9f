"""Objects of other autoscalers as they stand in clusters."""

from __future__ import annotations

from typing import Any

from podium.loop.adopt import original
from podium.loop.adopt.adoption import Adoption, Target, Wish, adoptions
from podium.loop.adopt.original import Original

THERE = Target(there=True, replicas=3)


def hpa(name: str = "web", **spec: Any) -> Original:
    """An HPA with these fields of its spec."""
    whole = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 10}
    return made("autoscaling/v2", "HorizontalPodAutoscaler", name, whole | spec)


def made(version: str, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> Original:
    """Any of them."""
    names = {"name": name, "namespace": "shop"}
    return original.of({"apiVersion": version, "kind": kind, "metadata": names | metadata, "spec": spec}, "a test")


def scaled(*triggers: dict[str, Any], **spec: Any) -> Original:
    """A ScaledObject of the Deployment web."""
    whole = {"scaleTargetRef": {"name": "web"}, "minReplicaCount": 2, "triggers": list(triggers)}
    return made("keda.sh/v1alpha1", "ScaledObject", "web", whole | spec)


def vpa(mode: str = "Auto", **policy: Any) -> Original:
    """A VPA of the Deployment web."""
    spec: dict[str, Any] = {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    spec |= {"updatePolicy": {"updateMode": mode}}
    if policy:
        spec["resourcePolicy"] = {"containerPolicies": [policy]}
    return made("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", "size", spec)


def adopted(*originals: Original, signals: tuple[str, ...] = (), forecast: bool = True) -> Adoption:
    """The one adoption of these."""
    wish = Wish(forecast, "cluster", {"shop": signals})
    (one,) = adoptions(originals, wish, {("shop", "deployment", "web"): THERE})
    return one


def said(one: Adoption) -> dict[str, bool]:
    """Fields without a counterpart, and whether they decide."""
    return {lost.field: lost.decides for _, lost in one.lost}
