import asyncio
import socket
import time

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from tests.servers.prometheus import Server, free_port
from tests.signals.fakes import NOW, fleet_of, pods_of, values
from tests.signals.liar import Liar

from podium.clients.prometheus import PrometheusClient
from podium.signals import prometheus
from podium.signals.bound import BoundSignal
from podium.signals.breaker import Breaker
from podium.signals.health import State
from podium.signals.observe import Observed, Observer
from podium.signals.prometheus import PrometheusSource
from podium.signals.source import Garbage, Permanent, Subject, Temporary


async def said(url: str, query: str = "load", **options: object) -> str:
    """The kind and words of the error that asking raises."""
    source = PrometheusSource("prom", PrometheusClient(url, **options))  # type: ignore[arg-type]
    try:
        with pytest.raises((Temporary, Permanent)) as raised:
            await source.read(query, NOW)
    finally:
        await source.close()
    return f"{type(raised.value).__name__}: {raised.value}"


async def test_labels_say_whom_a_series_measures(liar: Liar) -> None:
    shop = {"namespace": "shop"}
    liar.vector(
        ({**shop, "pod": "web-1", "deployment": "web"}, "1"),
        ({**shop, "deployment": "web"}, "2"),
        ({**shop, "statefulset": "db"}, "3"),
        ({**shop, "replicaset": "web-5d"}, "4"),
        ({**shop, "workload": "web", "workload_type": "Deployment"}, "5"),
        ({**shop, "workload": "web"}, "6"),
        ({"deployment": "web"}, "7"),
        ({**shop, "job": "web"}, "8"),
    )
    source = PrometheusSource("prom", PrometheusClient(liar.url))

    reading = await source.read("load", NOW)
    await source.close()

    assert reading.subjects == (
        Subject("shop", "pod", "web-1"),
        Subject("shop", "deployment", "web"),
        Subject("shop", "statefulset", "db"),
        Subject("shop", "replicaset", "web-5d"),
        Subject("shop", "deployment", "web"),
        Subject("shop", "workload", "web"),
    )
    assert (reading.values.tolist(), reading.unplaced) == ([1, 2, 3, 4, 5, 6], 2)


async def test_not_a_number_and_infinity_are_legal_strings(liar: Liar) -> None:
    numbers = ("NaN", "+Inf", "-Inf", "1e-3")
    liar.vector(*(({"namespace": "shop", "deployment": f"web{number}"}, number) for number in numbers))
    source = PrometheusSource("prom", PrometheusClient(liar.url))

    reading = await source.read("load", NOW)
    await source.close()

    assert values(reading.values) == [None, float("inf"), float("-inf"), 0.001]


async def test_the_question_carries_time_timeout_credentials_and_asks_for_no_compression(liar: Liar) -> None:
    liar.vector()
    client = PrometheusClient(liar.url + "/", basic=("u", "p"), headers={"X-Scope-OrgID": "shop"}, timeout_seconds=3)
    source = PrometheusSource("prom", client, lookback_seconds=60)

    await source.read("load", NOW)
    await source.read("load" * 1000, NOW)
    await source.close()

    (method, sent, headers), (long_method, long_sent, _) = liar.asked
    assert (method, long_method, long_sent["query"]) == ("GET", "POST", "load" * 1000)
    assert sent == {"query": "load", "time": f"{NOW:.3f}", "timeout": "3", "lookback_delta": "60"}
    assert {name: headers[name] for name in ("Authorization", "X-Scope-OrgID", "Accept-Encoding")} == {
        "Authorization": "Basic dTpw",
        "X-Scope-OrgID": "shop",
        "Accept-Encoding": "identity",
    }


async def test_a_token_is_sent_as_bearer(liar: Liar) -> None:
    liar.vector()
    source = PrometheusSource("prom", PrometheusClient(liar.url, bearer="secret"))

    await source.read("load", NOW)
    await source.close()

    assert liar.asked[0][2]["Authorization"] == "Bearer secret"


