"""Addresses, health, metrics and the page's files."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import signal
import sys
import threading

import aiohttp
import pytest
from tests.api.fakes import TOKEN, FakeView, ask, events, served, visited, workload

from podium import api
from podium.loop.tell.view import FleetView


def test_a_port_in_use_is_one_clear_error() -> None:
    with api.bind("127.0.0.1:0") as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(api.Permanent, match=f"{address} is in use by another program; choose another with"):
            api.bind(address)


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1", ":8080", "127.0.0.1:http", "127.0.0.1:70000", "::1:8080"])
def test_what_is_no_address_is_said_to_be_none(listen: str) -> None:
    with pytest.raises(api.Permanent, match="is not an address to listen on; expected host:port"):
        api.bind(listen)


def test_an_address_of_another_machine_is_refused_in_words() -> None:
    with pytest.raises(api.Permanent, match=r"192\.0\.2\.1:8080 is not an address of this machine"):
        api.bind("192.0.2.1:8080")


async def test_serving_leaves_signals_to_the_caller() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    async with visited() as client:
        assert (await ask(client.get("/healthz"))).status == 200
        assert {number: signal.getsignal(number) for number in before} == before


async def test_an_interrupt_ends_the_program_at_once_although_a_page_listens() -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.api.demo", "--listen", "127.0.0.1:0", "--history", "5"),
        cwd=pathlib.Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    link = (await program.stdout.readline()).decode().strip()
    address, _, token = link.partition("/?token=")
    shown = {"authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(address, headers=shown) as client, client.get("/api/v1/stream") as answer:
        await anext(events(answer))
        program.send_signal(signal.SIGINT)
        _out, complaints = await asyncio.wait_for(program.communicate(), timeout=5)
    assert (program.returncode, complaints.decode()) == (0, "")


async def test_a_reader_that_takes_nothing_is_left_when_the_program_stops() -> None:
    view = FakeView()
    view.rows = tuple(workload(f"local/shop/deployment.apps/{'w' * 20_000}{number}") for number in range(1000))
    async with served(view) as address:
        host = address.removeprefix("http://")
        reader, writer = await asyncio.open_connection(*host.split(":"), limit=1024)
        writer.write(f"GET /api/v1/map HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {TOKEN}\r\n\r\n".encode())
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    taken = 0
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            while part := await reader.read(1_000_000):
                taken += len(part)
    writer.close()
    assert taken < 20_000_000  # the kernel's buffers, and nothing that is sent after the end


async def test_health_needs_no_token_and_readiness_says_what_is_awaited() -> None:
    awaited = "The first reading of prom has not come."
    async with visited(unready=lambda: awaited) as client:
        health = await ask(client.get("/healthz", headers={"authorization": ""}))
        ready = await ask(client.get("/readyz", headers={"authorization": ""}))
        assert (health.status, health.text) == (200, "ok\n")
        assert (ready.status, ready.json()["detail"]) == (503, awaited)


async def test_a_view_that_does_not_answer_is_not_ready_but_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    answering = threading.Event()

    class Stuck(FakeView):
        def fleet(self) -> FleetView:
            answering.wait(10)
            return super().fleet()

    monkeypatch.setattr("podium.api.health.PATIENCE_SECONDS", 0.1)
    async with visited(Stuck()) as client:
        ready, health = await asyncio.gather(ask(client.get("/readyz")), ask(client.get("/healthz")))
        answering.set()
    assert (ready.json()["detail"], health.status) == ("The fleet could not be read within 0.1 s.", 200)


async def test_metrics_count_by_route_and_never_by_name() -> None:
    async with visited() as client:
        await ask(client.get("/api/v1/workloads/local/shop/deployment.apps/secret-name"))
        async with client.get("/metrics", headers={"authorization": ""}) as answer:
            text = await answer.text()
    route = "/api/v1/workloads/{cluster}/{namespace}/{kind}/{name}"
    assert f'podium_http_requests_total{{method="GET",route="{route}",status="404"}} 1.0' in text
    assert "secret-name" not in text


async def test_without_a_built_page_the_front_says_how_to_build_it_and_the_api_works(tmp_path: pathlib.Path) -> None:
    async with visited(built=tmp_path) as client:
        front = await ask(client.get("/"))
        assert (front.status, "npm ci && npm run build" in front.text) == (503, True)
        assert (await ask(client.get("/api/v1/fleet"))).status == 200


async def test_the_page_is_asked_for_anew_and_its_hashed_files_are_kept(tmp_path: pathlib.Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Podium</title>")
    (tmp_path / "assets" / "index-abc.js").write_text("1")
    async with visited(built=tmp_path) as client:
        front = await ask(client.get("/", headers={"authorization": ""}))
        script = await ask(client.get("/assets/index-abc.js", headers={"authorization": ""}))
        assert (front.text, front.headers["cache-control"]) == ("<title>Podium</title>", "no-cache")
        assert (script.status, "immutable" in script.headers["cache-control"]) == (200, True)


def test_a_new_token_is_long_enough_for_the_door() -> None:
    tokens = {api.new_token() for _ in range(10)}
    assert len(tokens) == 10
    assert all(api.create_app(FakeView(), token=token) for token in tokens)
    assert min(map(len, tokens)) > len(TOKEN)
