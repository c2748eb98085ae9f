"""Sources that lie: nothing goes down on their word, it is said which one, and afterwards all goes on.

The true load wanders by five per cent, so that replicas move up and down all the time, and falls while the lie lasts or
after it. No forecast holds anything up, and the fleet's reduction guard is wide open: what holds is distrust alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from tests.journeys import liar as lies
from tests.journeys.afternoon import LOADS, START, Afternoon, Day, afternoon, copied, lay, telling

from podium.loop.clusters.simulated.store import Write
from podium.signals.replay import ReplaySource, Track
from podium.signals.series import Series
from podium.signals.source import Subject

BEGINS, ENDS = 60.0, 95.0  # minutes of the lie
BACK = 45.0  # minutes after its end within which every workload has followed the load down again
HALF = tuple(LOADS)[len(LOADS) // 2 :]  # who is left out of half an answer

STEADY = Day(falls=((ENDS, 20, 0.6),))  # falls when the lie is over
DECLINING = Day(falls=((30, 180, 0.25),))  # has been falling for half an hour, and goes on
DAYS = {"steady": STEADY, "declining": DECLINING}


@dataclasses.dataclass(frozen=True)
class Case:
    """A lie, what the source is called while it lasts, and whom it touches."""

    name: str
    lie: lies.Lie | None  # None: nobody listens
    state: str
    touched: tuple[str, ...] = tuple(LOADS)
    timeout: str = "5s"


HTML = lies.says("<html><body>502 Bad Gateway</body></html>", 200, "text/html")
GARBAGE = lies.turns(lies.always("NaN"), lies.always("-1"), lies.always("+Inf"))

CASES = [
    Case("refused", None, "silent"),
    Case("hangs", lies.hang, "silent", timeout="150ms"),
    Case("HTTP 500", lies.says("upstream is ill", 500, "text/plain"), "silent"),
    Case("HTTP 503 in JSON", lies.says('{"status":"error","errorType":"unavailable","error":"busy"}', 503), "silent"),
    Case("HTTP 422", lies.says('{"status":"error","errorType":"execution","error":"many-to-many"}', 422), "broken"),
    Case("cut off", lies.cut_off, "broken"),
    Case("HTML", HTML, "broken"),
    Case("words for numbers", lies.always("many"), "broken"),
    Case("NaN", lies.always("NaN"), "broken"),
    Case("infinite", lies.always("+Inf"), "broken"),
    Case("negative", lies.times(-1.0), "broken"),
    Case("no series", lies.says('{"status":"success","data":{"resultType":"vector","result":[]}}'), "silent"),
    Case("no namespace", lies.labelled(namespace=None), "silent"),
    Case("no workload", lies.labelled(deployment=None), "broken"),
    Case("another namespace", lies.labelled(namespace="bank"), "silent"),
    Case("half of the series", lies.half, "silent", touched=HALF),
    Case("zeros", lies.always("0"), "suspect"),
    Case("a tenth", lies.times(0.1), "suspect"),
    Case("a thousandth", lies.times(0.001), "suspect"),
    Case("a third", lies.times(0.33), "suspect"),
    Case("frozen", lies.frozen, "frozen"),
    Case("frozen with its times", lies.frozen_whole, "silent"),
    Case("an hour old", lies.shifted(-3600), "silent"),
    Case("an hour ahead", lies.shifted(3600), "broken"),
    Case("a hundredfold", lies.times(100.0), "suspect"),
    Case("twice", lies.twice, "suspect"),
    Case("in turns", lies.turns(lies.times(0.1), lies.always("0"), HTML, lies.labelled(namespace=None), each=3), "any"),
    Case("garbage in turns", GARBAGE, "broken"),
    Case("too much and too little", lies.turns(lies.times(100.0), lies.times(0.1), each=4), "suspect"),
    Case("frozen at a tenth", lies.always("5"), "suspect"),
]  # fmt: skip


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An hour of truth on each day, stopped in order: every lie begins from a copy."""

    async def live(folder: Path, day: Day) -> None:
        async with telling(day) as liar:
            lay(folder, {"prom": liar.url})
            async with afternoon(folder, day, cpu=day is DECLINING) as run:
                await run.until(BEGINS)

    folders = {name: tmp_path_factory.mktemp("before") / name for name in DAYS}
    for name, folder in folders.items():
        asyncio.run(live(folder, DAYS[name]))
    return folders


pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]


@dataclasses.dataclass
class Told:
    """What was seen of one lie from the outside."""

    lowered: list[Write]
    source: dict[str, object]
    troubles: dict[str, list[str]]
    followed: dict[str, float]  # minutes after its end until a workload first went down


async def _lied_to(folder: Path, day: Day, case: Case) -> Told:
    async with telling(day) as liar:
        lay(folder, {"prom": liar.url}, timeout=case.timeout)
        async with afternoon(folder, day, minute=BEGINS, cpu=day is DECLINING) as run:
            if case.lie is None:
                await liar.refuse()
            else:
                liar.tell(case.lie, run.pace())
            await run.until(ENDS)
            lowered = run.lowered(BEGINS, ENDS)
            source, troubles = await run.source("prom"), await _troubles(run)
            if case.lie is None:
                await liar.listen()
            liar.tell(lies.honest, run.pace())
            await run.until(ENDS + BACK)
            followed = {_name(w): (w.at - START) / 60 - ENDS for w in reversed(run.lowered(ENDS))}
    return Told(lowered, source, troubles, followed)


async def _troubles(run: Afternoon) -> dict[str, list[str]]:
    rows = (await run.get("/api/v1/workloads"))["items"]
    return {row["key"].rsplit("/", 1)[1]: row["troubles"] for row in rows}


