"""Remote read against a real Prometheus with history of its own, and against servers that say something else."""

from __future__ import annotations

import asyncio
import time

import cramjam
import numpy as np
import pytest
from aiohttp import web
from tests.servers.prometheus import Server
from tests.signals.liar import Liar

from podium.clients import remote_read
from podium.clients.prometheus import Late, PrometheusClient, Refused, Silent, Unusable
from podium.clients.remote_read import Matcher, Operator, RemoteReader, Samples, matchers_of
from podium.signals import raw
from podium.signals.prometheus import PrometheusSource
from podium.signals.source import Subject

WEB, API = Subject("shop", "deployment", "web"), Subject("shop", "deployment", "api")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("load", [("__name__", Operator.EQUAL, "load")]),
        (" job:load:rate1m {} ", [("__name__", Operator.EQUAL, "job:load:rate1m")]),
        (
            "load{a=\"1\", b!='2',c=~\"x.*\" , d!~\"y|z\",}",
            [
                ("__name__", Operator.EQUAL, "load"), ("a", Operator.EQUAL, "1"), ("b", Operator.NOT_EQUAL, "2"),
                ("c", Operator.MATCHES, "x.*"), ("d", Operator.MATCHES_NOT, "y|z"),
            ],
        ),
        ('{__name__="load"}', [("__name__", Operator.EQUAL, "load")]),
        (
            r'load{a="say \"hi\" \\ there"}',
            [("__name__", Operator.EQUAL, "load"), ("a", Operator.EQUAL, r'say "hi" \ there')],
        ),
    ],
)  # fmt: skip
def test_a_plain_selector_is_read_as_matchers(query: str, expected: list[tuple[str, Operator, str]]) -> None:
    assert matchers_of(query) == tuple(Matcher(*one) for one in expected)


@pytest.mark.parametrize(
    "query",
    ["", "{}", "sum(load)", "load[5m]", "load offset 5m", "load @ 0", "-load", "load + load", "load{a=1}", "1",
     'load{a="1" b="2"}', 'load{"a.b"="1"}', "load{a=`x`}", 'load{a="\\n"}'],
)  # fmt: skip
def test_everything_else_is_no_plain_selector(query: str) -> None:
    assert matchers_of(query) is None


def history(start: float, count: int, step: float = 15.0) -> list[str]:
    """load of web: the number of the sample, with a hole of twenty; of api: zero, every fourth time."""
    web = [
        f'load{{namespace="shop",deployment="web"}} {n} {start + step * n:.3f}'
        for n in range(count)
        if not 40 <= n < 60
    ]
    api = [f'load{{namespace="shop",deployment="api"}} 0 {start + step * n:.3f}' for n in range(0, count, 4)]
    return ["# TYPE load gauge", *web, *api]


