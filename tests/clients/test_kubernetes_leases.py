"""Leases on a real API server, each contender with a clock that the test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from podium.clients.kubernetes import kubeconfig
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.leases import Lease
from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

Contend = Callable[[str], Lease]


class Clock:
    """Monotonic seconds of all contenders."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def contend(control_plane: ControlPlane, namespace: str, clock: Clock) -> AsyncIterator[Contend]:
    client = Client(kubeconfig.load([control_plane.kubeconfig]))
    yield lambda holder: Lease(client, namespace, "podium-shard-0", holder, 15.0, clock)
    await client.close()


async def test_one_holds_it_and_the_other_waits_a_whole_term_of_silence(contend: Contend, clock: Clock) -> None:
    first, second = contend("first"), contend("second")
    assert (await first.take(), await second.take()) == (True, False)
    assert (first.deadline, second.held_by, second.valid()) == (115.0, "first", False)
    clock.now = 110.0
    assert (await first.take(), await second.take()) == (True, False)
    clock.now = 124.9  # 14.9 s after the second saw it move
    assert (await second.take(), first.valid()) == (False, True)
    clock.now = 125.0
    assert (first.valid(), await second.take(), second.deadline) == (False, True, 140.0)


async def test_who_slept_past_its_term_finds_that_another_has_it(contend: Contend, clock: Clock) -> None:
    first, second = contend("first"), contend("second")
    await first.take()
    await second.take()
    clock.now = 115.0
    assert await second.take()
    assert (await first.take(), first.valid(), first.held_by) == (False, False, "second")


async def test_of_two_who_take_over_at_once_one_wins(contend: Contend, clock: Clock) -> None:
    first, second, third = contend("first"), contend("second"), contend("third")
    await first.take()
    await second.take()
    await third.take()
    clock.now = 200.0
    assert sorted([await second.take(), await third.take()]) == [False, True]


async def test_who_releases_it_lets_the_next_have_it_at_once(contend: Contend) -> None:
    first, second = contend("first"), contend("second")
    await first.take()
    await first.release()
    assert (first.valid(), await second.take()) == (False, True)
    await first.release()  # it is another's: nothing happens
    assert await second.take()


async def test_a_restarted_holder_is_somebody_new(contend: Contend) -> None:
    await contend("host/1/a").take()
    assert not await contend("host/1/b").take()
