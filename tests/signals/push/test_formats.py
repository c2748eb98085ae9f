"""Remote write and OTLP as they are decoded: what is said, what cannot be taken, what is no request at all."""

from __future__ import annotations

import json
import math
import random
import struct
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from tests.signals.push.senders import field, label, named, otlp_request, varint, write_request

from podium.signals.push import otlp
from podium.signals.push.batch import STALE, Batch, Malformed, ended
from podium.signals.push.remote_write import Decoder

NOW = 1_800_000_000.0
WEB = {"k8s.namespace.name": "shop", "k8s.deployment.name": "web"}
LABELS = (("__name__", "http_server_requests"), ("deployment", "web"), ("namespace", "shop"))
CUMULATIVE, DELTA = 2, 1


def facts(batch: Batch) -> list[tuple[Any, bool, float, float]]:
    rows = zip(batch.row.tolist(), batch.at.tolist(), batch.value.tolist(), strict=True)
    return [(batch.series[row], bool(batch.counter[row]), at - NOW, value) for row, at, value in rows]


def test_remote_write_gives_samples_of_series_by_label() -> None:
    series = (named("load", deployment="web"), [(NOW - 1, 0.0), (NOW, 2.5)]), (named("other.one"), [(NOW, -1.0)])
    web = (("__name__", "load"), ("deployment", "web"), ("namespace", "shop"))
    other = (("__name__", "other_one"), ("namespace", "shop"))
    expected = [(web, False, -1.0, 0.0), (web, False, 0.0, 2.5), (other, False, 0.0, -1.0)]
    assert facts(Decoder(10).decode(write_request(*series))) == expected


def test_a_sample_whose_fields_stand_the_other_way_round_is_read_all_the_same() -> None:
    turned = b"\x10" + varint(round(NOW * 1000)) + b"\x09" + struct.pack("<d", 4.0)
    body = field(1, label("__name__", "load") + field(2, turned))
    assert facts(Decoder(10).decode(body)) == [((("__name__", "load"),), False, 0.0, 4.0)]


def test_the_marker_of_an_ended_series_is_told_from_any_other_nan() -> None:
    series = named("load"), [(NOW - 1, float(STALE[0])), (NOW, math.nan)]
    assert ended(Decoder(10).decode(write_request(series)).value).tolist() == [True, False]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (label("namespace", "shop"), "timeseries[0]: no label __name__"),
        (label("__name__", "a") + label("x", "1") + label("x", "2"), "a label 'x' that is there twice"),
        (label("__name__", "a") + label("", "1"), "a label '' that is without a name"),
        (label("__name__", "a" * 9000), "at most 64 of 8,192 together"),
        (label("__name__", "a") + b"".join(label(f"l{n}", "") for n in range(70)), "71 labels of"),
    ],
)
def test_labels_that_can_never_be_taken_are_named(labels: bytes, expected: str) -> None:
    with pytest.raises(Malformed) as raised:
        Decoder(10).decode(field(1, labels))
    assert expected in str(raised.value)


def test_garbage_is_malformed_in_every_format_and_never_anything_else() -> None:
    chance = random.Random(7)
    whole = (
        write_request((named("load", deployment="web"), [(NOW, 1.0)])),
        otlp_request("load", [{"at": NOW, "value": 1.0}], resource=WEB).SerializeToString(),
    )
    refused = 0
    for _ in range(600):
        for content in whole:
            spoilt = bytearray(content)
            for _ in range(chance.randint(1, 6)):
                spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
            for decode in (Decoder(10).decode, lambda body: otlp.decode(body, "protobuf")):
                try:
                    decode(bytes(spoilt[: chance.randint(1, len(spoilt))]))
                except Malformed:
                    refused += 1
    assert refused > 600


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize(
    ("point", "sum_", "counter", "value"),
    [
        ({"value": 12.5}, {}, False, 12.5),
        ({"count": 7}, {}, False, 7.0),
        ({"count": 7}, {"monotonic": True, "temporality": CUMULATIVE}, True, 7.0),
        ({"count": -7}, {"monotonic": False, "temporality": CUMULATIVE}, False, -7.0),
        ({"count": 50, "start": NOW - 10}, {"monotonic": True, "temporality": DELTA}, False, 5.0),
    ],
)
def test_gauges_and_sums_of_otlp(
    encoding: otlp.Encoding, point: dict[str, Any], sum_: dict[str, Any], counter: bool, value: float
) -> None:
    found = otlp.decode(written("http.server.requests", [{"at": NOW} | point], encoding, **sum_), encoding)
    assert (facts(found.batch), found.rejected) == ([(LABELS, counter, 0.0, value)], 0)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_point_without_recorded_value_says_that_its_series_has_ended(encoding: otlp.Encoding) -> None:
    found = otlp.decode(written("load", [{"at": NOW, "flags": 1}], encoding), encoding)
    assert ended(found.batch.value).tolist() == [True]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_points_that_no_signal_reads_are_counted_and_the_others_taken(encoding: otlp.Encoding) -> None:
    request = otlp_request("load", [{"at": NOW, "value": 1.0}, {"at": 0, "value": 2.0}], resource=WEB)
    metrics = request.resource_metrics[0].scope_metrics[0].metrics
    metrics.add(name="took").histogram.data_points.add(count=3)
    metrics.add(name="odd").sum.data_points.add(time_unix_nano=1, as_int=1)
    found = otlp.decode(encoded(request, encoding), encoding)
    assert (len(found.batch), found.rejected) == (1, 3)
    assert found.why == (
        "1 points without a time; 1 points of a histogram, of which no Signal reads; "
        "1 points of a sum without aggregation temporality"
    )


def test_attributes_of_the_point_stand_above_those_of_the_resource() -> None:
    body = {
        "resourceMetrics": [
            {
                "resource": {"attributes": [{"key": "k8s.pod.name", "value": {"stringValue": "a"}}]},
                "scopeMetrics": [{"metrics": [{"name": "n", "gauge": {"dataPoints": [
                    {"timeUnixNano": str(int(NOW * 1e9)), "asInt": "3", "attributes": [
                        {"key": "k8s.pod.name", "value": {"stringValue": "b"}},
                        {"key": "up", "value": {"boolValue": True}},
                        {"key": "nested", "value": {"arrayValue": {"values": []}}},
                    ]}
                ]}}]}],
            }
        ]
    }  # fmt: skip
    found = otlp.decode(json.dumps(body).encode(), "json")
    assert facts(found.batch) == [((("__name__", "n"), ("pod", "b"), ("up", "true")), False, 0.0, 3.0)]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"resourceMetrics": 3}', b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [null]}]}]}'],
)
def test_what_is_no_json_request_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="the body is not an ExportMetricsServiceRequest in json"):
        otlp.decode(body, "json")


def written(name: str, points: list[dict[str, Any]], encoding: otlp.Encoding, **sum_: Any) -> bytes:
    return encoded(otlp_request(name, points, resource=WEB, **sum_), encoding)


def encoded(request: Any, encoding: otlp.Encoding) -> bytes:
    if encoding == "json":
        return MessageToJson(request, use_integers_for_enums=True).encode()
    return bytes(request.SerializeToString())
