"""An HPA's status around the decisions: conditions, messages, metrics and errors, as upstream's controller leaves them.

Nothing is calculated here. What was decided, and why, comes from `loop/decide`; this says it in upstream's words and
keeps what upstream does not reset from one reconciliation to the next.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import msgspec

from podium.clients.kubernetes.objects import LabelSelector
from podium.loop.decide.table import MetricKind
from podium.loop.evaluate import quantity, troubles
from podium.loop.evaluate.autoscaler import Identifier, Metric, Status
from podium.loop.evaluate.rules import FAILED_REASONS, Asked, Ruled
from podium.model.decision import Reason

GOT_SCALE = "the HPA controller was able to get the target's current scale"
DISABLED = "scaling is disabled since the replica count of the target is zero"
READY = "recommended size matches current size"
STABILISED = {
    Reason.STABILISED_DOWN: (
        "ScaleDownStabilized",
        "recent recommendations were higher than current one, applying the highest recent recommendation",
    ),
    Reason.STABILISED_UP: (
        "ScaleUpStabilized",
        "recent recommendations were lower than current one, applying the lowest recent recommendation",
    ),
}
LIMITED = {
    "ScaleUpLimit": "the desired replica count is increasing faster than the maximum scale rate",
    "ScaleDownLimit": "the desired replica count is decreasing faster than the maximum scale rate",
    "TooManyReplicas": "the desired replica count is more than the maximum replica count",
    "TooFewReplicas": "the desired replica count is less than the minimum replica count",
    "DesiredWithinRange": "the desired count is within the acceptable range",
}


class Condition(msgspec.Struct, omit_defaults=True):
    """One condition, in the shape of the answer."""

    type: str
    status: str
    reason: str
    message: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Proposed:
    """What one metric proposed, or why it did not."""

    asked: Asked
    replicas: int
    usage: int
    percent: int
    error: str


@dataclasses.dataclass(frozen=True, slots=True)
class Turned:
    """What one reconciliation saw and decided."""

    at: float  # Unix seconds
    current: int
    wanted: int
    proposed: list[Proposed]
    reasons: dict[int, float]  # Reason -> its number b
    selector_problem: str = ""


class Kept:
    """The status of one HPA, from reconciliation to reconciliation."""

    def __init__(self, status: Status, namespace: str, *, to_zero: bool) -> None:
        self.conditions = [Condition(one.type, one.status, one.reason, one.message) for one in status.conditions or ()]
        self.current, self.desired = status.current_replicas, status.desired_replicas
        self.scaled_at = status.last_scale_time
        self.measured: list[Proposed] | None = None  # what `currentMetrics` shows
        self.error = ""
        self._namespace, self._to_zero = namespace, to_zero

    def is_returning(self, ruled: Ruled) -> bool:
        """Whether this HPA, at zero, came there by itself and may leave it."""
        ours = any(one.type == "ScaledToZero" and one.status == "True" for one in self.conditions)
        return self._to_zero and ours and (ruled.spec.minimum != 0 or ruled.spec.counts_beyond_pods)

    def reconcile(self, ruled: Ruled, turned: Turned) -> None:
        """Take over one reconciliation."""
        self.error = ""
        self._set("AbleToScale", "True", "SucceededGetScale", GOT_SCALE)
        current, spec = turned.current, ruled.spec
        if current == 0 and not self.is_returning(ruled):
            self._set("ScalingActive", "False", "ScalingDisabled", DISABLED)
            if not self._to_zero:
                self._drop("ScaledToZero")
            self._leave(turned, None)
        elif current > spec.max_replicas or 0 < current < spec.minimum:
            self._rescale(ruled, turned, None)
        elif self._follow(ruled, turned):
            if turned.wanted != current:
                self._rescale(ruled, turned, turned.proposed)
            else:
                self._leave(turned, turned.proposed)

    def _follow(self, ruled: Ruled, turned: Turned) -> bool:
        """The part that asks metrics. Answers whether they led to a number."""
        failed = [one for one in turned.proposed if one.error]
        best, name = _largest(turned.proposed)
        if turned.selector_problem:
            reason, words = _selector_condition(turned.selector_problem)
            self._fail(ruled, turned, None, reason, words, turned.selector_problem)
            return False
        if failed:
            first = failed[0]
            counts = f"{len(failed)} invalid out of {len(turned.proposed)}"
            returned = troubles.returned(first.asked, first.error)
            self.error = f"invalid metrics ({counts}), first error is: {returned}"
            if len(failed) == len(turned.proposed) or best < turned.current:
                words = (
                    f"the HPA was unable to compute the replica count: {troubles.condition(first.asked, first.error)}"
                )
                reason = FAILED_REASONS.get(first.asked.metric.type, "InvalidMetricSourceType")
                self._fail(ruled, turned, turned.proposed, reason, words, self.error)
                return False
        words = f"the HPA was able to successfully calculate a replica count from {name}"
        self._set("ScalingActive", "True", "ValidMetricFound", words)
        stable = max(best, 0)
        settled = ("ReadyForNewScale", READY)
        for code, said in STABILISED.items():
            if code in turned.reasons:
                settled, stable = said, int(turned.reasons[code])
        self._set("AbleToScale", "True", *settled)
        limit = _limit(ruled, turned, stable)
        self._set("ScalingLimited", "False" if limit == "DesiredWithinRange" else "True", limit, LIMITED[limit])
        return True

    def _fail(
        self,
        ruled: Ruled,
        turned: Turned,
        measured: list[Proposed] | None,
        reason: str,
        words: str,
        error: str,
    ) -> None:
        """No number: what was desired before stays as it was."""
        self._set("ScalingActive", "False", reason, words)
        target = ruled.spec.scale_target_ref
        reference = f"{target.kind}/{self._namespace}/{target.name}"
        self.error = f"failed to compute desired number of replicas based on listed metrics for {reference}: {error}"
        self.current, self.measured = turned.current, measured

    def _leave(self, turned: Turned, measured: list[Proposed] | None) -> None:
        self.current = self.desired = turned.current
        self.measured = measured

    def _rescale(self, ruled: Ruled, turned: Turned, measured: list[Proposed] | None) -> None:
        words = f"the HPA controller was able to update the target scale to {turned.wanted}"
        self._set("AbleToScale", "True", "SucceededRescale", words)
        spec = ruled.spec
        if not self._to_zero:
            self._drop("ScaledToZero")
        elif turned.current > 0 and turned.wanted == 0 and spec.minimum == 0 and spec.counts_beyond_pods:
            self._set("ScaledToZero", "True", "ScaledToZero", "the HPA controller scaled the workload to zero")
        else:
            words = "the HPA controller did not scale the workload to zero"
            self._set("ScaledToZero", "False", "NotScaledToZero", words)
        self.current, self.desired, self.measured = turned.current, turned.wanted, measured
        self.scaled_at = datetime.datetime.fromtimestamp(turned.at, datetime.UTC)

    def _set(self, kind: str, status: str, reason: str, message: str) -> None:
        for number, one in enumerate(self.conditions):
            if one.type == kind:
                self.conditions[number] = Condition(kind, status, reason, message)
                return
        self.conditions.append(Condition(kind, status, reason, message))

    def _drop(self, kind: str) -> None:
        self.conditions = [one for one in self.conditions if one.type != kind]


def _largest(proposed: list[Proposed]) -> tuple[int, str]:
    """The first of the largest, and its name; after a proposal of 0 the next one speaks."""
    best, name = 0, ""
    for one in proposed:
        if not one.error and (best == 0 or one.replicas > best):
            best, name = one.replicas, troubles.name(one.asked)
    return best, name


def _selector_condition(problem: str) -> tuple[str, str]:
    missing = problem == "selector is required"
    return "InvalidSelector", "the HPA target's scale is missing a selector" if missing else problem


def _limit(ruled: Ruled, turned: Turned, stable: int) -> str:
    """Which limit bent the stabilised number, by upstream's word for it."""
    low, high, current = ruled.spec.minimum, ruled.spec.max_replicas, turned.current
    ceiling = turned.reasons.get(Reason.RATE_LIMITED_UP)
    floor = turned.reasons.get(Reason.RATE_LIMITED_DOWN)
    if stable < low and (stable < current or not ruled.behaved):
        return "ScaleDownLimit" if floor is not None and low < floor else "TooFewReplicas"
    if ceiling is not None or (stable > high and (stable > current or not ruled.behaved)):
        return "ScaleUpLimit" if ceiling is not None and high > ceiling else "TooManyReplicas"
    if floor is not None:
        return "ScaleDownLimit" if low < floor else "TooFewReplicas"
    return "DesiredWithinRange"


