"""What the history commands share: a user's own Prometheus, asked with range queries and never written to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from podium.cli.outcome import BadInput

if TYPE_CHECKING:
    from podium.clients.prometheus import PrometheusClient
    from podium.loop.backtest.recorded import Asked, History
    from podium.loop.backtest.replayed import Replayed

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
TIMEOUT_SECONDS = 120.0  # a fortnight of every pod takes a Prometheus a while


def access(command: F) -> F:
    """`--bearer`."""
    return click.option(
        "--bearer", metavar="REFERENCE", help="Where the token of the Prometheus is: file:PATH or env:NAME."
    )(command)


def read(url: str, bearer: str | None, asked: Asked) -> History:
    """Ask a Prometheus for workloads. Raises Temporary, Permanent or BadInput."""
    from podium.loop.backtest import recorded

    return ask(url, bearer, lambda client: recorded.read(client, asked))


def ask(url: str, bearer: str | None, question: Callable[[PrometheusClient], Awaitable[T]]) -> T:
    """Ask a Prometheus anything. Raises Temporary, Permanent or BadInput."""
    from podium.clients.prometheus import PrometheusClient
    from podium.documents import secret

    if not url.startswith(("http://", "https://")):
        raise click.BadParameter(f"{url!r}: expected http://… or https://…", param_hint="--prometheus")
    token = secret.reveal(bearer, os.environ) if bearer else ""

    async def answered() -> T:
        client = PrometheusClient(url, timeout_seconds=TIMEOUT_SECONDS, bearer=token)
        try:
            return await question(client)
        finally:
            await client.close()

    return asyncio.run(answered())


def one(
    url: str, bearer: str | None, hpa: str | None, query: str, days: int, capacity: float | None, startup: float
) -> Replayed:
    """The workload of one HPA. Raises BadInput that says what is missing and how to get it."""
    from podium.loop.backtest.recorded import Asked
    from podium.loop.backtest.replayed import replayed
    from podium.loop.backtest.trace import DAY
    from podium.model.clock import wall_clock

    namespace, slash, name = (hpa or "").partition("/")
    if not (namespace and slash and name):
        raise click.BadParameter("expected NAMESPACE/NAME, as in shop/web", param_hint="--hpa")
    found = read(url, bearer, Asked(wall_clock(), days * DAY, namespace, name, query))
    if not found.workloads:
        words = (
            "; ".join(found.missing)
            or f"no HPA {name!r} in namespace {namespace!r} that scales a Deployment or StatefulSet"
        )
        raise BadInput(f"{hpa}: {words}")
    try:
        return replayed(
            found.workloads[0], found.first, capacity=capacity, startup_seconds=startup, by_query=bool(query)
        )
    except ValueError as error:
        raise BadInput("; ".join([str(error), *found.missing])) from error


def usual_policies(replayed: Replayed) -> tuple[str, ...]:
    """Podium, the HPA simulated at its own target (70 where it has none), and the oracle."""
    hpa = replayed.recorded.hpa
    return "podium", f"hpa:{(hpa.target if hpa else None) or 70}", "oracle"


def requests(replayed: Replayed, cpu_milli: int | None, memory_milli: int | None) -> tuple[int | None, int | None]:
    """Thousandths of cores and bytes that a replica requests: as said, else as recorded."""
    cpu, memory = replayed.recorded.request_cpu, replayed.recorded.request_memory
    return (
        cpu_milli if cpu_milli is not None or cpu is None else round(cpu * 1000),
        memory_milli if memory_milli is not None or memory is None else round(memory * 1000),
    )
