"""`podium top`: the fleet of a running Podium in the terminal, live or once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType

    from podium.cli.remote import Remote
    from podium.cli.window import Window
    from podium.loop.tell.view import FleetView, WorkloadRow

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0  # seconds between attempts to connect again


@click.command()
@click.option("--url", metavar="URL", help="Where Podium answers (default: the one that runs on this machine).")
@click.option("--token", envvar="PODIUM_TOKEN", show_envvar=True, metavar="TOKEN", help="What opens its door.")
@click.option("--once", is_flag=True, help="Print one table and end, as when stdout is not a terminal.")
@click.option(
    "--filter", "words", metavar="WORDS", default="", help="Only those it is true of: `state:held,short web`."
)
@click.option("--sort", metavar="COLUMN", default="", help="key, state, use, replicas …; with - in front backwards.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="At most so many workloads (default: all).")
@options.config
@options.demo
@options.output
def command(
    url: str | None,
    token: str | None,
    once: bool,
    words: str,
    sort: str,
    limit: int | None,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
    form: str,
    output: str | None,
) -> int:
    """Show the fleet of a running Podium: replicas, load, forecasts, what holds it back, what comes next.

    On a terminal it goes on: arrows turn pages, s orders, r reverses, / filters, q ends it.
    """

    def found() -> Remote:
        return find(url, token, config, flags, of_demo=of_demo)

    asked = {"filter": words} if words else {}
    if once or form == "json" or output is not None or not options.terminal():
        fleet, rows = asyncio.run(_seen(found(), asked | ({"sort": sort} if sort else {}), limit))
        if form == "json":
            import msgspec

            options.emit(options.as_json({**msgspec.to_builtins(fleet), "workloads": rows}), output)
        else:
            from podium.cli import fleet as pictures
            from podium.cli import tables

            total = None if limit is None else max(fleet.total.workloads, len(rows))
            tables.show(pictures.picture(fleet, rows, total=None if words else total), output)
        return outcome.DONE
    with contextlib.suppress(KeyboardInterrupt):  # how one leaves it
        asyncio.run(_live(found, asked, sort))
    return outcome.DONE


async def _seen(remote: Remote, asked: dict[str, str], limit: int | None) -> tuple[FleetView, tuple[WorkloadRow, ...]]:
    return await remote.fleet(), await remote.rows(asked, limit)


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


class _Screen:
    """What the live table shows at the moment."""

    def __init__(self, window: Window, console: Console) -> None:
        self.window = window
        self.console = console
        self.fleet: FleetView | None = None
        self.rows: tuple[WorkloadRow, ...] = ()
        self.total = 0
        self.seen = 0.0  # time.monotonic() when `fleet` came
        self.trouble = ""
        self.wrong = ""  # about what was asked
        self.changed = asyncio.Event()

    @property
    def room(self) -> int:
        """How many workloads fit."""
        from podium.cli import fleet as pictures

        if self.fleet is None:
            return 3
        return pictures.room(self.fleet, self.console.height, trouble=bool(self.trouble), below=1 + bool(self.wrong))

    def drawn(self) -> RenderableType:
        """The picture now."""
        from rich.console import Group
        from rich.text import Text

        from podium.cli import fleet as pictures

        if self.fleet is None:
            return ""
        below = [Text(self.wrong, style="bold red")] if self.wrong else []
        return Group(
            *pictures.picture(
                self.fleet,
                self.rows[: self.room],
                age_seconds=time.monotonic() - self.seen,
                trouble=self.trouble,
                below=[*below, Text(self.window.words(), style="dim")],
                total=self.total,
                first=self.window.first,
            )
        )


async def _live(found: Callable[[], Remote], asked: dict[str, str], sort: str) -> None:
    """Until interrupted. A lost connection is shown and made again; the address and token are looked up anew."""
    from rich.console import Console
    from rich.live import Live

    from podium.cli.window import Window

    console = Console(highlight=False, emoji=False, markup=False)
    state = _Screen(Window(asked, sort or "state"), console)
    remote = found()
    state.fleet, state.seen = await remote.fleet(), time.monotonic()  # what is wrong at the start is said at once
    await _turn_page(remote, state)
    if state.wrong:
        raise outcome.BadInput(state.wrong)
    with Live(get_renderable=state.drawn, console=console, screen=True, refresh_per_second=4), _keyboard() as keys:
        tasks = [_follow(found, state), _pages(found, state), _typed(keys, state)]
        running = [asyncio.create_task(one) for one in tasks]
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _follow(found: Callable[[], Remote], state: _Screen) -> None:
    wait = _FIRST_WAIT
    while True:
        try:
            async for fleet in found().views():
                state.fleet, state.seen, state.trouble = fleet, time.monotonic(), ""
                state.changed.set()
                wait = _FIRST_WAIT
        except (outcome.OutOfReach, outcome.BadInput) as error:
            # A token of before a restart is wrong as well: the next attempt looks for the new one.
            state.trouble = str(error)
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


async def _pages(found: Callable[[], Remote], state: _Screen) -> None:
    """The page of rows again after every turn, and whenever a key asks for another."""
    while True:
        await state.changed.wait()
        state.changed.clear()
        with contextlib.suppress(outcome.OutOfReach):  # the stream says so, and asks again
            await _turn_page(found(), state)


async def _turn_page(remote: Remote, state: _Screen) -> None:
    try:
        page = await remote.page(state.window.asked(state.room))
    except outcome.BadInput as error:
        state.wrong = str(error)
        return
    state.rows, state.total, state.wrong = page.items, page.total, ""
    state.window.answered(len(page.items), page.next)


async def _typed(keys: asyncio.Queue[str], state: _Screen) -> None:
    """Until a key says to leave."""
    while not state.window.typed(await keys.get()):
        state.changed.set()


@contextlib.contextmanager
def _keyboard() -> Iterator[asyncio.Queue[str]]:
    """What is typed, letter by letter, without being shown; nothing where stdin is no terminal."""
    keys: asyncio.Queue[str] = asyncio.Queue()
    if not sys.stdin.isatty():
        yield keys
        return
    import termios
    import tty

    loop, fd = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    loop.add_reader(fd, lambda: keys.put_nowait(os.read(fd, 1024).decode(errors="replace")))
    try:
        yield keys
    finally:
        loop.remove_reader(fd)
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
