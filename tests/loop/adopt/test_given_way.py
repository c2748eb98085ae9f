"""The loop does not take an HPA that gave way for a rival, unless somebody has brought it back to life."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.cli import shop
from tests.servers import apiserver
from tests.servers.apiserver import ApiServer

from podium.clients.kubernetes.access import Access
from podium.clients.kubernetes.client import Client
from podium.loop.adopt import hand, original
from podium.loop.clusters.kubernetes.surroundings import KubernetesSurroundings

WEB = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web"


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with apiserver.running() as found:
        yield found


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    made = Client(Access(server=f"http://127.0.0.1:{server.port}"))
    yield made
    await made.close()


async def test_one_that_gave_way_is_no_rival_until_it_is_brought_back(server: ApiServer, client: Client) -> None:
    shop.hpa(server, "web", 2, 10)
    around = KubernetesSurroundings("local", client)

    async def rivals() -> list[str]:
        found = (await around.autoscalers(["shop"])).autoscalers
        return [one.name for some in found.values() for one in some]

    assert await rivals() == ["web"]
    (web,), _ = await original.from_cluster(client, "shop")
    assert await hand.hand_over(client, web, 40)
    assert server.at(WEB)["spec"]["maxReplicas"] == 40  # it agrees with whatever the policy allows
    assert await rivals() == []
    server.at(WEB)["spec"]["behavior"]["scaleUp"]["selectPolicy"] = "Max"  # an old manifest was applied
    assert await rivals() == ["web"]
