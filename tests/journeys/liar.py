"""A server that answers as Prometheus does, from a truth that it knows, and lies when it is told to."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

Truth = Callable[[float], Mapping[str, float]]  # Unix seconds -> the load of each workload


@dataclasses.dataclass(frozen=True)
class Asked:
    """One question: when it is asked, what is true then, and since when the lie lasts."""

    now: float
    truth: Mapping[str, float]
    since: float
    before: Mapping[str, float]  # the truth at `since`
    number: int  # of the questions since then


Lie = Callable[[Asked], Awaitable[web.StreamResponse]]


def sample(name: str, value: object, at: float, **labels: str) -> dict[str, Any]:
    """One series of a vector."""
    return {"metric": {"namespace": "shop", "deployment": name, **labels}, "value": [at, str(value)]}


def vector(samples: Sequence[dict[str, Any]]) -> web.Response:
    """Prometheus' answer to an instant query."""
    return web.json_response({"status": "success", "data": {"resultType": "vector", "result": list(samples)}})


async def honest(asked: Asked) -> web.StreamResponse:
    """The truth."""
    return vector([sample(name, value, asked.now) for name, value in asked.truth.items()])


def times(factor: float, *, only: Sequence[str] | None = None) -> Lie:
    """The truth times a factor, of all workloads or of some."""

    async def lie(asked: Asked) -> web.StreamResponse:
        return vector(
            [
                sample(name, value * (factor if only is None or name in only else 1.0), asked.now)
                for name, value in asked.truth.items()
            ]
        )

    return lie


def always(value: str) -> Lie:
    """One value for everybody."""

    async def lie(asked: Asked) -> web.StreamResponse:
        return vector([sample(name, value, asked.now) for name in asked.truth])

    return lie


def shifted(seconds: float) -> Lie:
    """The truth with timestamps that are wrong by so much."""

    async def lie(asked: Asked) -> web.StreamResponse:
        return vector([sample(name, value, asked.now + seconds) for name, value in asked.truth.items()])

    return lie


def labelled(**labels: str | None) -> Lie:
    """The truth with other labels; None loses one."""

    async def lie(asked: Asked) -> web.StreamResponse:
        series = [sample(name, value, asked.now) for name, value in asked.truth.items()]
        for one in series:
            new = one["metric"] | labels
            one["metric"] = {name: value for name, value in new.items() if value is not None}
        return vector(series)

    return lie


def says(body: str, status: int = 200, content_type: str = "application/json") -> Lie:
    """These bytes."""

    async def lie(_: Asked) -> web.StreamResponse:
        return web.Response(text=body, status=status, content_type=content_type)

    return lie


def turns(*lies: Lie, each: int = 1) -> Lie:
    """One lie after the other, each for so many questions, over and over."""

    async def lie(asked: Asked) -> web.StreamResponse:
        return await lies[asked.number // each % len(lies)](asked)

    return lie


async def frozen(asked: Asked) -> web.StreamResponse:
    """What was true when the lie began, as if measured now."""
    return vector([sample(name, value, asked.now) for name, value in asked.before.items()])


async def frozen_whole(asked: Asked) -> web.StreamResponse:
    """What was true when the lie began, with the time of then."""
    return vector([sample(name, value, asked.since) for name, value in asked.before.items()])


async def half(asked: Asked) -> web.StreamResponse:
    """Only the first series of those there are."""
    kept = list(asked.truth.items())[: len(asked.truth) // 2]
    return vector([sample(name, value, asked.now) for name, value in kept])


async def twice(asked: Asked) -> web.StreamResponse:
    """Every series doubled, as from two Prometheus of a pair."""
    pair = ("a", "b")
    return vector([sample(name, value, asked.now, pair=one) for name, value in asked.truth.items() for one in pair])


async def cut_off(asked: Asked) -> web.StreamResponse:
    """Half of the truth's bytes."""
    body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [sample("web", 1, asked.now)]}})
    return web.Response(text=body[: len(body) // 2], content_type="application/json")


async def hang(_: Asked) -> web.StreamResponse:
    """Nothing, for longer than anybody waits."""
    await asyncio.sleep(30)
    return web.Response()


class Liar:
    """The server. `lie` is what it tells; `refuse` closes its port, and `listen` opens the same one again."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._lie: Lie = honest
        self._since = 0.0
        self._number = 0
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def listen(self) -> None:
        application = web.Application()
        application.router.add_get("/api/v1/query", self._answer)
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._port or self._runner.addresses[0][1]

    async def refuse(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def tell(self, lie: Lie, now: float) -> None:
        """From now on."""
        self._lie, self._since, self._number = lie, now, -1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        now = float(request.query["time"])
        self._number += 1
        return await self._lie(Asked(now, self._truth(now), self._since, self._truth(self._since), self._number))
