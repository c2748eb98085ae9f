"""Signal: a measured series with its unit, where it comes from, and when its silence counts as missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from podium.documents.document import Document
from podium.documents.shape import Objection, Shape
from podium.documents.values import Label, ObjectName, PositiveSeconds, Text, not_before
from podium.signals.parameters import PresetName, PresetParameters, adapted
from podium.signals.presets import PRESETS, Preset
from podium.signals.push.question import question

Unit: TypeAlias = Literal["cores", "bytes", "per_second", "seconds", "ratio", "count"]
Reduce: TypeAlias = Literal["sum", "mean", "max"]


class PrometheusOrigin(Shape):
    """An instant query, asked once per interval for the whole fleet: one's own, or a ready-made one."""

    query: Text | None = None
    """PromQL whose result carries `namespace` and a label that names the pod or workload."""
    preset: PresetName | None = None
    """A ready-made query by its name, in place of `query`; `podium policy presets` lists them with their PromQL."""
    parameters: PresetParameters | None = None
    """What is other than in the preset."""
    source: Label | None = None
    """The source in Settings; may be left out when there is only one of kind prometheus."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (
            ("has(self.query) != has(self.preset)", "either query or preset"),
            ("!has(self.parameters) || has(self.preset)", "parameters belong to a preset"),
        )

    def objections(self) -> Iterator[Objection]:
        """A query or a preset, and parameters that it has."""
        if self.query is None and self.preset is None:
            yield Objection(("query",), "PromQL, or the name of a preset")
        if self.query is not None and self.preset is not None:
            yield Objection(("preset",), "nothing here, because query is written")
        if self.preset is not None:
            misplaced = (self.parameters or PresetParameters()).misplaced(self.preset)
            yield from (Objection(("parameters", *one.path), one.expected) for one in misplaced)
        elif self.parameters is not None:
            yield Objection(("parameters",), "nothing here, because there is no preset")

    def promql(self, namespace: str) -> str:
        """What Prometheus is asked for a Signal of `namespace`."""
        if self.preset is None:
            return self.query or ""
        return adapted(self.preset, self.parameters, namespace).promql()

    def promql_of_past(self, namespace: str) -> str:
        """The same of times whose pods are gone; "" where the query itself tells it."""
        if self.preset is None:
            return ""
        preset = adapted(self.preset, self.parameters, namespace)
        return "" if preset.past is preset else preset.past.promql()


class ReplayOrigin(Shape):
    """A column of a recorded file."""

    column: Text
    """The column that holds the values."""
    source: Label | None = None
    """The source in Settings; may be left out when there is only one of kind replay."""


class ClusterOrigin(Shape):
    """What the cluster's own resource metrics say of each pod."""

    resource: Literal["cpu", "memory"]
    """cpu is in cores, memory in bytes."""
    source: Label | None = None
    """The source in Settings; may be left out when there is only one of kind cluster."""


class PushOrigin(Shape):
    """What senders push to Podium, at /ingest/remote-write or /ingest/otlp/v1/metrics."""

    metric: Text
    """The metric's name; `http.server.requests` and `http_server_requests` are the same one."""
    match: dict[str, str] = Field(default_factory=dict)
    """Labels that its series must have. Whom each measures is read as from Prometheus: `namespace`, and `pod` or the
    workload."""
    rate: bool = False
    """The metric counts, and its rise a second is wanted; what OTLP tells as a counter is always read so."""
    source: Label | None = None
    """The source in Settings; may be left out when there is only one of kind push."""

    def query(self) -> str:
        """What the source is asked."""
        return question(self.metric, self.match, rate=self.rate)


class AnomalyOrigin(Shape):
    """How far out of the ordinary each new reading of another Signal is, from 0 to 1; 0.5 and more is an alarm."""

    of: ObjectName
    """The Signal whose readings are judged, by its name in the same namespace."""
    threshold: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 2.5
    """The sensitivity; higher is quieter."""


Origin: TypeAlias = PrometheusOrigin | ReplayOrigin | ClusterOrigin | PushOrigin  # whom a source answers

_ORIGINS = ("prometheus", "replay", "cluster", "push", "anomaly")
_JUDGED = {"reduce": "reduce", "interval": "interval", "stale_after": "staleAfter"}  # by the Signal that is judged
_RESOURCE_UNITS = {"cpu": "cores", "memory": "bytes"}


def _preset(origin: PrometheusOrigin | None) -> Preset | None:
    return PRESETS[origin.preset] if origin is not None and origin.preset is not None else None


def _preset_units() -> str:
    """CEL: a unit beside a preset is the one it measures in. Lists, for a map would be made anew for every Signal."""
    by_unit: dict[str, list[str]] = {}
    for name, preset in PRESETS.items():
        by_unit.setdefault(preset.unit, []).append(name)
    fits = (f"(self.unit == '{unit}' && self.prometheus.preset in {names})" for unit, names in by_unit.items())
    return " || ".join(["!has(self.prometheus)", "!has(self.prometheus.preset)", "!has(self.unit)", *fits])