def _name(write: Write) -> str:
    return write.workload.rsplit("/", 1)[1]


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_lying_source_lowers_nothing_is_named_and_is_believed_again(
    case: Case, day: str, before: dict[str, Path], tmp_path: Path
) -> None:
    told = asyncio.run(_lied_to(copied(before[day], tmp_path / "here"), DAYS[day], case))
    assert [write for write in told.lowered if _name(write) in case.touched] == []
    assert told.source["state"] != "ok" if case.state == "any" else told.source["state"] == case.state
    words = str(told.source["words"])
    assert "prom" in words
    assert str(told.source["where"]) in words
    assert {name for name, said in told.troubles.items() if any("prom" in one for one in said)} == set(case.touched)
    assert set(told.followed) == set(LOADS)


# One workload alone, two sources, and what is no lie


@pytest.mark.parametrize(
    ("lie", "state"),
    [(lies.always("0"), "suspect"), (lies.times(0.1), "suspect"), (lies.frozen, "frozen"), (HTML, "broken")],
    ids=["zero", "a tenth", "frozen", "HTML"],
)
def test_a_single_workload_is_not_lowered_by_a_lie_either(lie: lies.Lie, state: str, tmp_path: Path) -> None:
    day = Day(loads={"web": 200.0}, falls=((45, 60, 0.5),))

    async def story() -> tuple[list[Write], str, list[Write]]:
        async with telling(day) as liar:
            lay(tmp_path, {"prom": liar.url}, names=("web",))
            async with afternoon(tmp_path, day, names=("web",)) as run:
                await run.until(BEGINS)
                liar.tell(lie, run.pace())
                await run.until(ENDS)
                state = (await run.source("prom"))["state"]
                liar.tell(lies.honest, run.pace())
                await run.until(ENDS + BACK)
                # That one series stands still is known at the third equal sample; what it said before was true.
                return run.lowered(BEGINS + 1, ENDS), state, run.lowered(ENDS)

    lowered, said, followed = asyncio.run(story())
    assert (lowered, said) == ([], state)
    assert followed


def test_of_two_sources_the_one_that_tells_the_truth_is_followed(tmp_path: Path) -> None:
    theirs = {"mail": "other", "feed": "other"}

    async def story() -> tuple[list[Write], dict[str, str]]:
        async with telling(DECLINING) as liar, telling(DECLINING) as honest:
            lay(tmp_path, {"prom": liar.url, "other": honest.url}, of=theirs)
            async with afternoon(tmp_path, DECLINING) as run:
                await run.until(BEGINS)
                liar.tell(lies.times(0.1), run.pace())
                await run.until(ENDS)
                said = {name: (await run.source(name))["state"] for name in ("prom", "other", "local")}
                return run.lowered(BEGINS, ENDS), said

    lowered, said = asyncio.run(story())
    assert {_name(write) for write in lowered} == set(theirs)
    assert said == {"prom": "suspect", "other": "ok", "local": "ok"}


def test_a_sudden_fall_that_the_cluster_sees_too_is_believed(tmp_path: Path) -> None:
    day = Day(falls=((BEGINS, 2, 0.3),))

    async def story() -> dict[str, int]:
        async with telling(day) as liar:
            lay(tmp_path, {"prom": liar.url})
            async with afternoon(tmp_path, day) as run:
                await run.until(BEGINS + 25)
                rows = (await run.get("/api/v1/workloads"))["items"]
                return {row["key"].rsplit("/", 1)[1]: row["replicas"] for row in rows}

    replicas = asyncio.run(story())
    now = START + (BEGINS + 25) * 60
    assert {name: count for name, count in replicas.items() if count > day.needed(name, now) + 2} == {}


def test_a_night_that_falls_while_the_source_is_down_is_no_lie_in_the_morning(tmp_path: Path) -> None:
    day = Day(falls=((BEGINS, 180, 0.2),))

    async def story() -> tuple[list[Write], str, set[str]]:
        async with telling(day) as liar:
            lay(tmp_path, {"prom": liar.url})
            async with afternoon(tmp_path, day) as run:
                await run.until(BEGINS)
                await liar.refuse()
                await run.until(BEGINS + 180)
                lowered = run.lowered(BEGINS + 1)
                await liar.listen()
                await run.until(BEGINS + 200)
                state = (await run.source("prom"))["state"]
                return lowered, state, {_name(write) for write in run.lowered(BEGINS + 180)}

    assert asyncio.run(story()) == ([], "ok", set(LOADS))


def test_a_gap_in_a_recording_lowers_nothing(tmp_path: Path) -> None:
    at = np.arange(START - 600, START + 150 * 60, 30.0)
    told = at[(at < START + BEGINS * 60) | (at > START + ENDS * 60)]

    def tracks() -> list[Track]:
        return [
            Track(
                query="load",
                subject=Subject("shop", "deployment", name),
                series=Series(
                    told, np.array([DECLINING(moment)[name] for moment in told.tolist()]), "recorded: a test"
                ),
            )
            for name in LOADS
        ]

    async def story() -> tuple[list[Write], dict[str, object], set[str]]:
        lay(tmp_path, {"tape": "http://127.0.0.1:1"})
        async with afternoon(tmp_path, DECLINING, source=ReplaySource("tape", tracks)) as run:
            await run.until(ENDS)
            lowered, source = run.lowered(BEGINS, ENDS), await run.source("tape")
            await run.until(ENDS + BACK)
            return lowered, source, {_name(write) for write in run.lowered(ENDS)}

    lowered, source, followed = asyncio.run(story())
    assert (lowered, source["state"], followed) == ([], "silent", set(LOADS))
    assert "nothing new" in str(source["words"])
