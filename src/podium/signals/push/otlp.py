"""OTLP metrics, as protobuf or JSON: gauges and sums. https://opentelemetry.io/docs/specs/otlp/

A gauge, and a sum that also falls, is taken as it is; a sum that only rises becomes a rate, whether it is told since
its start (cumulative) or since the last time (delta). Histograms and summaries are refused point by point.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec
import numpy as np

from podium.clients import messages
from podium.signals.push.batch import NAME, STALE, Batch, Labels, Malformed, labels_of
from podium.signals.push.question import plain

Encoding = Literal["protobuf", "json"]

# What the semantic conventions call what a series measures, in the words of Prometheus' labels.
_KUBERNETES = {
    "k8s.namespace.name": "namespace",
    "k8s.pod.name": "pod",
    "k8s.deployment.name": "deployment",
    "k8s.statefulset.name": "statefulset",
    "k8s.replicaset.name": "replicaset",
}
_DELTA, _CUMULATIVE = 1, 2
_NO_VALUE = 1  # of a point's flags: the series has ended
_SECOND = 1e9


@dataclasses.dataclass(frozen=True, slots=True)
class Decoded:
    """One request: what can be taken, and how many points cannot, and why."""

    batch: Batch
    rejected: int
    why: str  # "" when nothing is


class _Json(msgspec.Struct, rename="camel"):
    """OTLP's JSON: names in camel case, 64-bit integers as text or as numbers, what is unknown passed over."""


class _Any(_Json):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None


class _Attribute(_Json):
    key: str = ""
    value: _Any | None = None


class _Point(_Json):
    attributes: list[_Attribute] = []
    start_time_unix_nano: int | str = 0
    time_unix_nano: int | str = 0
    as_double: float | str | None = None
    as_int: int | str | None = None
    flags: int = 0


class _Gauge(_Json):
    data_points: list[_Point] = []


class _Sum(_Json):
    data_points: list[_Point] = []
    aggregation_temporality: int | str = 0
    is_monotonic: bool = False


class _Other(_Json):
    data_points: list[msgspec.Raw] = []


class _Metric(_Json):
    name: str = ""
    gauge: _Gauge | None = None
    sum: _Sum | None = None
    histogram: _Other | None = None
    exponential_histogram: _Other | None = None
    summary: _Other | None = None


class _Scope(_Json):
    metrics: list[_Metric] = []


class _Resource(_Json):
    attributes: list[_Attribute] = []


class _OfResource(_Json):
    resource: _Resource | None = None
    scope_metrics: list[_Scope] = []


class _Request(_Json):
    resource_metrics: list[_OfResource] = []


_JSON = msgspec.json.Decoder(_Request)
_TEMPORALITY = {"AGGREGATION_TEMPORALITY_DELTA": _DELTA, "AGGREGATION_TEMPORALITY_CUMULATIVE": _CUMULATIVE}


def decode(content: bytes, encoding: Encoding) -> Decoded:
    """An ExportMetricsServiceRequest. Raises Malformed."""
    from google.protobuf.message import DecodeError

    try:
        if encoding == "json":
            request = _JSON.decode(content)
            return _Reader().read(request, lambda message, field: getattr(message, field) is not None)
        request = _messages()["Request"].FromString(content)
        return _Reader().read(request, lambda message, field: message.HasField(field))
    except (DecodeError, UnicodeDecodeError, msgspec.DecodeError, ValueError, OverflowError) as error:
        raise Malformed(f"the body is not an ExportMetricsServiceRequest in {encoding} ({error})") from error


