"""KEDA's ScaledObject (keda.sh/v1alpha1) -> a policy, with a Signal for each query that it asks a Prometheus."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Any

from cronsim import CronSim, CronSimError

from podium.documents.cron import normalised
from podium.loop.adopt import hpas
from podium.loop.adopt.draft import Draft
from podium.loop.adopt.original import Original
from podium.model.clock import duration

PAUSED = "autoscaling.keda.sh/paused"
PAUSED_AT = "autoscaling.keda.sh/paused-replicas"
_SPEC = (
    "scaleTargetRef", "pollingInterval", "cooldownPeriod", "initialCooldownPeriod", "idleReplicaCount",
    "minReplicaCount", "maxReplicaCount", "fallback", "advanced", "triggers",
)  # fmt: skip
_WITHOUT = {
    "cooldownPeriod": "matters only for going to zero, which this policy does not do",
    "initialCooldownPeriod": "has no counterpart: a workload rests as soon as it was idle for long enough",
    "idleReplicaCount": "a policy has one minimum, for work and for rest",
    "pollingInterval": "how often KEDA looks whether to leave zero; a Signal is read every 15s",
    "fallback": "what is missing holds: nothing goes down while a Signal is silent",
}
LABELS = {"Deployment": "deployment", "StatefulSet": "statefulset"}
_ODD = re.compile(r"[^a-z0-9]+")
COOLDOWN = 300  # seconds, KEDA's default
MOST_LOOKED = 40  # beginnings of a cron window, over which its length must be the same


def translate(original: Original, draft: Draft) -> None:
    """Fill a draft."""
    spec, name = original.spec, f"ScaledObject {original.name}"
    target = {"apiVersion": "apps/v1", "kind": "Deployment"} | dict(original.target)
    hpas.target(target, draft, name)
    if "envSourceContainerName" in original.target:
        draft.lose("spec.scaleTargetRef.envSourceContainerName", "Podium reads no environment of pods")
    _triggers(original, str(target["kind"]), name, draft)
    low, high = spec.get("minReplicaCount", 0), spec.get("maxReplicaCount", 100)
    words = "spec.minReplicaCount" if "minReplicaCount" in spec else "says nothing; KEDA means 0"
    draft.put(("replicas", "min"), int(low) if low >= 1 else _rest(original, name, draft), f"{name} {words}")
    words = "spec.maxReplicaCount" if "maxReplicaCount" in spec else "says nothing; KEDA means 100"
    draft.put(("replicas", "max"), high, f"{name} {words}")
    for field, why in _WITHOUT.items():
        if field in spec and not (field == "cooldownPeriod" and "activation" in draft.spec):
            draft.lose(f"spec.{field}", why, decides=field in ("idleReplicaCount", "fallback"))
    _advanced(spec.get("advanced") or {}, name, draft)
    if PAUSED in original.annotations or PAUSED_AT in original.annotations:
        draft.put(("pause",), "both", f"{name} is paused by an annotation")
    draft.rest(spec, _SPEC, "spec")


def _rest(original: Original, name: str, draft: Draft) -> int:
    """The minimum of one that KEDA takes to zero: 0 where one query alone says whether there is work, else 1."""
    triggers = [one for one in original.spec.get("triggers") or () if one.get("type") not in ("cpu", "memory")]
    if len(triggers) != 1 or len(draft.signals) != 1:
        words = "Podium rests at zero by one Signal, and this would take another or several; it keeps one replica"
        draft.lose("spec.minReplicaCount", words, decides=True)
        return 1
    (signal,), metadata = draft.signals, triggers[0].get("metadata") or {}
    above, idle = _float(metadata.get("activationThreshold")), original.spec.get("cooldownPeriod", COOLDOWN)
    words = f"{name}: its trigger's activationThreshold, and cooldownPeriod"
    draft.put(("activation",), {"signal": signal, "above": above, "idle": f"{idle}s"}, words)
    return 0


def _advanced(advanced: dict[str, Any], name: str, draft: Draft) -> None:
    config = advanced.get("horizontalPodAutoscalerConfig") or {}
    if config.get("behavior"):
        words = f"{name} spec.advanced.horizontalPodAutoscalerConfig.behavior"
        draft.put(("behavior",), hpas.behavior_of(config["behavior"], draft), words)
    if "name" in config:
        draft.lose("spec.advanced.horizontalPodAutoscalerConfig.name", "Podium makes no HPA")
    if advanced.get("scalingModifiers"):
        words = "a formula over triggers: write it into the query of one Signal"
        draft.lose("spec.advanced.scalingModifiers", words, decides=True)
    if "restoreToOriginalReplicaCount" in advanced:
        draft.lose("spec.advanced.restoreToOriginalReplicaCount", "Podium leaves replicas as they were last written")
    known = ("horizontalPodAutoscalerConfig", "scalingModifiers", "restoreToOriginalReplicaCount")
    draft.rest(advanced, known, "spec.advanced")


def _triggers(original: Original, kind: str, name: str, draft: Draft) -> None:
    metrics: list[dict[str, Any]] = []
    windows: list[dict[str, Any]] = []
    for number, trigger in enumerate(original.spec.get("triggers") or ()):
        at, what = f"spec.triggers[{number}]", str(trigger.get("type", ""))
        if reference := trigger.get("authenticationRef"):
            words = f"{reference.get('name')} stays where it is; the source in Podium's Settings has its own `bearer`"
            draft.lose(f"{at}.authenticationRef", words)
        if trigger.get("useCachedMetrics"):
            draft.lose(f"{at}.useCachedMetrics", "every Signal is read once per interval for the whole fleet")
        metadata = trigger.get("metadata") or {}
        if what in ("cpu", "memory"):
            found = _resource(trigger, what, metadata, at, draft)
        elif what == "prometheus":
            found = _prometheus(original, kind, trigger, number, draft)
        elif what == "cron":
            windows += _window(metadata, at, draft)
            continue
        else:
            words = (
                f"the trigger {what}: Podium does not ask it; a Signal on its exporter's metric can stand in its place"
            )
            draft.lose(at, words, decides=True)
            continue
        metrics += [found] if found else []
    draft.put(("metrics",), metrics, f"{name} spec.triggers")
    if windows:
        draft.put(("schedule",), windows, f"{name} spec.triggers of type cron")


def _resource(
    trigger: dict[str, Any], what: str, metadata: dict[str, Any], at: str, draft: Draft
) -> dict[str, Any] | None:
    kind, value = str(trigger.get("metricType") or metadata.get("type") or "Utilization"), metadata.get("value")
    fields = {"Utilization": "averageUtilization", "AverageValue": "averageValue"}
    if kind not in fields or value is None or (kind == "Utilization" and not str(value).isdecimal()):
        draft.lose(at, f"a target of {what} that cannot be read: {kind} {value}", decides=True)
        return None
    target = {"type": kind, fields[kind]: int(value) if kind == "Utilization" else str(value)}
    draft_of = {"name": what, "target": target}
    if container := metadata.get("containerName"):
        return {"type": "ContainerResource", "containerResource": draft_of | {"container": container}}
    return {"type": "Resource", "resource": draft_of}


def _prometheus(
    original: Original, kind: str, trigger: dict[str, Any], number: int, draft: Draft
) -> dict[str, Any] | None:
    """A query whose one value is the workload's: the Signal names it so."""
    at, metadata = f"spec.triggers[{number}]", trigger.get("metadata") or {}
    query, threshold = metadata.get("query"), metadata.get("threshold")
    label = LABELS.get(kind, "workload")
    if not query or threshold is None:
        draft.lose(at, "a prometheus trigger without query or threshold", decides=True)
        return None
    word = _ODD.sub("-", str(trigger.get("name") or f"trigger-{number}").lower()).strip("-")
    signal = f"{original.name[:180]}-{word[:60]}".strip("-")
    target_name = original.target.get("name", "")
    named = f'label_replace(sum({query}), "namespace", "{original.namespace}", "", "")'
    whole = f'label_replace({named}, "{label}", "{target_name}", "", "")'
    draft.signals[signal] = {"unit": "count", "prometheus": {"query": whole}, "reduce": "sum"}
    address = metadata.get("serverAddress")
    draft.lose(
        f"{at}.metadata.serverAddress", f"{address}: the source of kind prometheus in Podium's Settings is asked"
    )
    if str(metadata.get("ignoreNullValues", "true")).lower() == "true":
        draft.lose(f"{at}.metadata.ignoreNullValues", "an empty result is 0 for KEDA, and missing here, which holds")
    if _float(metadata.get("activationThreshold")) and original.spec.get("minReplicaCount", 0) >= 1:
        draft.lose(f"{at}.metadata.activationThreshold", "matters only between zero and one replica")
    known = ("query", "threshold", "serverAddress", "ignoreNullValues", "activationThreshold", "metricName")
    for name in metadata:
        if name not in known:
            draft.lose(f"{at}.metadata.{name}", "belongs to the source in Podium's Settings, which has its own")
    value = str(trigger.get("metricType") or "AverageValue")
    field = {"AverageValue": "averageValue", "Value": "value"}.get(value)
    if field is None:
        draft.lose(f"{at}.metricType", f"{value}: of a query AverageValue or Value can be wanted", decides=True)
        return None
    target = {"type": value, field: str(threshold)}
    return {"type": "External", "external": {"metric": {"name": signal}, "target": target}}


