"""What senders write: remote write by our own writing of its protobuf, OTLP by OpenTelemetry's own classes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any

import cramjam

Sample = tuple[float, float]  # Unix seconds, value


def varint(number: int) -> bytes:
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def label(name: str, value: str) -> bytes:
    return field(1, field(1, name.encode()) + field(2, value.encode()))


def sample(at: float, value: float) -> bytes:
    return field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(round(at * 1000)))


def timeseries(labels: Mapping[str, str], samples: Iterable[Sample]) -> bytes:
    written = b"".join(label(*one) for one in sorted(labels.items()))
    return field(1, written + b"".join(sample(*one) for one in samples))


def write_request(*series: tuple[Mapping[str, str], Iterable[Sample]]) -> bytes:
    return b"".join(timeseries(*one) for one in series)


def snappy(content: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(content))


def named(metric: str, **labels: str) -> dict[str, str]:
    return {"__name__": metric, "namespace": "shop"} | labels


def otlp_request(name: str, points: Iterable[dict[str, Any]], *, resource: Mapping[str, str], **sum_: Any) -> Any:
    """A request of one metric: a gauge, or a sum where `sum_` says what of."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    request = ExportMetricsServiceRequest()
    of_resource = request.resource_metrics.add()
    for key, value in resource.items():
        of_resource.resource.attributes.add(key=key).value.string_value = value
    metric = of_resource.scope_metrics.add().metrics.add(name=name)
    if sum_:
        metric.sum.is_monotonic = sum_["monotonic"]
        metric.sum.aggregation_temporality = sum_["temporality"]
    kind = metric.sum if sum_ else metric.gauge
    for point in points:
        made = kind.data_points.add(time_unix_nano=round(point["at"] * 1e9), flags=point.get("flags", 0))
        made.start_time_unix_nano = round(point.get("start", 0) * 1e9)
        if "value" in point:
            made.as_double = point["value"]
        if "count" in point:
            made.as_int = point["count"]
    return request