class _Reader:
    """Walks through a request; both encodings have the same names and shapes."""

    def __init__(self) -> None:
        self._rows: dict[Labels, int] = {}
        self._counter: list[bool] = []
        self._row: list[int] = []
        self._at: list[float] = []
        self._value: list[float] = []
        self._rejected: dict[str, int] = {}

    def read(self, request: Any, has: Any) -> Decoded:
        for number, one in enumerate(request.resource_metrics):
            resource = dict(_pairs(one.resource.attributes, has)) if has(one, "resource") else {}
            for scope in one.scope_metrics:
                for metric in scope.metrics:
                    self._metric(metric, resource, f"resourceMetrics[{number}], metric {metric.name!r}", has)
        series, counter = list(self._rows), np.array(self._counter, np.bool_)
        row = np.array(self._row, np.int64)
        batch = Batch(series, counter, row, np.array(self._at, np.float64), np.array(self._value, np.float64))
        why = "; ".join(f"{count} {what}" for what, count in self._rejected.items())
        return Decoded(batch, sum(self._rejected.values()), why)

    def _metric(self, metric: Any, resource: dict[str, str], where: str, has: Any) -> None:
        for kind in ("histogram", "exponential_histogram", "summary"):
            if has(metric, kind):
                self._reject(f"points of a {kind}, of which no Signal reads", len(getattr(metric, kind).data_points))
        if has(metric, "gauge"):
            self._points(metric.name, metric.gauge.data_points, resource, where, has, 0)
        if has(metric, "sum"):
            self._sum(metric, resource, where, has)

    def _sum(self, metric: Any, resource: dict[str, str], where: str, has: Any) -> None:
        told = metric.sum.aggregation_temporality
        told = _TEMPORALITY.get(told, 0) if isinstance(told, str) else told
        points = metric.sum.data_points
        if told not in (_DELTA, _CUMULATIVE):
            self._reject("points of a sum without aggregation temporality", len(points))
        elif metric.sum.is_monotonic or told == _DELTA:
            self._points(metric.name, points, resource, where, has, told)
        else:
            self._points(metric.name, points, resource, where, has, 0)  # up and down: a level

    def _points(
        self, name: str, points: Iterable[Any], resource: dict[str, str], where: str, has: Any, told: int
    ) -> None:
        for point in points:
            at, value = int(point.time_unix_nano) / _SECOND, _value(point, has)
            if not at:
                self._reject("points without a time", 1)
                continue
            if told == _DELTA:
                span = at - int(point.start_time_unix_nano) / _SECOND
                if not point.start_time_unix_nano or span <= 0:
                    self._reject("points of a delta without the time that it began", 1)
                    continue
                value = value / span
            labels = resource | dict(_pairs(point.attributes, has)) | {NAME: plain(name) if name else ""}
            key = labels_of(labels.items(), where)
            row = self._rows.setdefault(key, len(self._rows))
            if row == len(self._counter):
                self._counter.append(told == _CUMULATIVE)
            self._row.append(row)
            self._at.append(at)
            self._value.append(value)

    def _reject(self, what: str, count: int) -> None:
        if count:
            self._rejected[what] = self._rejected.get(what, 0) + count


def _value(point: Any, has: Any) -> float:
    if point.flags & _NO_VALUE:
        return float(STALE[0])
    if has(point, "as_double"):
        return float(point.as_double)
    return float(int(point.as_int)) if has(point, "as_int") else float("nan")


def _pairs(attributes: Iterable[Any], has: Any) -> Iterator[tuple[str, str]]:
    """Labels of attributes that are text, numbers or truth values; what is nested names nothing."""
    found: dict[str, str] = {}
    for one in attributes:
        value = one.value if has(one, "value") else None
        for field in ("string_value", "int_value", "bool_value", "double_value"):
            if value is not None and has(value, field):
                written = getattr(value, field)
                text = str(written).lower() if isinstance(written, bool) else str(written)
                found[_KUBERNETES.get(one.key, plain(one.key))] = text
    return iter(found.items())


@functools.cache
def _messages() -> dict[str, Any]:
    """Those of opentelemetry/proto/metrics/v1/metrics.proto that are read; points of other kinds are only counted."""
    return messages.built(
        "podium.otlp",
        {
            "Value": [
                ("string_value", 1, "?string"),
                ("bool_value", 2, "?bool"),
                ("int_value", 3, "?int64"),
                ("double_value", 4, "?double"),
            ],
            "Attribute": [("key", 1, "string"), ("value", 2, "Value")],
            "Point": [
                ("start_time_unix_nano", 2, "fixed64"),
                ("time_unix_nano", 3, "fixed64"),
                ("as_double", 4, "?double"),
                ("as_int", 6, "?sfixed64"),
                ("attributes", 7, "[]Attribute"),
                ("flags", 8, "uint32"),
            ],
            "Gauge": [("data_points", 1, "[]Point")],
            "Sum": [
                ("data_points", 1, "[]Point"),
                ("aggregation_temporality", 2, "int32"),
                ("is_monotonic", 3, "bool"),
            ],
            "Other": [("data_points", 1, "[]bytes")],
            "Metric": [
                ("name", 1, "string"),
                ("gauge", 5, "Gauge"),
                ("sum", 7, "Sum"),
                ("histogram", 9, "Other"),
                ("exponential_histogram", 10, "Other"),
                ("summary", 11, "Other"),
            ],
            "Scope": [("metrics", 2, "[]Metric")],
            "Resource": [("attributes", 1, "[]Attribute")],
            "OfResource": [("resource", 1, "Resource"), ("scope_metrics", 2, "[]Scope")],
            "Request": [("resource_metrics", 1, "[]OfResource")],
        },
    )
