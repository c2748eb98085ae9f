"""What a Signal may change of a preset: which metric, whose series, over which time."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field, WithJsonSchema

from podium.documents.problem import nearest
from podium.documents.shape import Objection, Shape
from podium.documents.values import ObjectName, PositiveSeconds, unexpected
from podium.signals.presets import ACCEPTED, PRESETS, Preset
from podium.signals.promql import LABEL, MATCHERS, METRIC, Whom, matchers

_KINDS = ("pod", "deployment", "statefulset", "replicaset", "workload")


def _of_form(form: re.Pattern[str], expected: str) -> Any:
    def check(value: str) -> str:
        if form.fullmatch(value) is None:
            raise unexpected(expected)
        return value

    return pydantic.AfterValidator(check)


def _known(name: str) -> str:
    if name not in PRESETS:
        raise unexpected(f"a preset{nearest(name, list(PRESETS))}" + _listed(name))
    return name


def _listed(name: str) -> str:
    return "" if nearest(name, list(PRESETS)) else f": one of {', '.join(PRESETS)}"


PresetName = Annotated[str, pydantic.AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(PRESETS)})]
MetricName = Annotated[
    str, _of_form(METRIC, "a metric's name, as in http_requests_total"), Field(pattern=f"^{METRIC.pattern}$")
]
LabelName = Annotated[str, _of_form(LABEL, "a label's name, as in namespace"), Field(pattern=f"^{LABEL.pattern}$")]
Matchers = Annotated[str, _of_form(MATCHERS, 'label matchers, as in job="web", code!~"4.."')]
Quantile = Annotated[float, Field(gt=0, lt=1)]


class PresetLabels(Shape):
    """Which labels of the series name whom they measure, where yours are not the preset's."""

    namespace: LabelName | None = None
    """The label that holds the namespace; the preset's own by default."""
    pod: LabelName | None = None
    """The label that holds the pod. One of pod, deployment, statefulset, replicaset and workload is written."""
    deployment: LabelName | None = None
    """The label that holds the Deployment."""
    statefulset: LabelName | None = None
    """The label that holds the StatefulSet."""
    replicaset: LabelName | None = None
    """The label that holds the ReplicaSet."""
    workload: LabelName | None = None
    """The label that holds a workload whose kind no label says."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        one = " + ".join(f"(has(self.{kind}) ? 1 : 0)" for kind in _KINDS)
        return ((f"{one} == 1", f"exactly one of {', '.join(_KINDS)}"),)

    def objections(self) -> Iterator[Objection]:
        """Exactly one label names the subject."""
        written = self.written()
        if not written:
            yield Objection(("pod",), f"the label that names the subject: one of {', '.join(_KINDS)}")
        for kind in written[1:]:
            yield Objection((kind,), f"nothing here, because {written[0]} names the subject")

    def written(self) -> list[str]:
        """Which kinds of subject have a label."""
        return [kind for kind in _KINDS if getattr(self, kind) is not None]


class PresetParameters(Shape):
    """What is other than in the preset."""

    metric: MetricName | None = None
    """The metric's name; of a histogram without `_bucket`."""
    selector: Matchers | None = None
    """Further label matchers that the series must have."""
    errors: Matchers | None = None
    """Label matchers that tell a request that failed (shares of errors)."""
    window: PositiveSeconds | None = None
    """The time over which rates are taken; at least four scrapes."""
    quantile: Quantile | None = None
    """Which quantile of a latency, between 0 and 1."""
    labels: PresetLabels | None = None
    """Which labels name whom a series measures."""
    owners: Literal["none", "recorded", "kube-state-metrics"] | None = None
    """How series of pods are added up. none: by Podium, which knows each workload's pods; recorded: by Prometheus,
    with kubernetes-mixin's rule namespace_workload_pod:kube_pod_owner:relabel; kube-state-metrics: by Prometheus, with
    kube_pod_owner and kube_replicaset_owner."""
    workload: ObjectName | None = None
    """The workload of the Signal's namespace that all series together are of, where no label says whose they are."""

    def misplaced(self, name: str) -> Iterator[Objection]:
        """What the preset `name` has no use for, and what it cannot do without."""
        preset = PRESETS[name]
        accepted = ACCEPTED[preset.family]
        for field in type(self).model_fields:
            if getattr(self, field) is not None and field not in accepted:
                yield Objection((field,), f"nothing here, because {name} has no {field}; it has {', '.join(accepted)}")
        if preset.needs_workload and self.workload is None and self.labels is None:
            yield Objection(
                ("workload",), f"the workload, or labels that name it: {preset.metric} does not say whose it is"
            )
        for other in ("labels", "owners"):
            if self.workload is not None and getattr(self, other) is not None:
                yield Objection((other,), "nothing here, because workload says whose the series are")
        if self.owners not in (None, "none") and self.labels is not None and self.labels.pod is None:
            yield Objection(("owners",), "none, because the labels do not name pods")


def adapted(name: str, parameters: PresetParameters | None, namespace: str) -> Preset:
    """The preset `name` with what a Signal of `namespace` changes."""
    preset, given = PRESETS[name], parameters or PresetParameters()
    return dataclasses.replace(
        preset,
        metric=given.metric or preset.metric,
        selector=matchers(preset.selector, given.selector or ""),
        errors=given.errors or preset.errors,
        window_seconds=given.window or preset.window_seconds,
        quantile=given.quantile or preset.quantile,
        owners="none" if given.workload else given.owners or preset.owners,
        whom=_whom(preset.whom, given, namespace),
    )


def _whom(own: Whom, given: PresetParameters, namespace: str) -> Whom:
    if given.workload is not None:
        return Whom(constant=(namespace, given.workload))
    if given.labels is None:
        return own
    (kind,) = given.labels.written()
    return Whom(given.labels.namespace or own.namespace, kind, getattr(given.labels, kind))
