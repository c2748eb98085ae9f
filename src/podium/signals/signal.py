"""Signal: a measured series with its unit, where it comes from, and when its silence counts as missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, TypeAlias

from podium.documents.document import Document
from podium.documents.shape import Objection, Shape
from podium.documents.values import Label, PositiveSeconds, Text

Unit: TypeAlias = Literal["cores", "bytes", "per_second", "seconds", "ratio", "count"]
Reduce: TypeAlias = Literal["sum", "mean", "max"]


class PrometheusOrigin(Shape):
    """An instant query, asked once per interval for the whole fleet."""

    query: Text
    """PromQL whose result carries `namespace` and a label that names the pod or workload."""
    source: Label | None = None
    """The source in Settings; may be left out when there is only one of kind prometheus."""


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


Origin: TypeAlias = PrometheusOrigin | ReplayOrigin | ClusterOrigin

_ORIGINS = ("prometheus", "replay", "cluster")
_RESOURCE_UNITS = {"cpu": "cores", "memory": "bytes"}


class SignalSpec(Shape):
    """What is measured, where, and for how long a value counts."""

    unit: Unit
    """What the values are: cores, bytes, per_second, seconds, ratio or count."""
    prometheus: PrometheusOrigin | None = None
    """Measured by Prometheus. Exactly one of prometheus, replay and cluster is written."""
    replay: ReplayOrigin | None = None
    """Read from a recording."""
    cluster: ClusterOrigin | None = None
    """Measured by the cluster itself."""
    reduce: Reduce = "sum"
    """How the pods of a workload become one value: load adds up, utilisation does not."""
    interval: PositiveSeconds = 15.0
    """How often a new value is expected; the usual scrape interval of 15 seconds."""
    stale_after: PositiveSeconds = 60.0
    """Age after which a value is missing, and missing holds; four lost scrapes of 15 seconds."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        one = " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in _ORIGINS)
        return ((f"{one} == 1", f"exactly one of {', '.join(_ORIGINS)}"),)

    def objections(self) -> Iterator[Objection]:
        """Exactly one origin, a unit that fits it, and patience for at least one interval."""
        written = [name for name in _ORIGINS if getattr(self, name) is not None]
        if not written:
            yield Objection(("prometheus",), "an origin: one of prometheus, replay and cluster")
        for name in written[1:]:
            yield Objection((name,), f"nothing here, because the origin is {written[0]}")
        if self.stale_after < self.interval:
            yield Objection(("staleAfter",), f"at least the interval of {self.interval:g}s")
        if self.cluster is not None and self.unit != _RESOURCE_UNITS[self.cluster.resource]:
            unit = _RESOURCE_UNITS[self.cluster.resource]
            yield Objection(("unit",), f"{unit}, because {self.cluster.resource} is measured in {unit}")

    @property
    def origin(self) -> Origin:
        """The one origin that is written."""
        for origin in (self.prometheus, self.replay, self.cluster):
            if origin is not None:
                return origin
        raise ValueError("a signal without an origin")

    @property
    def origin_kind(self) -> str:
        """`prometheus`, `replay` or `cluster`: the kind of source in Settings."""
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
