from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.brief.stage import WEB, Stage, stage

from podium.ledger.ledger import Ledger
from podium.loop.orders.book import Given, NotLeading, OrderBook, Refused, Repeated, Unknown, Wanted
from podium.loop.orders.order import Direction, Target
from podium.loop.orders.orders import given
from podium.loop.orders.tuning import TUNING, Noted, read_tuning
from podium.loop.remember import anew
from podium.loop.remember.replay import replay_all
from podium.wiring.program import Program

DOCUMENTS = """\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {name: rps, namespace: shop}
spec: {unit: per_second, prometheus: {query: rps}}
---
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: web, namespace: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  mode: own
  replicas: {min: 1, max: 60}
  load: {signal: rps, capacityPerReplica: 10}
  forecast: {enabled: false}
"""


def pause(target: Target, direction: Direction = "both", seconds: float | None = None, key: str = "") -> Wanted:
    return Wanted(
        what="pause", target=target, by="ada", reason="a sale", direction=direction, for_seconds=seconds, key=key
    )


def resume(target: Target) -> Wanted:
    return Wanted(what="resume", target=target, by="ada", reason="it is over")


ONE, EVERYTHING = Target("workload", str(WEB)), Target("fleet")


def loaded(stood: Stage, value: float) -> None:
    stood.measured.of_workloads["rps"] = lambda: {"web": value + stood.pace() % 0.7}


def ledger_of(stood: Stage) -> Ledger:
    return Ledger.open(f"sqlite:///{stood.folder}/podium.db", heads=stood.folder / "other.heads")


async def restart(stood: Stage) -> None:
    """End the program as a process ends, and let a new one begin on the same ledger and cluster."""
    old = stood.program
    stood.running.cancel()
    await asyncio.gather(stood.running, return_exceptions=True)
    stood.program = Program(old._loaded, old._ledger, old._documents, old._outside)
    stood.running = asyncio.create_task(stood.program.run())
    await stood.turns(2)


@contextlib.asynccontextmanager
async def standing(folder: Path) -> AsyncIterator[Stage]:
    """A stage that has had its first turns, and whose last program ends with it."""
    async with stage(folder, DOCUMENTS) as stood:
        loaded(stood, 55.0)
        await stood.minutes(2)
        yield stood
        stood.running.cancel()
        await asyncio.gather(stood.running, return_exceptions=True)


async def test_a_paused_direction_is_not_taken_until_the_time_is_over_and_a_replay_says_so(tmp_path: Path) -> None:
    async with standing(tmp_path) as stood:
        assert stood.replicas() == 6
        told = await stood.program.book.give(pause(ONE, "up", 120.0))
        loaded(stood, 95.0)
        await stood.minutes(1.5)
        assert stood.replicas() == 6
        row = (await stood.program.book.give(pause(EVERYTHING, "down"), dry_run=True)).standing
        assert (told.order.until, [one.of for one in row]) == (told.order.at + 120.0, [""])
        await stood.minutes(2)
        assert stood.replicas() == 10
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db")
    replayed = list(replay_all(ledger, anew.new_memory()))
    assert all(one.identical for one in replayed)
    assert len({one.turn.orders for one in replayed}) == 2
    ledger.close()


async def test_a_restart_forgets_no_pause(tmp_path: Path) -> None:
    async with standing(tmp_path) as stood:
        await stood.program.book.give(pause(EVERYTHING, "up"))
        await restart(stood)
        loaded(stood, 155.0)
        await stood.minutes(2)
        assert stood.replicas() == 6
        assert [one.by for one in stood.program.book.standing] == ["ada"]
        await stood.program.book.give(resume(EVERYTHING))
        await stood.minutes(2)
        assert stood.replicas() == 16


async def test_a_key_gives_an_order_once_also_after_a_restart(tmp_path: Path) -> None:
    async with standing(tmp_path) as stood:
        first = await stood.program.book.give(pause(ONE, seconds=60.0, key="k1"))
        await restart(stood)
        again = await stood.program.book.give(pause(ONE, seconds=60.0, key="k1"))
        assert (again.order, again.repeated) == (first.order, True)
        with pytest.raises(Repeated, match="the Idempotency-Key 'k1' belongs to another order"):
            await stood.program.book.give(pause(ONE, "down", key="k1"))


async def test_what_cannot_be_followed_is_refused_in_words(tmp_path: Path) -> None:
    async with standing(tmp_path) as stood:
        book = stood.program.book
        with pytest.raises(Unknown, match=r"no workload local/shop/deployment.apps/wep"):
            await book.give(pause(Target("workload", "local/shop/deployment.apps/wep")))
        with pytest.raises(Unknown, match="no source graphite; there are prom"):
            await book.give(Wanted(what="believe", target=Target("source", "graphite"), by="ada", reason="x"))
        await book.give(pause(EVERYTHING))
        with pytest.raises(Refused, match=r"what pauses it is a pause of everything \(both, by ada\)"):
            await book.give(resume(ONE))


async def test_a_dry_run_records_nothing(tmp_path: Path) -> None:
    async with standing(tmp_path) as stood:
        told: Given = await stood.program.book.give(pause(ONE), dry_run=True)
        assert (told.dry_run, stood.program.book.standing) == (True, ())
        with_ledger = ledger_of(stood)
        assert given(with_ledger) == ()
        with_ledger.close()


async def test_who_does_not_lead_takes_no_orders(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db")
    with pytest.raises(NotLeading, match="does not lead at the moment"):
        await OrderBook(ledger, lambda: 0.0, ()).give(pause(EVERYTHING))
    ledger.close()


async def test_a_suspect_source_is_believed_when_a_person_says_so(tmp_path: Path) -> None:
    async with standing(tmp_path) as stood:
        loaded(stood, 155.0)
        await stood.minutes(3)
        loaded(stood, 15.0)
        await stood.minutes(10)
        assert stood.replicas() == 16
        believed = Wanted(what="believe", target=Target("source", "prom"), by="ada", reason="the sale is over")
        await stood.program.book.give(believed)
        await stood.minutes(7)
        assert stood.replicas() == 2


async def test_a_tuning_is_an_entry_of_its_own_and_no_order(tmp_path: Path) -> None:
    noted = Noted(
        did="applied", workload=str(WEB), by="ada", reason="saves 9 %",
        before={"spec.replicas.min": 4}, after={"spec.replicas.min": 1},
    )  # fmt: skip
    async with standing(tmp_path) as stood:
        made = await stood.program.book.note(noted)
        with pytest.raises(Unknown):
            await stood.program.book.note(msgspec.structs.replace(noted, workload="local/shop/deployment.apps/wep"))
        await restart(stood)
        assert stood.program.book.standing == ()
        with contextlib.closing(ledger_of(stood)) as ledger:
            (entry,) = ledger.entries((TUNING,))
    assert (read_tuning(entry), entry.actor, entry.subject) == (made, "ada", str(WEB))