HTML = b"<html><body>Please log in</body></html>"
VECTOR = b'{"status":"success","data":{"resultType":"vector","result":[%s]}}'


@pytest.mark.parametrize(
    ("status", "kind", "body", "words"),
    [
        (500, "text/plain", b"panic", "Temporary: URL: HTTP 500, text/plain, 5 bytes: 'panic'"),
        (503, "text/html", HTML, "Temporary: URL: HTTP 503, text/html, 39 bytes: '<html>"),
        (503, "application/json", b'{"status":"error","errorType":"timeout","error":"query timed out"}',
         "Temporary: URL: timeout: query timed out"),
        (400, "application/json", b'{"status":"error","errorType":"bad_data","error":"1:5: parse error"}',
         "Permanent: URL: bad_data: 1:5: parse error (query: load)"),
        (422, "application/json", b'{"status":"error","errorType":"execution","error":"too many samples"}',
         "Permanent: URL: execution: too many samples (query: load)"),
        (404, "text/plain", b"404 page not found", "Permanent: URL: HTTP 404, text/plain"),
        (401, "text/plain", b"", "Permanent: URL: HTTP 401: the credentials are missing or wrong"),
        (403, "text/plain", b"", "Permanent: URL: HTTP 403: the credentials are not enough"),
        (200, "text/html", HTML, "Garbage: URL: HTTP 200, text/html, 39 bytes: '<html>"),
        (200, "application/json", b"", "Garbage: URL: HTTP 200, application/json, 0 bytes: ''"),
        (200, "application/json", b'{"status":"success","data":{"resultType":"vec', "Garbage: URL: HTTP 200"),
        (200, "application/json", b"[" * 100_000, "Garbage: URL: HTTP 200"),
        (200, "application/json", b"[1, 2]", "Garbage: URL: HTTP 200"),
        (200, "application/json", VECTOR % b'{"metric":{},"value":[1,null]}', "Garbage: URL: the answer holds"),
        (200, "application/json", VECTOR % b'{"metric":{},"value":[1,"many"]}', "Garbage: URL: the answer holds"),
        (200, "application/json", VECTOR % b'{"value":[1,"2"]}', "Garbage: URL: the answer holds"),
        (200, "application/json", VECTOR % b'{"metric":{"namespace":7},"value":[1,"2"]}', "Garbage: URL: labels"),
        (200, "application/json", VECTOR % b'{"metric":{"namespace":"\xff"},"value":[1,"2"]}', "Garbage: URL"),
        (200, "application/json", b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}',
         "Permanent: URL: the query answers a scalar; expected a vector"),
        (200, "application/json", b'{"status":"success"}', "Temporary: URL: success: no data"),
    ],
)  # fmt: skip
async def test_every_bad_answer_is_told_with_the_url_and_what_came(
    liar: Liar, status: int, kind: str, body: bytes, words: str
) -> None:
    liar.says(body, status, kind)

    assert (await said(liar.url)).startswith(words.replace("URL", f"{liar.url}/api/v1/query"))


async def test_a_partial_answer_is_not_taken_for_the_whole(liar: Liar) -> None:
    liar.vector(({"namespace": "shop", "deployment": "web"}, "1"), warnings=["remote storage: connection refused"])

    words = "the answer may be incomplete: remote storage: connection refused"
    assert await said(liar.url) == f"Garbage: {liar.url}/api/v1/query: {words}"


async def test_what_promql_remarks_is_passed_on(liar: Liar) -> None:
    liar.vector(warnings=["PromQL warning: bad bucket"], infos=["PromQL info: not a counter"])
    source = PrometheusSource("prom", PrometheusClient(liar.url))

    notes = (await source.read("load", NOW)).notes
    await source.close()

    assert notes == ("PromQL warning: bad bucket", "PromQL info: not a counter")