def _or_preset(name: str, otherwise: Any) -> Any:
    """A field that a preset fills in where nobody writes it."""

    def fill(written: dict[str, Any]) -> Any:
        if name == "unit" and written["anomaly"] is not None:
            return "ratio"
        preset = _preset(written["prometheus"])
        return otherwise if preset is None else getattr(preset, name)

    return Field(default_factory=fill, validate_default=True)


class SignalSpec(Shape):
    """What is measured, where, and for how long a value counts."""

    prometheus: PrometheusOrigin | None = None
    """Measured by Prometheus. Exactly one of prometheus, replay, cluster, push and anomaly is written."""
    replay: ReplayOrigin | None = None
    """Read from a recording."""
    cluster: ClusterOrigin | None = None
    """Measured by the cluster itself."""
    push: PushOrigin | None = None
    """Told by whoever measures it."""
    anomaly: AnomalyOrigin | None = None
    """Not measured, but judged: what is out of the ordinary in another Signal."""
    unit: Unit = _or_preset("unit", None)
    """What the values are: cores, bytes, per_second, seconds, ratio or count. A preset knows it."""
    reduce: Reduce = _or_preset("reduce", "sum")
    """How the pods of a workload become one value: load adds up, utilisation does not. sum, or as the preset says."""
    interval: PositiveSeconds = _or_preset("interval_seconds", 15.0)
    """How often a new value is expected; 15s, the usual scrape interval, or as the preset says."""
    stale_after: PositiveSeconds = _or_preset("stale_after_seconds", 60.0)
    """Age after which a value is missing, and missing holds; 1m, four lost scrapes, or as the preset says."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        one = " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in _ORIGINS)
        unit = "has(self.unit) || has(self.anomaly) || (has(self.prometheus) && has(self.prometheus.preset))"
        resources = "self.unit == (self.cluster.resource == 'cpu' ? 'cores' : 'bytes')"
        judged = " || ".join(f"has(self.{name})" for name in _JUDGED.values())
        return (
            (f"{one} == 1", f"exactly one of {', '.join(_ORIGINS)}"),
            (unit, "a unit, which only a preset knows"),
            (f"!has(self.cluster) || !has(self.unit) || {resources}", "cpu is measured in cores, memory in bytes"),
            ("!has(self.anomaly) || !has(self.unit) || self.unit == 'ratio'", "ratio, which a score from 0 to 1 is"),
            (f"!has(self.anomaly) || !({judged})", f"{', '.join(_JUDGED.values())} are those of the Signal judged"),
            (_preset_units(), "the unit in which the preset measures, or nothing"),
            (not_before("staleAfter", "interval"), "staleAfter is at least the interval"),
        )

    def objections(self) -> Iterator[Objection]:
        """Exactly one origin, a unit that fits it, and patience for at least one interval."""
        written = [name for name in _ORIGINS if getattr(self, name) is not None]
        if not written:
            yield Objection(("prometheus",), "an origin: one of prometheus, replay, cluster, push and anomaly")
        for name in written[1:]:
            yield Objection((name,), f"nothing here, because the origin is {written[0]}")
        if self.stale_after < self.interval:
            yield Objection(("staleAfter",), f"at least the interval of {self.interval:g}s")
        if (preset := _preset(self.prometheus)) is not None and self.unit != preset.unit:
            yield Objection(("unit",), f"{preset.unit}, in which the preset measures, or nothing")
        if self.cluster is not None and self.unit != _RESOURCE_UNITS[self.cluster.resource]:
            unit = _RESOURCE_UNITS[self.cluster.resource]
            yield Objection(("unit",), f"{unit}, because {self.cluster.resource} is measured in {unit}")
        if self.anomaly is not None:
            yield from self._objections_to_anomaly(self.anomaly)

    def _objections_to_anomaly(self, anomaly: AnomalyOrigin) -> Iterator[Objection]:
        """A score is a ratio, and there is a new one with every reading of the Signal that is judged."""
        if self.unit != "ratio":
            yield Objection(("unit",), "ratio, which a score from 0 to 1 is, or nothing")
        for field in _JUDGED.keys() & self.model_fields_set:
            yield Objection((_JUDGED[field],), f"nothing here: it is that of the Signal {anomaly.of}")

    @property
    def origin(self) -> Origin | None:
        """The one origin that is written; None: no source is asked, because the signal is an anomaly."""
        return self.prometheus or self.replay or self.cluster or self.push

    @property
    def origin_kind(self) -> str:
        """`prometheus`, `replay`, `cluster` or `push`, the kind of source in Settings; or `anomaly`."""
        return next(name for name in _ORIGINS if getattr(self, name) is not None)


class Signal(Document):
    """A measured series of a namespace's workloads."""

    plural: ClassVar[str] = "signals"
    columns: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("Unit", "string", ".spec.unit"),
        ("Reduce", "string", ".spec.reduce"),
        ("Interval", "string", ".spec.interval"),
    )

    kind: Literal["Signal"] = "Signal"
    spec: SignalSpec
