"""HorizontalPodAutoscaler (autoscaling/v2, and v1 with its annotations) -> the reactive part of a policy.

A policy takes metrics and behaviour in the HPA's own words, so that little is translated; what the API server or the
controller reads differently from how it is written is written as it is read.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from podium.loop.adopt.draft import Draft
from podium.loop.adopt.original import Original
from podium.loop.evaluate import autoscaler
from podium.loop.policy import HOMES

CPU_SIGNAL = "cpu"
_SPEC = (
    "scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior", "targetCPUUtilizationPercentage",
)  # fmt: skip
_DETAILS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
_V1 = "autoscaling.alpha.kubernetes.io/"
# What each type's target may be told in: the first that is there counts, whatever `type` says, as upstream reads it.
_READ = {
    "Resource": ("averageValue", "averageUtilization"),
    "ContainerResource": ("averageValue", "averageUtilization"),
    "Pods": ("averageValue",),
    "External": ("averageValue", "value"),
}
_TYPES = {"averageValue": "AverageValue", "averageUtilization": "Utilization", "value": "Value"}


def translate(original: Original, signals: Collection[str], draft: Draft) -> None:
    """Fill a draft. `signals` are the Signals of the namespace that are there, or come with it."""
    spec, name = original.spec, f"HPA {original.name}"
    target(original.target, draft, name)
    low = spec.get("minReplicas")
    if low == 0:
        draft.lose(
            "spec.minReplicas",
            "0: a policy rests at zero by an `activation`, which says what wakes it; it keeps one replica",
            decides=True,
        )
    words = f"{name} spec.minReplicas" if low else f"{name} says nothing; the API server means 1"
    draft.put(("replicas", "min"), max(int(low or 1), 1), words)
    draft.put(("replicas", "max"), spec.get("maxReplicas"), f"{name} spec.maxReplicas")
    metrics, source = _metrics(original, draft)
    kept = []
    for number, metric in enumerate(metrics):
        found = _metric(metric, f"spec.metrics[{number}]", signals, draft)
        if found is not None:
            kept.append(found)
    draft.put(("metrics",), kept, f"{name} {source}")
    behavior = spec.get("behavior")
    if behavior is None:
        behavior = _annotated(original, "behavior", draft)
    if behavior is not None:  # an empty one counts: without any, the controller limits otherwise
        draft.put(("behavior",), behavior_of(behavior, draft), f"{name} spec.behavior")
    draft.rest(spec, _SPEC, "spec")


def target(given: Mapping[str, Any], draft: Draft, name: str) -> None:
    """The workload, with the API version that it is served in."""
    kind, version = str(given.get("kind", "")), str(given.get("apiVersion", ""))
    home = HOMES.get(kind.casefold(), "")
    words = f"{name} names it"
    if home and version.partition("/")[0] in ("extensions", ""):
        words += f" as {version or 'no apiVersion at all'}; a {kind} lives in {home}"
        version = home
    found = {"apiVersion": version, "kind": kind, "name": str(given.get("name", ""))}
    draft.put(("targetRef",), {field: value for field, value in found.items() if value}, words)


def _metrics(original: Original, draft: Draft) -> tuple[list[Any], str]:
    """Its metrics in the words of v2, and where they stand."""
    spec = original.spec
    if spec.get("metrics"):
        return list(spec["metrics"]), "spec.metrics"
    found = []
    if (cpu := spec.get("targetCPUUtilizationPercentage")) is not None:
        found.append(_cpu(cpu))
    if text := original.annotations.get(_V1 + "metrics"):
        found += _annotated_metrics(text, draft)
    if found:
        return found, "spec.targetCPUUtilizationPercentage and its annotation of metrics (autoscaling/v1)"
    return [_cpu(80)], "has no metrics; the API server means CPU at 80 %"


def _annotated_metrics(text: str, draft: Draft) -> list[dict[str, Any]]:
    """What autoscaling/v1 keeps of its metrics in an annotation."""
    try:
        written = json.loads(text)
    except ValueError:
        written = None
    if not isinstance(written, list) or not all(_is_metric(one) for one in written):
        draft.lose(f"metadata.annotations.{_V1}metrics", "is not a list of metrics in JSON", decides=True)
        return []
    return [_from_v1(one) for one in written]


def _is_metric(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get(_DETAILS.get(str(one.get("type")), ""), {}), dict)


def _cpu(share: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": share}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _from_v1(one: dict[str, Any]) -> dict[str, Any]:
    """A metric as autoscaling/v1 keeps it in an annotation, in the words of v2."""
    kind = str(one.get("type", ""))
    part = one.get(_DETAILS.get(kind, ""), {})
    pairs = (
        ("averageUtilization", part.get("targetAverageUtilization")),
        ("averageValue", part.get("targetAverageValue", part.get("averageValue"))),
        ("value", part.get("targetValue")),
    )
    value = {field: number for field, number in pairs if number is not None}
    field = next(iter(value), "averageValue")
    # The API server writes an average beside a value that is then 0.
    if "averageValue" in value and value.get("value") in ("0", 0):
        field = "averageValue"
    told: dict[str, Any] = {"target": {"type": _TYPES[field], field: value.get(field)}}
    if "metricName" in part:
        selector = part.get("metricSelector") or part.get("selector")
        told["metric"] = {"name": part["metricName"]} | ({"selector": selector} if selector else {})
    if "name" in part:
        told["name"] = part["name"]
    if "container" in part:
        told["container"] = part["container"]
    if kind == "Object":
        told["describedObject"] = part.get("target", {})
    return {"type": kind, _DETAILS.get(kind, "resource"): told}


def _annotated(original: Original, name: str, draft: Draft) -> Any:
    """The behaviour as autoscaling/v1 keeps it: in v2's words with capitals."""
    text = original.annotations.get(_V1 + name)
    if text is None:
        return None
    try:
        found = _small(json.loads(text))
        msgspec.convert(found, autoscaler.Behavior)
    except (ValueError, msgspec.ValidationError):
        draft.lose(f"metadata.annotations.{_V1}{name}", "is not a behaviour in JSON", decides=True)
        return None
    return found