def _float(text: Any) -> float:
    """A threshold; 0 where nobody wrote a number."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0


def _window(metadata: dict[str, Any], at: str, draft: Draft) -> list[dict[str, Any]]:
    """A cron trigger as a window with a minimum; one whose length changes has no counterpart."""
    start, end, zone = (str(metadata.get(name, "")) for name in ("start", "end", "timezone"))
    wanted = str(metadata.get("desiredReplicas", ""))
    try:
        seconds = _length(start, end, zone)
    except (CronSimError, ValueError, KeyError, zoneinfo.ZoneInfoNotFoundError):
        seconds = None
    if seconds is None or not wanted.isdecimal() or not int(wanted):
        words = f"from {start!r} to {end!r} ({zone}) is not a window of one length; write a schedule by hand"
        draft.lose(at, words, decides=True)
        return []
    return [{"cron": start, "timeZone": zone, "duration": duration(seconds), "minReplicas": int(wanted)}]


def _length(start: str, end: str, zone: str) -> float | None:
    """Seconds from each beginning to the next end; None where they differ. Counted in UTC, where no clock is set."""
    zoneinfo.ZoneInfo(zone)
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    lengths = set()
    starts = CronSim(normalised(start), begin)
    for _ in range(MOST_LOOKED):
        at = next(starts)
        lengths.add((next(CronSim(normalised(end), at)) - at).total_seconds())
    return lengths.pop() if len(lengths) == 1 else None
