"""VerticalPodAutoscaler -> the `requests` of a policy."""

from __future__ import annotations

from typing import Any

from podium.loop.adopt.draft import Draft
from podium.loop.adopt.original import Original

_SPEC = ("targetRef", "updatePolicy", "resourcePolicy", "recommenders")
_CONTAINER = ("containerName", "mode", "minAllowed", "maxAllowed", "controlledResources", "controlledValues")


def writes(original: Original) -> bool:
    """Whether it changes requests itself."""
    return bool((original.spec.get("updatePolicy") or {}).get("updateMode", "Auto") != "Off")


def resources(original: Original) -> set[str]:
    """Which resources it controls, in any container."""
    out: set[str] = set()
    policies = (original.spec.get("resourcePolicy") or {}).get("containerPolicies") or [{}]
    for one in policies:
        if one.get("mode") != "Off":
            out |= set(one.get("controlledResources") or ("cpu", "memory"))
    return out


def translate(original: Original, draft: Draft) -> None:
    """Add what it says of requests to a draft."""
    spec, name = original.spec, f"VPA {original.name}"
    mode = (spec.get("updatePolicy") or {}).get("updateMode", "Auto")
    draft.put(("requests", "mode"), "recommend", f"{name} updateMode {mode}; Podium recommends only")
    if mode != "Off":
        draft.lose("spec.updatePolicy.updateMode", f"{mode}: Podium writes no requests; the VPA stays as it is")
    for field in spec.get("updatePolicy") or {}:
        if field != "updateMode":
            draft.lose(f"spec.updatePolicy.{field}", "is about evicting pods, which Podium does not do for requests")
    containers: dict[str, Any] = {}
    policies = (spec.get("resourcePolicy") or {}).get("containerPolicies") or []
    for number, one in enumerate(policies):
        at = f"spec.resourcePolicy.containerPolicies[{number}]"
        bounds = _bounds(one)
        if bounds:
            containers[str(one.get("containerName", "*"))] = bounds
        if one.get("mode") == "Off":
            draft.lose(f"{at}.mode", "Off for one container alone has no counterpart")
        if one.get("controlledValues"):
            draft.lose(f"{at}.controlledValues", "Podium speaks of requests; limits stay")
        if one.get("controlledResources"):
            draft.lose(f"{at}.controlledResources", "both resources are looked at")
        draft.rest(one, _CONTAINER, at)
    if containers:
        draft.put(("requests", "containers"), containers, f"{name} spec.resourcePolicy.containerPolicies")
    if spec.get("recommenders"):
        draft.lose("spec.recommenders", "Podium has one recommender, its own")
    draft.rest(spec, _SPEC, "spec")


def _bounds(one: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, dict[str, Any]] = {}
    for field, bound in (("minAllowed", "min"), ("maxAllowed", "max")):
        for resource, value in (one.get(field) or {}).items():
            if resource in ("cpu", "memory"):
                out.setdefault(resource, {})[bound] = str(value)
    return out