def _small(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _small(one) for name, one in value.items()}
    return [_small(one) for one in value] if isinstance(value, list) else value


def _metric(metric: dict[str, Any], at: str, signals: Collection[str], draft: Draft) -> dict[str, Any] | None:
    """One metric as it is read; None where it has no counterpart, which is named."""
    kind = str(metric.get("type", ""))
    field = _DETAILS.get(kind)
    part = metric.get(field or "")
    if field is None or not isinstance(part, dict):
        draft.lose(at, f"a metric of type {kind or 'nothing'} is not known to Podium", decides=True)
        return None
    kept = copy.deepcopy(part)
    name = str((part.get("metric") or {}).get("name", ""))
    if name and name not in signals:
        words = f"{kind} metric {name}: no Signal of this name measures it yet; write one, and adopt again"
        draft.lose(at, words, decides=True)
        return None
    if name and kept["metric"].pop("selector", None):
        words = f"which series of {name} count is said by the query of its Signal; it must select the same"
        draft.lose(f"{at}.{field}.metric.selector", words, decides=True)
    target = _target(kind, part.get("target") or {})
    if target is None:
        draft.lose(f"{at}.{field}.target", "names no value that the HPA controller could use either", decides=True)
        return None
    kept["target"] = target
    return {"type": kind, field: kept}


def _target(kind: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """A target by the one field that counts."""
    if kind == "Object":  # of an object the type binds
        wanted = {"Value": "value", "AverageValue": "averageValue"}.get(str(given.get("type")), "")
        fields: tuple[str, ...] = (wanted,)
    else:
        fields = _READ[kind]
    for field in fields:
        if given.get(field) is not None:
            return {"type": _TYPES[field], field: given[field]}
    return None


def behavior_of(given: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    """How fast it scales, in the same words."""
    known = ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
    out: dict[str, Any] = {}
    for direction in ("scaleUp", "scaleDown"):
        rules = given.get(direction)
        if rules:
            out[direction] = {name: copy.deepcopy(rules[name]) for name in known if rules.get(name) is not None}
            draft.rest(dict(rules), known, f"spec.behavior.{direction}")
    draft.rest(dict(given), ("scaleUp", "scaleDown"), "spec.behavior")
    return out
