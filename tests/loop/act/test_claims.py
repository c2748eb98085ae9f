"""What may be written to: each workload under one epoch, and why some cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.loop.scenes import FLEET, WEB, policies

from podium.loop.act.claims import Claims
from podium.loop.clusters.port import Observation, StaleLeader, Temporary
from podium.loop.tabulate import Policies, tabulate
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

CART = WorkloadKey("local", "shop", "deployment", "apps", "cart")
BOTH = FLEET.revised({WEB: "shop", CART: "shop"})
(DOCUMENT,) = policies().documents.values()
TABLE = tabulate(Policies({WEB: DOCUMENT, CART: DOCUMENT}), BOTH)


class Claimed:
    """A cluster that writes down who is claimed, refuses some, and may take its time."""

    name = "local"

    def __init__(self) -> None:
        self.refused: dict[WorkloadKey, Exception] = {}
        self.seconds = 0.0
        self.asked: list[tuple[set[WorkloadKey], int]] = []

    async def claim(self, keys: Sequence[WorkloadKey], epoch: int) -> None:
        self.asked.append((set(keys), epoch))
        await asyncio.sleep(self.seconds)
        for key in keys:
            if key in self.refused:
                raise self.refused[key]

    async def observe(self, fleet: Fleet) -> Observation:
        raise NotImplementedError

    async def scale(self, command: Scale) -> str:
        raise NotImplementedError

    async def close(self) -> None: ...


async def test_all_are_claimed_at_once_and_only_once() -> None:
    cluster = Claimed()
    claims = Claims(cluster, 3, 1.0)
    for _ in range(2):
        await claims.make(TABLE, BOTH)
    assert (WEB in claims, CART in claims, claims.refused) == (True, True, {})
    assert cluster.asked == [({WEB, CART}, 3)]


async def test_one_that_is_refused_keeps_no_other_back_says_why_and_is_tried_again() -> None:
    cluster = Claimed()
    cluster.refused = {CART: Temporary("the server is busy")}
    claims = Claims(cluster, 3, 1.0)
    await claims.make(TABLE, BOTH)
    assert (WEB in claims, CART in claims, claims.refused) == (True, False, {CART: "the server is busy"})
    cluster.refused = {}
    await claims.make(TABLE, BOTH)
    assert (CART in claims, claims.refused, cluster.asked[-1]) == (True, {}, ({CART}, 3))


async def test_a_later_claim_of_another_ledger_is_left_to_a_person() -> None:
    cluster = Claimed()
    cluster.refused = {WEB: StaleLeader("epoch 9 claimed it")}
    claims = Claims(cluster, 3, 1.0)
    await claims.make(TABLE, BOTH)
    words = "epoch 9 claimed it; if that Podium is gone for good: podium run --take-over"
    assert claims.refused == {WEB: words}


async def test_a_cluster_that_is_silent_holds_nobody_up_longer_than_the_deadline() -> None:
    cluster = Claimed()
    cluster.seconds = 60.0
    claims = Claims(cluster, 3, 0.05)
    await asyncio.wait_for(claims.make(TABLE, BOTH), 5)
    words = "cluster local did not answer the claim within 0.05 s"
    assert (WEB in claims, claims.refused) == (False, {WEB: words, CART: words})


async def test_what_is_only_recommended_is_not_claimed() -> None:
    cluster = Claimed()
    claims = Claims(cluster, 3, 1.0)
    await claims.make(tabulate(policies("  mode: recommend\n"), FLEET), FLEET)
    assert (cluster.asked, WEB in claims) == ([], False)
