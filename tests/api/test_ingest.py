"""The door for pushed metrics: who may push, what is taken, and one clear answer for everything else."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.api.fakes import TOKEN, Answer, FakeView, ask, served, visited
from tests.signals.push.senders import named, otlp_request, snappy, write_request

from podium.api.ingest import Limits
from podium.signals.push.question import question
from podium.signals.push.source import PushSource

NOW = 1_800_000_000.0
LOAD = question("load", {}, rate=False)
WRITE, OTLP = "/ingest/remote-write", "/ingest/otlp/v1/metrics"
REMOTE = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
PROTOBUF, JSON = {"content-type": "application/x-protobuf"}, {"content-type": "application/json"}
WEB = {"k8s.namespace.name": "shop", "k8s.deployment.name": "web"}
BODY = write_request((named("load", deployment="web"), [(NOW - 1, 5.0)]))


def options(*sources: PushSource, **more: Any) -> dict[str, Any]:
    return {"pushed": {one.name: one for one in sources}, "clock": lambda: NOW} | more


def values(source: PushSource) -> list[float]:
    found: list[float] = source.newest(LOAD, NOW).values.tolist()
    return found


async def pushed(
    body: bytes, headers: Mapping[str, str] = REMOTE, path: str = WRITE, **more: Any
) -> tuple[Answer, PushSource]:
    source = PushSource("pushed", most=more.pop("most", 100))
    async with visited(**options(source, **more)) as client:
        async with client.post(path, data=body, headers=headers) as answer:
            said = (await answer.read()).decode(errors="replace")  # a Status in protobuf is not all text
        return Answer(answer.status, answer.headers, said), source


async def test_a_remote_write_is_taken_and_answered_with_nothing() -> None:
    answer, source = await pushed(snappy(BODY))
    assert (answer.status, answer.text, values(source)) == (204, "", [5.0])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ["protobuf", "json"])
async def test_an_otlp_request_is_taken_and_answered_in_its_encoding(encoding: str, packed: bool) -> None:
    request = otlp_request("load", [{"at": NOW - 1, "value": 5.0}], resource=WEB)
    body, headers = request.SerializeToString(), dict(PROTOBUF)
    if encoding == "json":
        body, headers = json_of(NOW - 1, 5.0), dict(JSON)
    if packed:
        body, headers = gzip.compress(body), headers | {"content-encoding": "gzip"}
    answer, source = await pushed(body, headers, OTLP)
    expected = ("{}", "application/json") if encoding == "json" else ("", "application/x-protobuf")
    assert (answer.status, answer.text, answer.headers["content-type"]) == (200, *expected)
    assert values(source) == [5.0]


async def test_points_that_no_signal_reads_are_a_partial_success() -> None:
    answer, source = await pushed(json_of(NOW - 1, 5.0, {"timeUnixNano": "0", "asInt": "1"}), JSON, OTLP)
    told = {"partialSuccess": {"rejectedDataPoints": "1", "errorMessage": "1 points without a time"}}
    assert (answer.status, answer.json(), values(source)) == (200, told, [5.0])


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        (REMOTE | {"content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}, WRITE),
        (REMOTE | {"content-type": "text/plain"}, WRITE),
        (REMOTE | {"content-encoding": "gzip"}, WRITE),
        (PROTOBUF | {"content-encoding": "zstd"}, OTLP),
        ({"content-type": "text/plain"}, OTLP),
    ],
)
async def test_other_formats_are_415_so_that_senders_fall_back(headers: Mapping[str, str], path: str) -> None:
    answer, source = await pushed(snappy(BODY), headers, path)
    assert (answer.status, values(source)) == (415, [])
    assert "expected" in answer.text


async def test_a_content_type_that_names_version_one_is_taken() -> None:
    headers = REMOTE | {"content-type": "application/x-protobuf;proto=prometheus.WriteRequest"}
    assert (await pushed(snappy(BODY), headers))[0].status == 204


@pytest.mark.parametrize(
    ("body", "headers", "path", "expected"),
    [
        (b"garbage", REMOTE, WRITE, "the body is not a snappy block"),
        (snappy(b"garbage"), REMOTE, WRITE, "the body is not a prometheus.WriteRequest"),
        (snappy(BODY + write_request(({"x": "y"}, []))), REMOTE, WRITE, "timeseries[1]: no label __name__"),
        (b"garbage", PROTOBUF, OTLP, "the body is not an ExportMetricsServiceRequest in protobuf"),
        (b"garbage", JSON, OTLP, "the body is not an ExportMetricsServiceRequest in json"),
        (b"garbage", JSON | {"content-encoding": "gzip"}, OTLP, "the body is not gzip"),
        (gzip.compress(b"{}", mtime=0)[:-4], JSON | {"content-encoding": "gzip"}, OTLP, "not one whole gzip member"),
    ],
)
async def test_what_can_never_be_taken_is_400_and_nothing_is(
    body: bytes, headers: Mapping[str, str], path: str, expected: str
) -> None:
    answer, source = await pushed(body, headers, path)
    assert (answer.status, len(source.store), "retry-after" in answer.headers) == (400, 0, False)
    assert expected in answer.text
    assert "nothing was taken" in answer.text


async def test_an_error_of_otlp_is_a_status_of_its_own() -> None:
    answer, _ = await pushed(b"[]", JSON, OTLP)
    assert answer.json()["code"] == 3
    assert answer.headers["content-type"] == "application/json"


async def test_no_room_is_429_and_says_when_to_come_again() -> None:
    two = write_request(*((named("load", deployment=name), [(NOW, 1.0)]) for name in ("a", "b")))
    answer, source = await pushed(snappy(two), most=1)
    assert (answer.status, answer.headers["retry-after"], len(source.store)) == (429, "60", 0)


@pytest.mark.parametrize(
    ("body", "headers", "path", "limits"),
    [
        (snappy(BODY), REMOTE, WRITE, Limits(most_bytes=10)),
        (snappy(bytes(10_000)), REMOTE, WRITE, Limits(most_unpacked=9_999)),
        (gzip.compress(bytes(10_000), mtime=0), JSON | {"content-encoding": "gzip"}, OTLP, Limits(most_unpacked=9_999)),
    ],
)
async def test_what_is_too_large_packed_or_not_is_413(
    body: bytes, headers: Mapping[str, str], path: str, limits: Limits
) -> None:
    answer, source = await pushed(body, headers, path, ingest_limits=limits)
    assert (answer.status, len(source.store)) == (413, 0)


async def test_a_body_without_a_length_is_counted_while_it_comes() -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield bytes(1000)

    answer, _ = await pushed(endless(), ingest_limits=Limits(most_bytes=5000))  # type: ignore[arg-type]
    assert answer.status == 413


async def test_a_body_that_does_not_come_is_503_and_more_than_allowed_wait_outside() -> None:
    source = PushSource("pushed")
    limits = Limits(patience_seconds=0.5, under_way=1)
    async with (
        served(FakeView(), **options(source, ingest_limits=limits)) as address,
        visited(**options(source)) as _,
    ):
        place = urlsplit(address)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        head = f"POST {WRITE} HTTP/1.1\r\nhost: {place.netloc}\r\nauthorization: Bearer {TOKEN}\r\n"
        rest = "content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\ncontent-length: 100\r\n\r\nab"
        writer.write((head + rest).encode())
        await writer.drain()
        await asyncio.sleep(0.1)
        second = await raw(place.hostname, place.port, (head + rest).encode())
        first = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        writer.close()
    assert [one.split(b"\r\n", 1)[0] for one in (first, second)] == [b"HTTP/1.1 503 Service Unavailable"] * 2
    assert all(b"retry-after: 1\r\n" in one for one in (first, second))


async def test_who_hangs_up_in_the_middle_leaves_nothing_behind() -> None:
    source = PushSource("pushed")
    async with served(FakeView(), **options(source, ingest_limits=Limits(under_way=1))) as address:
        place = urlsplit(address)
        body = snappy(BODY)
        head = (
            f"POST {WRITE} HTTP/1.1\r\nhost: {place.netloc}\r\nauthorization: Bearer {TOKEN}\r\n"
            f"content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\ncontent-length: {len(body)}\r\n"
        )
        for _ in range(3):
            _, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.write(f"{head}\r\n".encode() + body[:5])
            await writer.drain()
            writer.close()
            await asyncio.sleep(0.1)
        whole = f"{head}connection: close\r\n\r\n".encode() + body
        answer = await raw(place.hostname, place.port, whole)
    assert (answer.split(b" ")[1], values(source)) == (b"204", [5.0])


async def raw(host: str | None, port: int | None, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    finally:
        writer.close()


async def test_without_a_token_nothing_is_read() -> None:
    source = PushSource("pushed")
    async with visited(**options(source)) as client:
        answer = await ask(client.post(WRITE, data=snappy(BODY), headers=REMOTE | {"authorization": "Bearer no"}))
    assert (answer.status, len(source.store)) == (401, 0)


async def test_the_token_of_a_source_opens_that_source_and_nothing_else() -> None:
    one, other = PushSource("one"), PushSource("other")
    own = {"authorization": "Bearer only-for-source-one"}
    async with visited(**options(one, other, senders={"one": "only-for-source-one"})) as client:
        found = [
            (await ask(client.post(WRITE, data=snappy(BODY), headers=REMOTE | own))).status,
            (await ask(client.post(f"{WRITE}?source=other", data=snappy(BODY), headers=REMOTE | own))).status,
            (await ask(client.get("/api/v1/sources", headers=own))).status,
        ]
    assert (found, values(one), values(other)) == ([204, 404, 401], [5.0], [])


async def test_podiums_token_names_the_source_where_there_are_two() -> None:
    one, other = PushSource("one"), PushSource("other")
    async with visited(**options(one, other)) as client:
        unnamed = await ask(client.post(WRITE, data=snappy(BODY), headers=REMOTE))
        named_ = await ask(client.post(f"{WRITE}?source=other", data=snappy(BODY), headers=REMOTE))
    assert (unnamed.status, named_.status, values(one), values(other)) == (404, 204, [], [5.0])
    assert unnamed.json()["detail"] == "No source is named; of kind push there are: one, other."


async def test_without_a_source_of_kind_push_the_answer_says_what_to_write() -> None:
    async with visited(**options()) as client:
        answer = await ask(client.post(WRITE, data=snappy(BODY), headers=REMOTE))
    assert answer.status == 404
    assert "write one of kind push into the settings" in answer.json()["detail"]


def json_of(at: float, value: float, *more: dict[str, Any]) -> bytes:
    attributes = [{"key": key, "value": {"stringValue": text}} for key, text in WEB.items()]
    points = [{"timeUnixNano": str(round(at * 1e9)), "asDouble": value}, *more]
    metrics = [{"name": "load", "gauge": {"dataPoints": points}}]
    of_resource = {"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": metrics}]}
    return json.dumps({"resourceMetrics": [of_resource]}).encode()
