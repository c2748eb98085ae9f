"""`podium run`: the loop, its API and the live page in one process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

import click

from podium.cli import fresh as forget
from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.settings import Loaded
    from podium.wiring.program import Program


@click.command()
@options.config
@click.option("--demo", is_flag=True, help="Three tenants on a simulated cluster, under recorded load.")
@click.option(
    "--fresh", is_flag=True, help="Begin anew instead of where the last run stopped; simulated clusters only."
)
@click.option("--yes", is_flag=True, help="With --fresh: do not ask before something of your own is forgotten.")
@click.option(
    "--take-over",
    is_flag=True,
    help="Lead workloads that another ledger claimed. Only when the Podium that kept it is gone for good.",
)
@click.option("--speed", type=float, metavar="X", help="Simulated seconds per second (default 60 in the demo).")
@click.option("--listen", metavar="HOST:PORT", help="Where the API and the page listen (default 127.0.0.1:8080).")
@click.option("--log-format", type=click.Choice(["console", "json"]), help="Logs for people or for machines.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="The least to log.")
def command(
    config: str | None,
    flags: tuple[str, ...],
    demo: bool,
    fresh: bool,
    yes: bool,
    take_over: bool,
    speed: float | None,
    listen: str | None,
    log_format: str | None,
    log_level: str | None,
) -> None:
    """Run the control loop with its API and live page, until ctrl-C.

    Without settings (--config, ./podium.yaml …) it shows the demo.
    """
    named = {
        "api.listen": listen,
        "log.format": log_format,
        "log.level": log_level,
        "clusters[0].simulation.speed": None if speed is None else str(speed),
    }
    given = (*flags, *(f"{path}={value}" for path, value in named.items() if value is not None))
    loaded = options.as_run(config, given, of_demo=demo)
    if fresh and options.is_demo(loaded):
        forget.forget_demo()
    elif fresh:
        forget.forget_own(loaded, yes=yes)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(loaded, take_over=take_over))


async def _run(loaded: Loaded, *, take_over: bool) -> None:
    from podium.cli import logs
    from podium.wiring import sharing

    logs.configure(loaded.value.log.format, loaded.value.log.level)
    async with sharing.part(loaded) as (mine, keeping):
        await _lead(mine, keeping, take_over=take_over)


async def _lead(loaded: Loaded, keeping: asyncio.Task[None] | None, *, take_over: bool) -> None:
    from podium.api.app import create_app
    from podium.api.scalers.serving import opened
    from podium.api.server import address, bind, loopback_hosts, serve
    from podium.cli import running, store
    from podium.model.clock import wall_clock
    from podium.wiring import authority, installation
    from podium.wiring.outside import aggregator, knock, pushed, world
    from podium.wiring.program import Program

    token = _token(loaded)
    documents = await authority.load(loaded)
    await knock(loaded, documents)
    listening = bind(loaded.value.api.listen)
    opened_ledger = await asyncio.to_thread(installation.open_ledger, loaded)  # the Lease is renewed meanwhile
    with contextlib.closing(opened_ledger) as ledger, contextlib.closing(listening):
        if lost := ledger.lost():
            raise outcome.BadInput(lost)
        state = installation.state_folder(loaded)
        async with world(loaded, documents, state) as outside:
            program = Program(loaded, ledger, documents, outside, take_over=take_over)
            app = create_app(
                program.live,
                token=token,
                allowed_hosts=(*loopback_hosts(listening), *loaded.value.api.hosts),
                registry=program.registry,
                unready=program.live.unready,
                book=program.book,
                pushed=pushed(outside.sources),
                pushed_at=outside.pace,
                senders=_senders(loaded),
            )
            url = address(listening)
            _greet(loaded, url, token if loaded.value.api.token is None else None)
            doors = opened(loaded.value.metric, program.board, token, lambda: aggregator(loaded), wall_clock())
            async with doors:
                with running.announced(store.folder(loaded), url, token):
                    await _until_stopped(program, serve(app, listening), keeping)


def _senders(loaded: Loaded) -> dict[str, str]:
    """The tokens of those who push. Raises BadInput for one that could be guessed."""
    from podium.api.access import MINIMUM_TOKEN
    from podium.wiring.outside import senders

    found = senders(loaded)
    for number, one in enumerate(loaded.value.sources):
        if len(found.get(one.name, "x" * MINIMUM_TOKEN)) < MINIMUM_TOKEN:
            expected = f"expected a token of at least {MINIMUM_TOKEN} characters; got {len(found[one.name])}"
            raise outcome.BadInput(
                f"{loaded.origin(f'sources[{number}].bearer')}: sources[{number}].bearer: {expected}"
            )
    return found


def _token(loaded: Loaded) -> str:
    """The token of the settings, or a new one. Raises BadInput for one that could be guessed."""
    from podium.api.access import MINIMUM_TOKEN
    from podium.wiring.installation import new_token

    secret = loaded.value.api.token
    if secret is None:
        return new_token()
    token = loaded.reveal(secret)
    if len(token) < MINIMUM_TOKEN:
        expected = f"expected a token of at least {MINIMUM_TOKEN} characters; got {len(token)}"
        raise outcome.BadInput(f"{loaded.origin('api.token')}: api.token: {expected} in {secret}")
    return token


async def _until_stopped(program: Program, serving: object, keeping: asyncio.Task[None] | None) -> None:
    """Run both until one fails, a signal asks to stop, or the shard is lost; then end both in order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    tasks = [
        asyncio.create_task(program.run(), name="loop"),
        asyncio.create_task(serving, name="http"),  # type: ignore[arg-type]
    ]
    if keeping is not None:
        tasks.append(keeping)
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, stopping):
        if not task.done():
            task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    click.echo("podium: stopped; nothing is left half done", err=True)


def _greet(loaded: Loaded, url: str, token: str | None) -> None:
    cluster = loaded.value.clusters[0]
    where = f"cluster {cluster.name} ({cluster.kind})"
    if cluster.kind == "simulated":
        where += f", {cluster.simulation.speed:g} simulated seconds a second"
    click.echo(f"podium: {where}; {loaded.value.database.url}", err=True)
    page = f"{url}/?token={token}" if token else f"{url} (token: api.token of the settings)"
    click.echo(f"podium: the page is at {page}", err=True)
    click.echo("podium: ctrl-C stops", err=True)
    for note in loaded.notes:
        click.echo(f"podium: {note}", err=True)
