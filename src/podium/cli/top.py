"""`podium top`: the fleet of a running Podium in the terminal, live or once."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from typing import TYPE_CHECKING

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from podium.cli.remote import Remote
    from podium.loop.tell.view import FleetView

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0  # seconds between attempts to connect again


@click.command()
@click.option("--url", metavar="URL", help="Where Podium answers (default: the one that runs on this machine).")
@click.option("--token", envvar="PODIUM_TOKEN", show_envvar=True, metavar="TOKEN", help="What opens its door.")
@click.option("--once", is_flag=True, help="Print one table and end, as when stdout is not a terminal.")
@options.config
@options.demo
@options.output
def command(
    url: str | None,
    token: str | None,
    once: bool,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
    form: str,
    output: str | None,
) -> int:
    """Show the fleet of a running Podium: replicas, load, forecasts, what holds it back, what comes next."""

    def found() -> Remote:
        return find(url, token, config, flags, of_demo=of_demo)

    if once or form == "json" or output is not None or not options.terminal():
        fleet = asyncio.run(found().fleet())
        if form == "json":
            options.emit(options.as_json(fleet), output)
        else:
            from podium.cli import fleet as pictures
            from podium.cli import tables

            tables.show(pictures.picture(fleet), output)
        return outcome.DONE
    with contextlib.suppress(KeyboardInterrupt):  # how one leaves it
        asyncio.run(_live(found))
    return outcome.DONE


def find(url: str | None, token: str | None, config: str | None, flags: tuple[str, ...], *, of_demo: bool) -> Remote:
    """The Podium that is meant: by its address, or the one that runs here on these settings. Raises OutOfReach."""
    from podium.cli import running, store
    from podium.cli.remote import Remote

    loaded = options.as_run(config, flags, of_demo=of_demo)
    here = running.find(store.folder(loaded))
    if url is None and here is not None:
        return Remote(here.url, token or here.token)
    if url is not None:
        same = here is not None and here.url == url.partition("?")[0].rstrip("/")
        return Remote(url, token or (here.token if same and here is not None else ""))
    if token is not None:
        return Remote(f"http://{loaded.value.api.listen}", token)
    raise outcome.OutOfReach(
        f"no Podium runs here on {store.folder(loaded)}; start one with `podium run`, or say where it is with "
        "--url and --token"
    )


@dataclasses.dataclass
class _Screen:
    """What the live table shows at the moment."""

    fleet: FleetView | None = None
    seen: float = 0.0  # time.monotonic() when `fleet` came
    trouble: str = ""


async def _live(found: Callable[[], Remote]) -> None:
    """Until interrupted. A lost connection is shown and made again; the address and token are looked up anew."""
    from rich.console import Console, Group, RenderableType
    from rich.live import Live

    from podium.cli import fleet as pictures

    first = await found().fleet()  # what is wrong at the start is said at once
    state = _Screen(first, time.monotonic())
    console = Console(highlight=False, emoji=False, markup=False)

    def drawn() -> RenderableType:
        if state.fleet is None:
            return ""
        age = time.monotonic() - state.seen
        return Group(*pictures.picture(state.fleet, age_seconds=age, trouble=state.trouble, height=console.height))

    with Live(get_renderable=drawn, console=console, screen=True, refresh_per_second=2):
        await _follow(found, state)


async def _follow(found: Callable[[], Remote], state: _Screen) -> None:
    wait = _FIRST_WAIT
    while True:
        try:
            async for fleet in found().views():
                state.fleet, state.seen, state.trouble = fleet, time.monotonic(), ""
                wait = _FIRST_WAIT
        except (outcome.OutOfReach, outcome.BadInput) as error:
            # A token of before a restart is wrong as well: the next attempt looks for the new one.
            state.trouble = str(error)
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)