@pytest.fixture
def remembering(own_prometheus: Server) -> tuple[Server, float]:
    """A server that remembers an hour (240 samples), and when it began."""
    start = float(int(time.time()) // 7200 * 7200 - 6 * 3600)  # noqa: TID251  a real server's clock
    own_prometheus.remember(*history(start, 240))
    return own_prometheus, start


@pytest.mark.prometheus
async def test_a_real_server_gives_every_sample_it_has(remembering: tuple[Server, float]) -> None:
    server, start = remembering
    reader = RemoteReader(server.url)
    found = await reader.read(matchers_of('load{deployment=~"web|api"}') or (), start, start + 3600)
    none = await reader.read(matchers_of("nothing") or (), start, start + 3600)
    await reader.close()

    api, web = sorted(found, key=lambda one: one.labels)
    assert (web.labels, none) == (b'{"__name__":"load","deployment":"web","namespace":"shop"}', [])
    numbers = [n for n in range(240) if not 40 <= n < 60]
    assert web.value.tolist() == numbers
    assert web.at.tolist() == [start + 15.0 * n for n in numbers]
    assert (api.value.tolist(), api.at.tolist()) == ([0.0] * 60, [start + 60.0 * n for n in range(60)])


@pytest.mark.prometheus
async def test_the_past_of_a_selector_is_read_raw_and_that_of_an_expression_by_range(
    remembering: tuple[Server, float],
) -> None:
    server, start = remembering
    source = PrometheusSource("prom", PrometheusClient(server.url), reader=RemoteReader(server.url))
    at = start - 60 + np.arange(0.0, 3600.0, 60.0)
    found = {}
    for query in ("load", "sum by (namespace, deployment) (load)"):
        subjects, values = await source.past(query, at, 60.0)
        found[query] = {who: values[:, column].tolist() for column, who in enumerate(subjects)}
    await source.close()

    web = [float(4 * n) for n in range(59)]
    # Sample 39 is the last before the hole: 15 s old at its beginning, and too old a minute later.
    expected = [np.nan, *[39.0 if value == 40 else value if not 44 <= value < 60 else np.nan for value in web]]
    np.testing.assert_equal(found["load"][WEB], expected)
    np.testing.assert_equal(found["load"][API], [np.nan, *[0.0] * 59])
    by_range = np.array(found["sum by (namespace, deployment) (load)"][WEB])
    known = ~np.isnan(expected)
    assert by_range[known].tolist() == np.array(expected)[known].tolist()


@pytest.mark.prometheus
async def test_long_pasts_come_in_spans_and_are_the_same(
    remembering: tuple[Server, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, start = remembering
    at, matchers = start + np.arange(0.0, 3600.0, 60.0), matchers_of("load") or ()
    reader = RemoteReader(server.url)
    whole = await raw.raw_past(reader, matchers, at, 120)
    monkeypatch.setattr(raw, "FIRST_SECONDS", 200.0)
    monkeypatch.setattr(raw, "SAMPLES_AT_ONCE", 50)
    pieces = await raw.raw_past(reader, matchers, at, 120)
    await reader.close()

    assert sorted(whole[0]) == sorted(pieces[0])
    order = [pieces[0].index(one) for one in whole[0]]
    np.testing.assert_equal(pieces[1][:, order], whole[1])


@pytest.mark.prometheus
async def test_an_answer_that_is_too_large_is_asked_for_in_smaller_spans(remembering: tuple[Server, float]) -> None:
    server, start = remembering
    small = RemoteReader(server.url, most_bytes=2500)  # an hour of it is 5.6 kB
    _, values = await raw.raw_past(small, matchers_of("load") or (), start + np.arange(0.0, 3600.0, 60.0), 60)
    await small.close()

    assert (~np.isnan(values)).sum() == 60 + 60 - 4


@pytest.mark.prometheus
async def test_what_is_wrong_with_a_selector_is_said_in_words(remembering: tuple[Server, float]) -> None:
    server, start = remembering
    reader = RemoteReader(server.url)
    with pytest.raises((Refused, Silent), match=r"missing closing|error parsing regexp"):
        await reader.read([Matcher("a", Operator.MATCHES, "(")], start, start + 60)
    await reader.close()


def test_a_series_that_ended_has_no_newest_value() -> None:
    marker = np.array([0x7FF0000000000002], np.uint64).view(np.float64)[0]  # Prometheus' staleness marker
    samples = Samples(b"{}", np.array([10.0, 20.0, 30.0]), np.array([1.0, marker, 3.0]))
    found = raw.newest(samples, np.array([5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 89.0, 91.0]), 60)
    np.testing.assert_equal(found, [np.nan, 1, 1, np.nan, np.nan, 3, 3, np.nan])


def encoded(*samples: tuple[float, int]) -> bytes:
    """A read response of one series without labels, by protobuf's own encoder."""
    messages = remote_read._messages()
    series = messages["TimeSeries"](samples=[_sample(value, at) for value, at in samples])
    return bytes(messages["ReadResponse"](results=[messages["QueryResult"](timeseries=[series])]).SerializeToString())


def _sample(value: float, at_ms: int) -> bytes:
    out = b"" if value == 0 and not np.signbit(value) else b"\x09" + np.float64(value).tobytes()
    if at_ms:
        out += b"\x10"
        number = at_ms % (1 << 64)
        while number >= 128:
            out += bytes([number % 128 + 128])
            number //= 128
        out += bytes([number])
    return out


async def read(liar: Liar, **options: float) -> list[Samples]:
    reader = RemoteReader(liar.url, **options)  # type: ignore[arg-type]
    try:
        return await reader.read([Matcher("__name__", Operator.EQUAL, "load")], 0.0, 60.0)
    finally:
        await reader.close()


async def test_samples_of_every_length_are_decoded(liar: Liar) -> None:
    samples = [
        (1.5, -1000),
        (0.0, 0),
        (-0.0, 1),
        (np.inf, 127),
        (2.0, 128),
        (0.0, 1 << 20),
        (np.nan, 1_800_000_000_000),
    ]
    liar.says(bytes(cramjam.snappy.compress_raw(encoded(*samples))), kind="application/x-protobuf")

    (found,) = await read(liar)

    assert found.at.tolist() == [at / 1000 for _, at in samples]
    np.testing.assert_equal(found.value, [value for value, _ in samples])


async def test_the_question_is_snappy_protobuf_and_asks_for_no_further_compression(liar: Liar) -> None:
    bodies = []

    async def reply(request: web.Request) -> web.StreamResponse:
        bodies.append(bytes(cramjam.snappy.decompress_raw(await request.read())))
        return web.Response(body=bytes(cramjam.snappy.compress_raw(b"")))

    liar.reply = reply
    assert await read(liar, bearer="secret") == []  # type: ignore[arg-type]

    request = remote_read._messages()["ReadRequest"].FromString(bodies[0])
    assert [(one.type, one.name, one.value) for one in request.queries[0].matchers] == [(0, "__name__", "load")]
    assert (request.queries[0].start_timestamp_ms, request.queries[0].end_timestamp_ms) == (0, 60_000)
    headers = liar.asked[0][2]
    wanted = ("Accept-Encoding", "Content-Encoding", "X-Prometheus-Remote-Read-Version", "Authorization")
    assert [headers[name] for name in wanted] == ["identity", "snappy", "0.1.0", "Bearer secret"]


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, b"<html>garbage</html>", Unusable, "is not snappy"),
        (200, b"", Unusable, "is not snappy"),
        (200, bytes(cramjam.snappy.compress_raw(b"\xff\xff\xff\xff")), Unusable, "is not a read response"),
        (200, bytes(cramjam.snappy.compress_raw(encoded((1, 2000), (1, 1000)))), Unusable, "times that do not rise"),
        (200, bytes(cramjam.snappy.compress_raw(bytes(10_000_000))), Unusable, "unpacked"),
        (200, bytes(11_000_000), Unusable, "larger than 9,000,000 bytes"),
        (404, b"404 page not found", Refused, "HTTP 404: 404 page not found"),
        (500, b"exceeded sample limit", Silent, "HTTP 500: exceeded sample limit"),
        (429, b"slow down", Silent, "HTTP 429"),
    ],
)
async def test_every_bad_answer_is_told_with_the_url_and_what_came(
    liar: Liar, status: int, body: bytes, kind: type[Exception], words: str
) -> None:
    liar.says(body, status, "application/x-protobuf")
    with pytest.raises(kind) as raised:
        await read(liar, most_bytes=9_000_000)
    assert str(raised.value).startswith(f"{liar.url}/api/v1/read: ")
    assert words in str(raised.value)


async def test_a_server_that_takes_too_long_is_not_waited_for(liar: Liar) -> None:
    gone = asyncio.Event()

    async def reply(request: web.Request) -> web.StreamResponse:
        await gone.wait()
        return web.Response()

    liar.reply = reply
    with pytest.raises(Late, match=r"no answer within 0.2 s"):
        await read(liar, timeout_seconds=0.2)
    gone.set()


async def test_a_server_without_remote_read_is_asked_by_range(liar: Liar) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/read"):
            return web.Response(status=404, text="no such page")
        result = [{"metric": {"namespace": "shop", "deployment": "web"}, "values": [[0, "1"], [60, "2"]]}]
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": result}})

    liar.reply = reply
    source = PrometheusSource("prom", PrometheusClient(liar.url), reader=RemoteReader(liar.url))
    subjects, values = await source.past("load", np.array([0.0, 60.0]), 60)
    await source.close()

    assert (subjects, values.tolist()) == ((WEB,), [[1.0], [2.0]])
