"""Orders through the door: pauses, resumes, beliefs; who gave them, and every way of being refused."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import msgspec
import pytest
from tests.api.fakes import TOKEN, WEB, FakeView, ask, served, visited

from podium.loop.orders.book import Given, NotLeading, Refused, Repeated, Unknown, Wanted
from podium.loop.orders.order import Order, Pause, shown
from podium.loop.orders.tuning import Noted, Tuning

PAUSE = f"/api/v1/workloads/{WEB}/pause"


class FakeBook:
    """Remembers what was wanted; refuses with `trouble`."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.wanted: list[Wanted] = []
        self.standing: tuple[Pause, ...] = ()

    async def give(self, wanted: Wanted, *, dry_run: bool = False) -> Given:
        if self.trouble is not None:
            raise self.trouble
        self.wanted.append(wanted)
        order = Order(
            id="1", at=100.0, what=wanted.what, target=wanted.target, by=wanted.by, reason=wanted.reason,
            direction=wanted.direction, until=wanted.for_seconds and 100.0 + wanted.for_seconds, key=wanted.key,
        )  # fmt: skip
        self.standing = (shown(order),)
        return Given(order=order, taken_back=(), standing=self.standing, repeated=False, dry_run=dry_run)

    async def note(self, noted: Noted) -> Tuning:
        if self.trouble is not None:
            raise self.trouble
        return Tuning(id="1", at=100.0, **msgspec.structs.asdict(noted))


def body(**changed: Any) -> dict[str, Any]:
    return {"direction": "up", "reason": "a sale", "for": "2h"} | changed


async def test_a_workload_is_paused_in_a_direction_for_a_time_with_who_and_why() -> None:
    book = FakeBook()
    async with visited(book=book) as client:
        answer = await ask(client.post(PAUSE, json=body(), headers={"Idempotency-Key": "k", "X-Podium-Actor": "ada"}))
    (wanted,) = book.wanted
    assert (str(wanted.target), wanted.direction, wanted.for_seconds) == (WEB, "up", 7200.0)
    assert (wanted.by, wanted.reason, wanted.key) == ("ada (token)", "a sale", "k")
    assert answer.json()["standing"] == [
        {"direction": "up", "by": "ada (token)", "reason": "a sale", "since": 100.0, "until": 7300.0, "of": WEB}
    ]


@pytest.mark.parametrize(
    ("path", "what", "target"),
    [
        ("/api/v1/fleet/pause", "pause", "everything"),
        ("/api/v1/fleet/resume", "resume", "everything"),
        ("/api/v1/namespaces/local/shop/pause", "pause", "namespace local/shop"),
        ("/api/v1/namespaces/local/shop/resume", "resume", "namespace local/shop"),
        (f"/api/v1/workloads/{WEB}/resume", "resume", WEB),
        ("/api/v1/sources/prom/believe", "believe", "prom"),
    ],
)
async def test_each_door_orders_its_own(path: str, what: str, target: str) -> None:
    book = FakeBook()
    async with visited(book=book) as client:
        answer = await ask(client.post(path, json={"reason": "why not"}, params={"dryRun": "true"}))
    assert (answer.status, answer.json()["dry_run"]) == (200, True)
    assert [(one.what, str(one.target)) for one in book.wanted] == [(what, target)]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"direction": "sideways"}, "body.direction"),
        ({"reason": "  "}, "body.reason"),
        ({"for": "2 hours"}, "body.for"),
        ({"for": True}, "body.for"),
        ({"for": "0s"}, "body.for"),
        ({"until": "2h"}, "body.until"),
    ],
)
async def test_garbage_is_named_with_its_place_and_nothing_is_ordered(changed: dict[str, Any], where: str) -> None:
    book = FakeBook()
    async with visited(book=book) as client:
        answer = await ask(client.post(PAUSE, json=body(**changed)))
    assert (answer.status, [fault["path"] for fault in answer.json()["errors"]]) == (400, [where])
    assert book.wanted == []


@pytest.mark.parametrize(
    ("trouble", "status"),
    [(Unknown("no workload x"), 404), (Refused("nothing is paused there"), 409), (Repeated("taken"), 409),
     (NotLeading("another leads"), 503)],
)  # fmt: skip
async def test_what_cannot_be_followed_is_a_problem_in_words(trouble: Exception, status: int) -> None:
    async with visited(book=FakeBook(trouble)) as client:
        answer = await ask(client.post(PAUSE, json=body()))
    assert (answer.status, answer.json()["detail"]) == (status, f"{trouble}.")


async def test_a_page_writes_with_its_sessions_secret_and_is_named_by_its_session() -> None:
    book = FakeBook()
    async with served(FakeView(), book=book) as address, aiohttp.ClientSession(address, cookie_jar=jar()) as client:
        session = (await ask(client.post("/session", json={"token": TOKEN}))).json()
        refused = await ask(client.post(PAUSE, json=body()))
        done = await ask(client.post(PAUSE, json=body(), headers={"X-CSRF-Token": session["csrf"]}))
    assert (refused.status, done.status) == (403, 200)
    assert re.fullmatch("session [0-9a-f]{8}", book.wanted[0].by)


def jar() -> aiohttp.CookieJar:
    return aiohttp.CookieJar(unsafe=True)  # of addresses, which have no domain


async def test_without_a_book_there_is_no_such_door() -> None:
    async with visited() as client:
        assert (await ask(client.post(PAUSE, json=body()))).status == 404


TUNED = {"did": "applied", "before": {"spec.replicas.min": 4}, "after": {"spec.replicas.min": 2}, "reason": "saves 9 %"}


async def test_a_tuning_is_recorded_with_who_and_what() -> None:
    async with visited(book=FakeBook()) as client:
        path = f"/api/v1/workloads/{WEB}/tuning"
        answer = await ask(client.post(path, json=TUNED, headers={"X-Podium-Actor": "ada"}))
        wrong = await ask(client.post(path, json=TUNED | {"did": "guessed"}))
    assert (answer.status, answer.json()) == (
        200,
        TUNED | {"workload": WEB, "by": "ada (token)", "id": "1", "at": 100.0},
    )
    assert (wrong.status, wrong.json()["errors"][0]["path"]) == (400, "body.did")


@pytest.mark.parametrize(("trouble", "status"), [(Unknown("no workload"), 404), (NotLeading("not now"), 503)])
async def test_a_tuning_that_cannot_be_recorded_is_said(trouble: Exception, status: int) -> None:
    async with visited(book=FakeBook(trouble)) as client:
        answer = await ask(client.post(f"/api/v1/workloads/{WEB}/tuning", json=TUNED))
    assert answer.status == status