def shown(one: Proposed) -> dict[str, Any]:
    """One entry of `currentMetrics`; of a metric that failed, the empty one."""
    metric, asked = one.asked.metric, one.asked
    if one.error:
        return {"type": ""}
    if metric.type in ("Resource", "ContainerResource"):
        return _of_resource(metric, one)
    usage = quantity.canonical(one.usage)
    current = {"value" if asked.kind is MetricKind.VALUE else "averageValue": usage}
    source = metric.pods or metric.external or metric.object
    assert source is not None  # noqa: S101  it was calculated
    answer: dict[str, Any] = {"metric": _identifier(source.metric), "current": current}
    if metric.object is not None and metric.type == "Object":
        described = metric.object.described_object
        answer["describedObject"] = {"kind": described.kind, "name": described.name}
        if described.api_version:
            answer["describedObject"]["apiVersion"] = described.api_version
    return {"type": metric.type, metric.type[0].lower() + metric.type[1:]: answer}


def _of_resource(metric: Metric, one: Proposed) -> dict[str, Any]:
    part = metric.resource or metric.container_resource
    assert part is not None  # noqa: S101  it was calculated
    current: dict[str, Any] = {"averageValue": quantity.canonical(one.usage, binary=part.name == "memory")}
    if one.asked.utilised:
        current["averageUtilization"] = one.percent
    answer = {"name": part.name, "current": current}
    if metric.type == "ContainerResource":
        answer["container"] = part.container
    return {"type": metric.type, metric.type[0].lower() + metric.type[1:]: answer}


def _identifier(metric: Identifier) -> dict[str, Any]:
    out: dict[str, Any] = {"name": metric.name}
    if metric.selector is not None:
        out["selector"] = _selector(metric.selector)
    return out


def _selector(selector: LabelSelector) -> dict[str, Any]:
    """Without what is empty, as Go writes it."""
    out: dict[str, Any] = {}
    if selector.match_labels:
        out["matchLabels"] = dict(sorted(selector.match_labels.items()))
    if selector.match_expressions:
        out["matchExpressions"] = [
            {"key": one.key, "operator": one.operator} | ({"values": one.values} if one.values else {})
            for one in selector.match_expressions
        ]
    return out
