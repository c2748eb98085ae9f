"""The page over a fleet of 10,000 workloads in headless Chromium: when it is of use, and how smooth it stays.

    python benchmarks/page.py [N ...] [--seconds 12] [--visits 5]

The server is the real loop with a real ledger and the real API, in a process of its own; the cluster and the source
answer from memory. It turns once a second, fifteen times as often as usual. Chromium draws without a GPU.

`first data` is when every cell of the map is painted, from the moment a visitor with an empty cache follows the
printed link. A frame is the time between two pictures; the screen asks for one every 16.7 ms. `map` is what the page
itself spends on painting the cells that moved. `shift` is the layout shift of the whole visit, good up to 0.1.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from synthetic import fleet
from synthetic.outside import MemoryCluster, MemorySource, Outside

from podium import api
from podium.ledger.ledger import Ledger
from podium.loop.cycle import Cycle
from podium.loop.remember import anew
from podium.loop.remember.restore import Restored
from podium.loop.tell.live import Live
from podium.loop.tell.scene import Setting
from podium.signals.observe import Observer

ROOT = Path(__file__).parents[1]
SIZES = (12, 1_000, 10_000)
TOKEN = "a-token-for-the-benchmark-of-the-page"
START = 1_800_000_000.0
INTERVAL = 15.0
PACE = 1.0  # real seconds a turn
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
DESK: ViewportSize = {"width": 1440, "height": 900}


class Visit(NamedTuple):
    """One cold visit, milliseconds."""

    painted: float  # anything at all
    data: float


class Frames(NamedTuple):
    """What was seen while something was done; milliseconds, sorted."""

    doing: str
    between: list[float]
    map: list[float]
    cells: float  # painted a time, median


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, help="workloads (default 12 1,000 10,000)")
    parser.add_argument("--seconds", type=float, default=12.0, help="measured a situation")
    parser.add_argument("--visits", type=int, default=5, help="cold visits a size")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)  # one size: what `served` starts
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve(asked.serve))
        return
    sizes = asked.sizes or list(SIZES)
    text = "\n".join(report(sizes, asked.seconds, asked.visits)) + "\n"
    if not asked.sizes:
        (ROOT / "benchmarks" / "results" / "page.md").write_text(text)


async def serve(size: int) -> None:
    """The loop and its API, until killed. Prints the address."""
    outside = Outside(size, START)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        ledger = Ledger.open(f"sqlite:///{folder}/podium.db")
        clock = [START]
        setting = Setting(INTERVAL, True, lambda: INTERVAL / PACE, {fleet.SOURCE: ("memory", "")})
        live = Live(ledger, setting, lambda: clock[0])
        cycle = Cycle(
            MemoryCluster(outside), Observer([MemorySource(outside)]), ledger, ledger.lead("bench", 3600.0),
            Restored(anew.new_memory()), default_lead_seconds=60.0, deadline_seconds=60.0,
        )  # fmt: skip
        cycle.assign(fleet.assignment(size))
        listening = api.bind("127.0.0.1:0")
        app = api.create_app(live, token=TOKEN, allowed_hosts=api.loopback_hosts(listening))
        async with asyncio.TaskGroup() as group:
            group.create_task(api.serve(app, listening))
            live.publish(await cycle.turn(START), cycle.assignment, cycle.table)
            print(api.address(listening), flush=True)
            while True:
                begun = time.monotonic()
                clock[0] += INTERVAL
                outside.prepare(clock[0])
                live.publish(await cycle.turn(clock[0]), cycle.assignment, cycle.table)
                live.waiting("turn", clock[0] + INTERVAL)
                await asyncio.sleep(max(PACE - (time.monotonic() - begun), 0.0))


@contextlib.contextmanager
def served(size: int) -> Iterator[str]:
    """The address of a server of its own process."""
    command = [sys.executable, __file__, "--serve", str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def report(sizes: list[int], seconds: float, visits: int) -> Iterator[str]:
    """The tables, as Markdown, printed while they come."""

    def told(line: str) -> str:
        print(line, flush=True)
        return line

    yield told("# The page in headless Chromium\n")
    yield told((__doc__ or "").partition("\n\n")[2].partition("\n\n")[2].strip() + "\n")
    yield told("| workloads | first paint ms | first data ms (median) | slowest |")
    yield told("|---|---|---|---|")
    smooth: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for size in sizes:
            with served(size) as address:
                seen = [visit(browser, address) for _ in range(visits)]
                data = [one.data for one in seen]
                paint = statistics.median(one.painted for one in seen)
                yield told(f"| {size:,} | {paint:.0f} | {statistics.median(data):.0f} | {max(data):.0f} |")
                smooth += used(browser, address, size, seconds)
        browser.close()
    yield told(
        "\n| workloads | while | frame ms median | p95 | p99 | over 50 ms | map ms median | p99 | cells a time |"
    )
    yield told("|---|---|---|---|---|---|---|---|---|")
    for line in smooth:
        yield told(line)


def visit(browser: Browser, address: str) -> Visit:
    """An empty cache, the printed link, the first data."""
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.goto(f"{address}/?token={TOKEN}")
    page.wait_for_selector("canvas[data-tick]")
    painted, data = page.evaluate(
        """() => [
          performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
          (([first]) => first.startTime + first.duration)(performance.getEntriesByName("podium:map")),
        ]"""
    )
    context.close()
    return Visit(painted, data)


def used(browser: Browser, address: str, size: int, seconds: float) -> Iterator[str]:
    """Rows of the second table."""
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.add_init_script(SHIFTS)
    page.goto(f"{address}/?token={TOKEN}")
    page.wait_for_selector("canvas[data-tick]")
    page.wait_for_timeout(1000)
    for doing, act in SITUATIONS:
        one = frames(page, doing, act, seconds)
        between, painted = np.array(one.between), np.array(one.map or [np.nan])
        yield (
            f"| {size:,} | {doing} | {np.median(between):.1f} | {np.percentile(between, 95):.1f} | "
            f"{np.percentile(between, 99):.1f} | {int((between > 50).sum())} of {len(between)} | "
            f"{np.median(painted):.1f} | {np.percentile(painted, 99):.1f} | {one.cells:,.0f} |"
        )
    shift = page.evaluate("window.shifted")
    heap = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    yield f"| {size:,} | whole visit: shift {shift:.3f}, heap {heap:.0f} MB | | | | | | | |"
    context.close()


def frames(page: Page, doing: str, act: Callable[[Page, float], None], seconds: float) -> Frames:
    """Record pictures and paintings while `act` goes on."""
    page.evaluate(RECORD)
    act(page, seconds)
    got: dict[str, Any] = page.evaluate("window.recorded()")
    return Frames(doing, got["between"], got["map"], statistics.median(got["cells"] or [0]))


def watch(page: Page, seconds: float) -> None:
    page.wait_for_timeout(seconds * 1000)


def point(page: Page, seconds: float) -> None:
    """The mouse goes over the map without rest."""
    box = page.locator("canvas").bounding_box()
    assert box is not None
    until = time.monotonic() + seconds
    step = 0
    while time.monotonic() < until:
        step += 1
        page.mouse.move(box["x"] + (step * 13) % box["width"], box["y"] + 30 + (step * 3) % (box["height"] - 40))
        page.wait_for_timeout(16)


def scroll(page: Page, seconds: float) -> None:
    """The list is scrolled."""
    page.locator(".list .rows").hover()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(30)


def search(page: Page, seconds: float) -> None:
    """Somebody types, and takes it back."""
    page.keyboard.press("/")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.keyboard.type("web-01", delay=90)
        page.keyboard.press("Escape")
        page.keyboard.press("/")


SITUATIONS = (
    ("only watched", watch),
    ("the mouse goes over the map", point),
    ("the list is scrolled", scroll),
    ("a search is typed", search),
)
SHIFTS = """
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""
RECORD = """() => {
  performance.clearMeasures("podium:map");
  const between = [];
  let before = performance.now(), running = true;
  const frame = (now) => { between.push(now - before); before = now; if (running) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  window.recorded = () => {
    running = false;
    const painted = performance.getEntriesByName("podium:map");
    return {
      between: between.slice(1),
      map: painted.map((entry) => entry.duration),
      cells: painted.map((entry) => entry.detail),
    };
  };
}"""


if __name__ == "__main__":
    main()
