"""The aggregated API over TLS: who is let in, what is said, and what an HPA's controller reads of it."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from podium.api.scalers.external_metrics import answer
from podium.api.scalers.serving import opened
from podium.api.server import Permanent
from podium.loop.clusters.kubernetes.aggregator import Aggregator
from podium.loop.modes.board import Board, Wanted
from podium.loop.modes.settings import MetricSettings
from podium.model.identity import WorkloadKey
from testbed.certificates import Authority, Pair

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
TOKEN = "a-token-for-tests-only"
ROOT = "/apis/external.metrics.k8s.io/v1beta1"
QUESTION = f"{ROOT}/namespaces/shop/podium-replicas"
NOW = 1_700_000_000.0


@pytest.fixture
def board() -> Board:
    board = Board(45.0)
    board.say({WEB: Wanted(WEB, 7, 1_800_000_000.0)})
    return board


def test_the_value_is_the_wanted_replicas(board: Board) -> None:
    labels = {"workload": "web", "kind": "deployment", "group": "apps", "cluster": "local"}
    item = {
        "metricName": "podium-replicas", "metricLabels": labels, "timestamp": "2027-01-15T08:00:00Z", "value": "7",
    }  # fmt: skip
    assert answer(board, QUESTION, {"labelSelector": "workload=web"}) == (
        200,
        {
            "kind": "ExternalMetricValueList", "apiVersion": "external.metrics.k8s.io/v1beta1", "metadata": {},
            "items": [item],
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "selector", "code", "words"),
    [
        (QUESTION, "workload=cart", 404, "no such workload in mode metric in namespace shop; there: web"),
        (QUESTION, "workload==,=", 400, "is not a label selector"),
        (f"{ROOT}/namespaces/shop/requests", "", 404, "there is no metric requests; there is podium-replicas"),
        ("/apis", "", 404, "not served"),
        (f"{ROOT}/nodes", "", 404, "not served"),
    ],
)
def test_a_wrong_question_gets_a_status_that_says_so(
    board: Board, path: str, selector: str, code: int, words: str
) -> None:
    status, body = answer(board, path, {"labelSelector": selector})
    assert (status, body["kind"], body["code"], words in body["message"]) == (code, "Status", code, True)


def test_what_is_not_known_is_an_error_and_no_zero(board: Board) -> None:
    board.say({WEB: "none of its signals is known"})
    status, body = answer(board, QUESTION, {"labelSelector": "workload=web"})
    assert (status, body["reason"]) == (503, "ServiceUnavailable")
    assert "none of its signals is known" in body["message"]
    assert "items" not in body


def test_discovery_names_the_metric(board: Board) -> None:
    _, listed = answer(board, ROOT, {})
    assert [(one["name"], one["verbs"]) for one in listed["resources"]] == [("podium-replicas", ["get"])]
    assert answer(board, "/apis/external.metrics.k8s.io", {})[1]["preferredVersion"]["version"] == "v1beta1"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@pytest.fixture
async def url(board: Board, front: Authority) -> AsyncIterator[str]:
    """The door, as the settings open it; the cluster says that `front` signs its aggregator."""
    listen = f"127.0.0.1:{free_port()}"

    async def ask() -> Aggregator:
        return Aggregator(front.certificate.read_text(), ("front-proxy-client",))

    async with opened(MetricSettings(listen=listen), board, TOKEN, ask, NOW):
        yield f"https://{listen}"


@pytest.fixture
def front(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "front")


async def get(url: str, *, pair: Pair | None = None, token: str = "", method: str = "GET") -> tuple[int, Any]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
        session.request(method, url, headers=headers) as got,
    ):
        return got.status, json.loads(await got.read())


async def test_the_aggregator_is_let_in_by_its_certificate(url: str, front: Authority) -> None:
    status, body = await get(f"{url}{QUESTION}?labelSelector=workload%3Dweb", pair=front.client("front-proxy-client"))
    assert (status, body["items"][0]["value"]) == (200, "7")


async def test_another_name_that_the_same_authority_signed_is_not(url: str, front: Authority) -> None:
    status, body = await get(f"{url}{ROOT}", pair=front.client("somebody"))
    assert (status, body["reason"]) == (401, "Unauthorized")


async def test_a_certificate_of_another_authority_is_no_certificate(url: str, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger").client("front-proxy-client")
    with pytest.raises(aiohttp.ClientError):
        await get(f"{url}{ROOT}", pair=stranger)


async def test_podiums_token_opens_it_and_no_other_does(url: str) -> None:
    assert (await get(f"{url}{ROOT}", token=TOKEN))[0] == 200
    assert (await get(f"{url}{ROOT}", token=TOKEN + "x"))[0] == 401
    assert (await get(f"{url}{ROOT}"))[0] == 401


async def test_nothing_can_be_written(url: str) -> None:
    assert (await get(f"{url}{ROOT}", token=TOKEN, method="DELETE"))[0] == 405


async def test_until_the_cluster_says_who_its_aggregator_is_nobody_is_taken_for_it(
    board: Board, front: Authority
) -> None:
    listen = f"127.0.0.1:{free_port()}"

    async def ask() -> str:
        return "the API server does not answer"

    async with opened(MetricSettings(listen=listen), board, TOKEN, ask, NOW):
        with pytest.raises(aiohttp.ClientError):
            await get(f"https://{listen}{ROOT}", pair=front.client("front-proxy-client"))
        assert (await get(f"https://{listen}{ROOT}", token=TOKEN))[0] == 200


async def test_an_address_in_use_is_said_at_the_start(board: Board) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        listen = f"127.0.0.1:{held.getsockname()[1]}"

        async def ask() -> str:
            return ""

        with pytest.raises(Permanent, match=listen):
            async with opened(MetricSettings(listen=listen), board, TOKEN, ask, NOW):
                await asyncio.sleep(0)