async def test_a_redirect_is_not_followed(liar: Liar) -> None:
    liar.says(b"", 302, "text/html", Location="http://169.254.169.254/latest?token=1")

    words = "HTTP 302, a redirect to http://169.254.169.254/latest, which is not followed (query: load)"
    assert await said(liar.url, bearer="secret") == f"Permanent: {liar.url}/api/v1/query: {words}"
    assert len(liar.asked) == 1


async def test_an_answer_without_end_is_given_up(liar: Liar) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 65536)
        except (ConnectionResetError, aiohttp.ClientConnectionResetError):
            return response

    liar.reply = endless

    words = f"Garbage: {liar.url}/api/v1/query: the answer is larger than 1,000,000 bytes"
    assert await said(liar.url, most_bytes=1_000_000) == words


async def test_a_slow_answer_is_not_waited_for(liar: Liar) -> None:
    gone = asyncio.Event()

    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"status":')
        await gone.wait()
        return response

    liar.reply = dripping

    words = await said(liar.url, timeout_seconds=0.3)
    gone.set()

    assert words == f"Late: {liar.url}/api/v1/query: no answer within 0.3 s"


async def test_an_answer_that_dies_in_the_middle_is_told(liar: Liar) -> None:
    async def dying(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"status":')
        assert request.transport is not None
        request.transport.close()
        return response

    liar.reply = dying

    assert await said(liar.url) == f"Temporary: {liar.url}/api/v1/query: the answer was cut off"


async def test_a_server_that_is_not_http_is_told() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        words = await said(f"http://127.0.0.1:{port}")

    assert words.startswith(f"Temporary: http://127.0.0.1:{port}/api/v1/query: the answer is not HTTP")


async def test_nobody_listening_and_no_such_host_are_told() -> None:
    port = free_port()

    refused = await said(f"http://127.0.0.1:{port}")
    unknown = await said("http://prom.invalid", timeout_seconds=10)

    assert refused == f"Temporary: http://127.0.0.1:{port}/api/v1/query: connection refused: nothing listens there"
    assert unknown == "Temporary: http://prom.invalid/api/v1/query: the host name is not known"


async def test_a_password_in_the_url_is_never_shown() -> None:
    words = await said(f"http://user:secret@127.0.0.1:{free_port()}")

    assert "secret" not in words
    assert "user" not in words


async def test_a_listener_that_never_accepts_is_silence() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        assert await said(url, timeout_seconds=0.3) == f"Late: {url}/api/v1/query: no answer within 0.3 s"


LOAD = BoundSignal(namespace="shop", name="load", source="prom", query="load", unit="per_second", stale_after_seconds=4)


async def test_a_long_past_is_asked_in_parts(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    async def matrix(request: web.Request) -> web.StreamResponse:
        start, end, step = (float(request.query[name]) for name in ("start", "end", "step"))
        times = [start + step * row for row in range(round((end - start) / step) + 1)]
        who = {"namespace": "shop", "deployment": "web" if start < NOW else "api"}
        result = [{"metric": who, "values": [[at, str(at - NOW)] for at in times]}]
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": result}})

    liar.reply = matrix
    monkeypatch.setattr(prometheus, "POINTS_AT_ONCE", 100)
    source = PrometheusSource("prom", PrometheusClient(liar.url))

    subjects, past = await source.past("load", NOW - 60 + np.arange(180.0), 30)
    await source.close()

    assert [round(float(sent["end"]) - float(sent["start"])) + 1 for _, sent, _ in liar.asked] == [60, 100, 20]
    assert subjects == (Subject("shop", "deployment", "web"), Subject("shop", "deployment", "api"))
    assert values(past[:60, 0]) == list(range(-60, 0))
    assert values(past[60:, 1]) == list(range(120))
    assert values([past[60, 0], past[59, 1]]) == [None, None]


async def test_a_past_of_too_many_samples_is_asked_in_smaller_parts(liar: Liar) -> None:
    """As a server with `--query.max-samples` says it, for more than 20 steps at once."""

    async def matrix(request: web.Request) -> web.StreamResponse:
        start, end = (float(request.query[name]) for name in ("start", "end"))
        if end - start > 20:
            words = "query processing would load too many samples into memory in query execution"
            return web.json_response({"status": "error", "errorType": "execution", "error": words}, status=422)
        who = {"namespace": "shop", "deployment": "web"}
        result = [{"metric": who, "values": [[start + row, str(row)] for row in range(round(end - start) + 1)]}]
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": result}})

    liar.reply = matrix
    source = PrometheusSource("prom", PrometheusClient(liar.url))
    _, past = await source.past("load", NOW + np.arange(60.0), 30)
    await source.close()

    assert past[:, 0].tolist() == [*range(15), *range(15), *range(15), *range(15)]


async def test_a_past_in_uneven_steps_is_a_mistake(liar: Liar) -> None:
    with pytest.raises(ValueError, match="even, rising steps"):
        await PrometheusSource("prom", PrometheusClient(liar.url)).past("load", np.array([0.0, 1.0, 5.0]), 60)


@pytest.mark.parametrize(
    "result",
    [
        b'{"resultType":"vector","result":[]}',
        b'{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]]}]}',
        b'{"resultType":"matrix","result":[{"metric":{},"values":[[1e300,"1"]]}]}',
        b'{"resultType":"matrix","result":[{"metric":{},"values":"many"}]}',
    ],
)
async def test_a_past_that_was_not_asked_for_is_garbage(liar: Liar, result: bytes) -> None:
    liar.says(b'{"status":"success","data":%s}' % result)
    source = PrometheusSource("prom", PrometheusClient(liar.url))

    with pytest.raises(Garbage, match="/api/v1/query_range: "):
        await source.past("load", np.array([NOW - 60, NOW]), 60)
    await source.close()


async def turn(observer: Observer) -> Observed:
    return await observer.observe([LOAD], fleet_of("shop/web"), pods_of(), time.time(), 10.0)  # noqa: TID251


@pytest.mark.prometheus
async def test_a_real_server_is_frozen_killed_and_started_again(own_prometheus: Server) -> None:
    server = own_prometheus
    server.expose('load{namespace="shop",deployment="web"} 7')
    server.until("load", 1)
    client = PrometheusClient(server.url, timeout_seconds=2)
    observer = Observer([PrometheusSource("prom", client)], Breaker(threshold=100))

    first = await turn(observer)
    assert (values(first.levels["load"].value), first.health[0].words) == ([7], "")

    server.freeze()
    bridged = await turn(observer)
    await asyncio.sleep(3)
    frozen = await turn(observer)
    server.thaw()
    assert [values(one.levels["load"].value) for one in (bridged, frozen)] == [[7], [None]]
    assert frozen.health[0].words == f"prom: {server.url}/api/v1/query: no answer within 2 s"

    server.kill()
    killed = await turn(observer)
    assert (values(killed.levels["load"].value), killed.health[0].state) == ([None], State.SILENT)
    assert "connection refused" in killed.health[0].words or "closed" in killed.health[0].words

    server.start()
    server.until("load", 1)
    again = await turn(observer)
    assert (values(again.levels["load"].value), again.health[0].state) == ([7], State.OK)
    await observer.close()


@pytest.mark.prometheus
async def test_a_dead_exporter_is_a_gap_at_the_next_scrape(own_prometheus: Server) -> None:
    server = own_prometheus
    server.expose('load{namespace="shop",deployment="web"} 7')
    server.until("load", 1)
    observer = Observer([PrometheusSource("prom", PrometheusClient(server.url))])
    await turn(observer)

    assert server.exporter is not None
    server.exporter.kill()
    server.exporter.wait()
    server.until("load", 0)
    out = await turn(observer)
    await observer.close()

    assert values(out.levels["load"].value) == [None]
    assert out.health[0].words == "prom: answered, with no series at all"
