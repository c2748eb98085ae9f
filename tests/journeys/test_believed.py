"""How far a lie goes that is plausible enough to be believed: the figures of docs/weaknesses.md.

Five workloads under a steady load, on the word of one source, without the cluster's samples and with the fleet's
reduction guard wide open. An hour and a half after the lie began, what is left of what the fleet truly needs?
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
from aiohttp import web
from tests.brief.stage import figure
from tests.journeys import liar as lies
from tests.journeys.afternoon import CAPACITY, LOADS, MINUTE, START, Day, afternoon, key, lay, telling

from podium.model.fleet import Fleet

BEGINS, LASTS = 20.0, 90.0  # minutes
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def sliding(to: float, minutes: float) -> lies.Lie:
    """The truth times a factor that slides from one to `to` within so many minutes."""

    async def lie(asked: lies.Asked) -> web.StreamResponse:
        gone = min((asked.now - asked.since) / (minutes * MINUTE), 1.0)
        return await lies.times(1.0 - (1.0 - to) * gone)(asked)

    return lie


def zeros(count: int) -> lies.Lie:
    """Nothing, of so many of the five."""
    return lies.times(0.0, only=tuple(LOADS)[:count])


@dataclasses.dataclass(frozen=True)
class Case:
    """A lie, and the share of the needed replicas that may be left at least and at most."""

    name: str
    lie: lies.Lie
    least: float
    most: float


CASES = [
    Case("90 % of the truth", lies.times(0.9), 0.85, 1.15),
    Case("70 % of the truth", lies.times(0.7), 0.62, 0.85),
    Case("60 % of the truth", lies.times(0.6), 0.52, 0.75),
    Case("55 % of the truth", lies.times(0.55), 0.47, 0.70),
    Case("50 % of the truth", lies.times(0.5), 0.42, 1.15),
    Case("45 % of the truth", lies.times(0.45), 0.95, 1.25),
    Case("a slide to a tenth in 5 minutes", sliding(0.1, 5), 0.9, 1.25),
    Case("a slide to a tenth in 10 minutes", sliding(0.1, 10), 0.6, 1.25),
    Case("a slide to a tenth in 20 minutes", sliding(0.1, 20), 0.25, 0.55),
    Case("a slide to a tenth in 40 minutes", sliding(0.1, 40), 0.05, 0.3),
    Case("zeros of one in five", zeros(1), 0.7, 0.95),
    Case("zeros of two in five", zeros(2), 0.5, 0.85),
    Case("zeros of three in five", zeros(3), 0.95, 1.25),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_a_lie_leaves_of_the_fleet_is_as_the_page_of_weaknesses_says(case: Case, tmp_path: Path) -> None:
    day = Day()
    async with telling(day) as liar:
        lay(tmp_path, {"prom": liar.url})
        async with afternoon(tmp_path, day, cpu=False) as run:
            await run.until(BEGINS)
            liar.tell(case.lie, run.pace())
            await run.until(BEGINS + LASTS)
            seen = await run.cluster.observe(Fleet().revised({key(name): "shop" for name in LOADS}))
            needed = sum(math.ceil(load / CAPACITY) for load in day(START + (BEGINS + LASTS) * MINUTE).values())
    left = int(seen.replicas.sum()) / needed
    figure(f"{case.name}: {left:.0%} of what it needs is left")
    assert case.least <= left <= case.most
