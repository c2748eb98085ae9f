"""The API of a running loop: how fast it answers while the loop turns, and what listeners cost.

    python benchmarks/api.py [--workloads 10000] [--interval 5] [--seconds 30] [--rate 200]

The loop is the real one with a real ledger in a process of its own, and with it the API as `podium run` serves it; the
cluster and the source answer from memory. This process asks and listens. Latencies count from the moment a request was
due, not from when it was sent: a server that stands still is charged for everybody who waits.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import quote

import aiohttp
import numpy as np
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
START = 1_800_000_000.0
LISTENERS = 100
DEAF = 126  # listeners that never read
BUDGET_P99, BUDGET_CORE = 0.100, 0.05
TURN_SECONDS = 15.0  # of the loop's time, however long a turn takes here


@dataclasses.dataclass(frozen=True)
class Latency:
    """Some requests: how many, and their seconds."""

    name: str
    seconds: np.ndarray
    failed: int

    def row(self) -> str:
        """A line of the table, in ms."""
        p50, p99, slowest = np.percentile(self.seconds, [50, 99, 100]) * 1e3
        return f"| {self.name} | {len(self.seconds):,} | {p50:.1f} | {p99:.1f} | {slowest:.1f} | {self.failed} |"


def main() -> None:
    asked = arguments()
    if asked.serve:
        asyncio.run(serve(asked.workloads, asked.interval))
        return
    text = asyncio.run(measure(asked))
    print(text)
    if len(sys.argv) == 1:  # what was asked otherwise is no figure to keep
        (ROOT / "benchmarks" / "results" / "api.md").write_text(text + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workloads", type=int, default=10_000)
    parser.add_argument("--interval", type=float, default=5.0, help="real seconds between turns")
    parser.add_argument("--seconds", type=float, default=30.0, help="that each part lasts")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


async def serve(size: int, interval: float) -> None:
    """A loop that turns and its API, until the parent closes stdin. Says where it is in one line."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        ledger = Ledger.open(f"sqlite:///{folder}/podium.db")
        outside = Outside(size, START)
        live = Live(ledger, Setting(interval, True, lambda: TURN_SECONDS / interval, {}), lambda: outside.at)
        cycle = Cycle(
            MemoryCluster(outside),
            Observer([MemorySource(outside)]),
            ledger,
            ledger.lead("bench", 3600.0),
            Restored(anew.new_memory()),
            default_lead_seconds=60.0,
            deadline_seconds=60.0,
        )
        cycle.assign(fleet.assignment(size))
        listening, token = api.bind("127.0.0.1:0"), secrets.token_urlsafe(24)
        app = api.create_app(live, token=token, allowed_hosts=api.loopback_hosts(listening))
        turning = asyncio.create_task(turn(cycle, outside, live, interval))
        serving = asyncio.create_task(api.serve(app, listening))
        while live.unready():  # noqa: ASYNC110  the loop has no event for it
            await asyncio.sleep(0.05)
        keys = [live.sheet().roll.key[row] for row in range(0, size, max(size // 200, 1))]
        print(json.dumps({"url": api.address(listening), "token": token, "keys": keys}), flush=True)
        leaving = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        done, _ = await asyncio.wait([leaving, turning, serving], return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()  # a loop that broke off is no loop that was measured
        turning.cancel()
        serving.cancel()
        await asyncio.gather(turning, serving, return_exceptions=True)
        ledger.close()


async def turn(cycle: Cycle, outside: Outside, live: Live, interval: float) -> None:
    """Turn after turn on the grid of the interval."""
    due, at = time.monotonic(), START
    while True:
        done = await cycle.turn(at)
        live.publish(done, cycle.assignment, cycle.table)
        at += TURN_SECONDS
        outside.prepare(at)
        due = max(due + interval, time.monotonic())
        await asyncio.sleep(due - time.monotonic())


@contextmanager
def server(size: int, interval: float) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    command = [sys.executable, __file__, "--serve", "--workloads", str(size), "--interval", str(interval)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


async def measure(asked: argparse.Namespace) -> str:
    """Every part, one after the other."""
    with server(asked.workloads, asked.interval) as (process, said):
        headers = {"authorization": f"Bearer {said['token']}"}
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(str(said["url"]), headers=headers, connector=connector) as client:
            paths = routes([str(key) for key in said["keys"]])  # type: ignore[attr-defined]
            for path in dict.fromkeys(paths):
                async with client.get(path) as answer:
                    assert answer.status == 200, (path, await answer.text())
            parts = [await quiet(process, asked), await listened(client, process, asked)]
            answered = await load(client, process, paths, asked, "alone")
            async with deaf(str(said["url"]), headers):
                beside = await load(client, process, paths, asked, f"beside {DEAF} listeners that never read")
        return report(asked, parts, answered, beside, peak(process))


async def quiet(process: subprocess.Popen[str], asked: argparse.Namespace) -> tuple[str, float]:
    """(words, share of a core) of the loop alone."""
    before, began = cpu(process), time.monotonic()
    await asyncio.sleep(asked.seconds)
    return "the loop alone", (cpu(process) - before) / (time.monotonic() - began)


async def listened(
    client: aiohttp.ClientSession, process: subprocess.Popen[str], asked: argparse.Namespace
) -> tuple[str, float]:
    """The same with listeners, each of whom must have been told of every turn."""
    answers = [await client.get("/api/v1/stream?topics=fleet,map") for _ in range(LISTENERS)]
    told = [0] * LISTENERS

    async def read(number: int, answer: aiohttp.ClientResponse) -> None:
        rest = b""
        async for part in answer.content.iter_any():
            told[number] += (rest + part).count(b"event: fleet\n")
            rest = part[-len(b"event: fleet") :]  # an event's name may come in two parts

    answers_read = [asyncio.create_task(read(number, answer)) for number, answer in enumerate(answers)]
    await asyncio.sleep(2.0)  # the whole map goes out once
    begin, before, began = list(told), cpu(process), time.monotonic()
    await asyncio.sleep(asked.seconds)
    share = (cpu(process) - before) / (time.monotonic() - began)
    turns = [after - first for after, first in zip(told, begin, strict=True)]
    assert min(turns) >= max(turns) - 1, f"some were told of {min(turns)} turns, others of {max(turns)}"
    for task in answers_read:
        assert not task.done(), "a listener's stream ended"
        task.cancel()
    for answer in answers:
        answer.close()
    return f"and {LISTENERS} listeners to `fleet,map`, each told of {min(turns)} turns", share


@asynccontextmanager
async def deaf(url: str, headers: dict[str, str]) -> AsyncIterator[None]:
    """Listeners that open a stream and never read it, each on a connection of its own."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, headers=headers, connector=connector) as client:
        answers = [await client.get("/api/v1/stream?topics=fleet,map", read_bufsize=1024) for _ in range(DEAF)]
        yield
        for answer in answers:
            answer.close()


def routes(keys: list[str]) -> list[str]:
    """What pages and scripts ask for, as often as here."""
    chance = np.random.default_rng(7)
    kinds = {
        "/api/v1/fleet": 20,
        "/api/v1/workloads?limit=50&recent=1800": 10,
        "/api/v1/workloads?limit=100&sort=-use": 5,
        "/api/v1/workloads?limit=50&filter=1&sort=state": 10,
        "/api/v1/workloads?limit=50&state=growing,shrinking": 5,
        "/api/v1/map": 2,
        "/api/v1/sources": 5,
        "/api/v1/clusters": 2,
        "/api/v1/decisions?limit=50&changed=true": 4,
        "": 15,
        "/series": 12,
        "/decisions?limit=20": 5,
        "/explain": 5,
    }
    paths = []
    for kind, share in kinds.items():
        for _ in range(share):
            one = "/api/v1/workloads/" + "/".join(map(quote, str(chance.choice(keys)).split("/")))
            paths.append(kind if kind.startswith("/api") else one + kind)
    return [paths[place] for place in chance.permutation(len(paths))]


async def load(
    client: aiohttp.ClientSession,
    process: subprocess.Popen[str],
    paths: list[str],
    asked: argparse.Namespace,
    words: str,
) -> tuple[list[Latency], float, str]:
    """Requests at a steady rate: their latencies by route, and the server's share of a core."""
    seconds: dict[str, list[float]] = {}
    failed: dict[str, int] = {}

    async def one(path: str, due: float) -> None:
        name = kind_of(path)
        try:
            async with client.get(path) as answer:
                await answer.read()
                failed[name] = failed.get(name, 0) + (answer.status != 200)
        except aiohttp.ClientError:
            failed[name] = failed.get(name, 0) + 1
        seconds.setdefault(name, []).append(time.monotonic() - due)

    before, began = cpu(process), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(int(asked.seconds * asked.rate)):
            due = began + number / asked.rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            group.create_task(one(paths[number % len(paths)], due))
    share = (cpu(process) - before) / (time.monotonic() - began)
    by_route = [Latency(name, np.array(seconds[name]), failed[name]) for name in sorted(seconds)]
    everything = Latency("all", np.concatenate([one.seconds for one in by_route]), sum(one.failed for one in by_route))
    return [everything, *by_route], share, words


def kind_of(path: str) -> str:
    """A path without its workload."""
    plain = path.partition("?")[0].removeprefix("/api/v1/")
    if plain.startswith("workloads/"):
        return "workloads/KEY" + ("/" + plain.split("/")[5] if plain.count("/") == 5 else "")
    return plain


def cpu(process: subprocess.Popen[str]) -> float:
    """CPU seconds of the server so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(process: subprocess.Popen[str]) -> float:
    """The server's largest memory, in MB."""
    (line,) = [line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmHWM" in line]
    return int(line.split()[1]) / 1024


def report(
    asked: argparse.Namespace,
    parts: list[tuple[str, float]],
    alone: tuple[list[Latency], float, str],
    beside: tuple[list[Latency], float, str],
    megabytes: float,
) -> str:
    idle, listening = parts[0][1], parts[1][1]
    setting = f"{asked.workloads:,} workloads, a turn every {asked.interval:g} s (the usual pace is 15 s)"
    lines = [
        "# The API while the loop turns",
        "",
        f"{setting}, each part {asked.seconds:g} s, on {os.cpu_count()} shared cores. Latencies in ms.",
        "",
        "| server | of a core |",
        "|---|---|",
        *(f"| {words} | {100 * share:.1f} % |" for words, share in parts),
        f"| so {LISTENERS} listeners cost (at most {100 * BUDGET_CORE:.0f} %) | {100 * (listening - idle):.1f} % |",
        *(f"| {asked.rate:g} requests/s, {words} | {100 * share:.1f} % |" for _, share, words in (alone, beside)),
        f"| largest memory | {megabytes:.0f} MB |",
    ]
    for latencies, _, words in (alone, beside):
        lines += [
            "",
            f"{asked.rate:g} requests/s, {words} (p99 of all: at most {1e3 * BUDGET_P99:.0f}):",
            "",
            "| route | requests | p50 | p99 | slowest | failed |",
            "|---|---|---|---|---|---|",
            *(one.row() for one in latencies),
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
