"""The Kubernetes client against small servers: silence, slowness, garbage, death, refusals, and long lists."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from podium.clients.kubernetes import objects
from podium.clients.kubernetes.access import Access, Plugin, User
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery
from podium.clients.kubernetes.errors import (
    Broken,
    Conflict,
    Forbidden,
    Missing,
    Permanent,
    Temporary,
    Unauthorized,
)
from podium.clients.kubernetes.where import Where

WEB = Where(group="apps", version="v1", resource="deployments", namespace="shop", name="web")
PODS = Where(group="", version="v1", resource="pods", namespace="shop")
SCALE = "/apis/apps/v1/namespaces/shop/deployments/web/scale"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Answer], Awaitable[Access]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers = []

    async def start(answer: Answer) -> Access:
        runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
        await runner.setup()
        servers.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return Access(server=f"http://127.0.0.1:{runner.addresses[0][1]}")

    yield start
    for runner in servers:
        await runner.cleanup()


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Client]]:
    made: list[Client] = []

    def client(access: Access, user: User | None = None, timeout_seconds: float = 0.5, **more: float) -> Client:
        access = dataclasses.replace(access, user=user) if user else access
        environment = {"PATH": os.environ["PATH"]}
        made.append(Client(access, environment=environment, timeout_seconds=timeout_seconds, **more))  # type: ignore[arg-type]
        return made[-1]

    yield client
    for one in made:
        await one.close()


Connect = Callable[..., Client]


def always(status: int, body: str = "", **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status, text=body, headers={name.replace("_", "-"): at for name, at in headers.items()}
        )

    return answer


async def test_nobody_there_is_temporary(connect: Connect) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Temporary) as error:
            await connect(Access(server=server)).get_scale(WEB)
    assert str(error.value) == f"{server}{SCALE}: connection refused: nothing listens there"


async def test_silence_is_temporary_and_ends_in_time(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        access = Access(server=f"http://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        with pytest.raises(Temporary, match=r"no answer within 0\.5 s"):
            await connect(access).get_scale(WEB)
    assert time.monotonic() - begun < 5


async def test_a_body_that_trickles_is_ended_in_time(serve: Serve, connect: Connect) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)

    with pytest.raises(Temporary, match=r"no answer within 0\.5 s"):
        await connect(await serve(trickle)).get_scale(WEB)


async def test_an_answer_that_breaks_off_is_temporary(serve: Serve, connect: Connect) -> None:
    async def die(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"metadata"')
        assert request.transport is not None
        request.transport.abort()
        return response

    with pytest.raises(Temporary, match="web/scale: the answer was cut off"):
        await connect(await serve(die)).get_scale(WEB)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>proxy</html>",
        "[1]",
        '{"metadata": 7}',
        "[" * 5000,
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
async def test_garbage_is_temporary_and_shown(serve: Serve, connect: Connect, body: str) -> None:
    with pytest.raises(Temporary, match="the answer is not what the API promises"):
        await connect(await serve(always(200, body))).get_scale(WEB)


async def test_more_than_allowed_is_not_read(serve: Serve, connect: Connect) -> None:
    with pytest.raises(Permanent, match="the answer is larger than 1,000 bytes"):
        await connect(await serve(always(200, "x" * 5000)), most_bytes=1000).get_scale(WEB)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, Unauthorized, "the credentials are missing, wrong or expired (HTTP 401)"),
        (403, Forbidden, "the right to update deployments/scale.apps in namespace shop is missing: so it is"),
        (404, Missing, "there is no such thing: so it is"),
        (409, Conflict, "HTTP 409: so it is"),
        (422, Permanent, "HTTP 422: so it is"),
        (429, Temporary, "HTTP 429: so it is"),
        (500, Temporary, "HTTP 500: so it is"),
        (503, Temporary, "HTTP 503: so it is"),
        (302, Permanent, "a redirect to http://elsewhere/, which is not followed"),
    ],
)
async def test_a_refusal_is_one_sentence_with_the_address(
    serve: Serve, connect: Connect, status: int, kind: type[Exception], words: str
) -> None:
    access = await serve(always(status, '{"kind":"Status","message":"so it is"}', Location="http://elsewhere/"))
    with pytest.raises(kind) as error:
        await connect(access).put_scale(WEB, 3, "7")
    assert str(error.value).startswith(f"{access.server}{SCALE}: ")
    assert words in str(error.value)


async def test_too_many_requests_says_how_long_to_wait(serve: Serve, connect: Connect) -> None:
    with pytest.raises(Temporary) as error:
        await connect(await serve(always(429, "", Retry_After="7"))).get_scale(WEB)
    assert error.value.retry_after_seconds == 7


async def test_a_write_without_a_version_is_a_programmers_mistake(connect: Connect) -> None:
    with pytest.raises(ValueError, match="version"):
        await connect(Access(server="http://127.0.0.1:1")).put_scale(WEB, 3, "")


def pages(*answers: tuple[int, str]) -> tuple[Answer, list[dict[str, str]]]:
    asked: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(dict(request.query))
        status, body = answers[len(asked) - 1]
        return web.Response(status=status, text=body)

    return answer, asked


def page(name: str, following: str = "") -> tuple[int, str]:
    return (
        200,
        f'{{"metadata":{{"resourceVersion":"9","continue":"{following}"}},"items":[{{"metadata":{{"name":"{name}"}}}}]}}',
    )


async def test_a_list_is_read_page_by_page(serve: Serve, connect: Connect) -> None:
    answer, asked = pages(page("a", "next"), page("b"))
    found, version = await connect(await serve(answer)).list_all(PODS, objects.Object, label_selector="app=web")
    assert ([one.metadata.name for one in found], version) == (["a", "b"], "9")
    first = {"limit": "500", "labelSelector": "app=web"}
    assert asked == [first, first | {"continue": "next"}]


async def test_a_list_that_expires_on_the_way_is_read_whole(serve: Serve, connect: Connect) -> None:
    answer, asked = pages(page("a", "next"), (410, ""), page("c"))
    found, _ = await connect(await serve(answer)).list_all(PODS, objects.Object)
    assert ([one.metadata.name for one in found], asked[2]) == (["c"], {"limit": "0"})


async def test_an_empty_list_may_be_null(serve: Serve, connect: Connect) -> None:
    access = await serve(always(200, '{"metadata":{"resourceVersion":"1"},"items":null}'))
    assert await connect(access).list_all(PODS, objects.Pod) == ([], "1")


async def test_a_rotated_token_is_read_again_when_the_old_one_is_refused(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    async def only_new(request: web.Request) -> web.StreamResponse:
        good = request.headers["Authorization"] == "Bearer new"
        return web.Response(status=200 if good else 401, text='{"metadata":{"name":"web"}}')

    token = tmp_path / "token"
    token.write_text("new\n")
    client = connect(await serve(only_new), User(token_file=token))
    await client.get_scale(WEB)
    token.write_text("old")
    await client.get_scale(WEB)  # kept for a minute
    token.write_text("old\n")
    client = connect(client.access)
    with pytest.raises(Unauthorized):
        await client.get_scale(WEB)
    token.write_text("new")
    assert (await client.get_scale(WEB)).metadata.name == "web"


def plugin(folder: Path, script: str) -> User:
    program = folder / "login"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return User(plugin=Plugin(api_version="client.authentication.k8s.io/v1", command=str(program)))


def credential(status: str) -> str:
    return f"""echo '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{status}}}'"""


async def test_a_plugins_token_is_sent_and_kept(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    seen = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers["Authorization"])
        return web.Response(text='{"metadata":{"name":"web"}}')

    count = f"echo x >> {tmp_path}/runs"
    status = '{"token":"t","expirationTimestamp":"2999-01-01T00:00:00Z"}'
    client = connect(await serve(answer), plugin(tmp_path, f"{count}\n{credential(status)}"))
    await asyncio.gather(client.get_scale(WEB), client.get_scale(WEB))
    assert (seen, (tmp_path / "runs").read_text()) == (["Bearer t"] * 2, "x\n")


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("sleep 60 & sleep 60", Temporary, "gave no credentials within 0.3 s"),
        ("echo 'please log in' >&2; exit 3", Temporary, "ended with code 3: please log in"),
        ("echo hello", Broken, "printed something that is not an ExecCredential"),
        ("head -c 5000000 /dev/zero", Broken, "printed something that is not an ExecCredential"),
        (credential("{}"), Broken, "printed neither a token nor a certificate with its key"),
        (credential('{"clientCertificateData":"c"}'), Broken, "printed neither a token nor a certificate with its key"),
        (credential('{"token":"a\\\\nb"}'), Broken, "not printable ASCII on one line"),
        ('echo \'{"apiVersion":"v1","kind":"Pod","status":{"token":"t"}}\'', Broken, "printed v1 Pod; expected"),
    ],
)
async def test_a_plugin_that_gives_nothing_usable_is_named(
    connect: Connect, tmp_path: Path, script: str, kind: type[Exception], words: str
) -> None:
    seconds = 0.3 if "sleep" in script else 20.0
    client = connect(Access(server="http://127.0.0.1:1"), plugin(tmp_path, script), plugin_seconds=seconds)
    with pytest.raises(kind) as error:
        await client.get_scale(WEB)
    assert f"the credential plugin {tmp_path}/login" in str(error.value)
    assert words in str(error.value)


async def test_a_plugin_that_is_not_there_comes_with_its_hint(connect: Connect) -> None:
    missing = Plugin(api_version="client.authentication.k8s.io/v1", command="/no/such", install_hint="ask the wiki")
    with pytest.raises(Broken, match="/no/such cannot be started: No such file or directory; ask the wiki"):
        await connect(Access(server="http://127.0.0.1:1"), User(plugin=missing)).get_scale(WEB)


async def test_discovery_looks_beyond_the_preferred_version(serve: Serve, connect: Connect) -> None:
    group = '{"groupVersion":"x.io/v%d","version":"v%d"}'
    resource = '{"name":"%s","kind":"%s","namespaced":true}'
    bodies = {
        "/apis/x.io": f'{{"preferredVersion":{group % (2, 2)},"versions":[{group % (2, 2)},{group % (1, 1)}]}}',
        "/apis/x.io/v2": f'{{"resources":[{resource % ("news", "New")}]}}',
        "/apis/x.io/v1": f'{{"resources":[{resource % ("olds", "Old")},{resource % ("olds/scale", "Scale")}]}}',
    }

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=bodies[request.path])

    discovery = Discovery(connect(await serve(answer)))
    assert (await discovery.find("x.io", "Old")).at("shop", "a").path == "/apis/x.io/v1/namespaces/shop/olds/a"
    assert [(await discovery.find("x.io", kind)).scalable for kind in ("old", "new")] == [True, False]
    with pytest.raises(Missing, match=r"there is no kind none in group x\.io"):
        await discovery.find("x.io", "none")


@pytest.mark.parametrize("name", [".", ".."])
async def test_a_name_that_is_a_step_in_a_path_is_refused(connect: Connect, name: str) -> None:
    with pytest.raises(Permanent, match="is not a name"):
        await connect(Access(server="http://127.0.0.1:1")).get_scale(dataclasses.replace(WEB, namespace=name))


async def test_names_cannot_leave_their_place_in_the_path() -> None:
    assert dataclasses.replace(WEB, name="../../secrets").path.endswith("/deployments/..%2F..%2Fsecrets")
