"""Ahead of the load: replicas rise before a surge that earlier days have shown, with the coverage that was measured."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from tests.brief.stage import MINUTE, Stage, figure, policy, stage
from tests.cli.outside import podium
from tests.journeys.afternoon import START

from podium.loop.tell.selection import Selection

DAY = 86400.0
SURGE = START + 60 * MINUTE  # and at the same time on each day before
RECORDED = """\
---
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {name: recorded, namespace: shop}
spec: {unit: per_second, replay: {column: requests}, interval: 60s, staleAfter: 3m}
"""


def requests(at: float, chance: float = 0.0) -> float:
    """Forty a second, three hundred during the four hours of each day's surge, which comes within ten minutes."""
    since = ((at - SURGE) % DAY) / MINUTE
    level = np.interp(since, [0, 10, 240, 300, 1440], [40, 300, 300, 40, 40])
    return float(level) * (1 + 0.04 * math.sin(at / 700) + chance)


def record(path: Path, days: int) -> None:
    """So many days before the start, and one after it: a row a minute, three per cent of noise."""
    at = START + np.arange(-days * 1440, 1440) * MINUTE
    noise = np.random.default_rng(11).normal(0, 0.03, len(at))
    rows = [f"{moment:.0f},{requests(moment, part):.3f}\n" for moment, part in zip(at, noise, strict=True)]
    path.write_text("ts,requests\n" + "".join(rows))


def by_forecast(lead: str) -> str:
    text = policy(most=60, rest="  load: {signal: recorded, capacityPerReplica: 10}\n")
    return RECORDED + text.replace("{enabled: false}", f"{{leadTime: {lead}}}")


async def risen(run: Stage) -> tuple[float, float]:
    """When first twice as many are wanted as the load before the surge needs, and the load of that moment."""
    while run.pace() < SURGE + 20 * MINUTE:
        await run.turns()
        if (run.explained().wanted or 0) >= 10:
            break
    return run.pace(), requests(run.pace())


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("lead", "minutes"), [("10m", 5.0), ("30m", 20.0)])
async def test_replicas_rise_before_a_surge_that_the_days_before_have_shown(
    lead: str, minutes: float, tmp_path: Path
) -> None:
    record(tmp_path / "requests.csv", days=3)
    async with stage(
        tmp_path, by_forecast(lead), replicas=5, environ={"SCALING_INTERVAL": "60s"}, interval=60,
        recording="requests.csv", history_seconds=3 * DAY, load=lambda _key, at: requests(at),
    ) as run:  # fmt: skip
        at, load = await risen(run)
        (row,) = run.program.live.page(Selection()).items
        reasons = run.explained().reasons
    ahead = (SURGE - at) / MINUTE
    assert ahead >= minutes
    assert load < 50  # which five replicas serve: only the forecast can have asked for ten
    assert row.trusted
    assert row.coverage is not None
    assert row.coverage >= 0.9
    assert any(words.startswith("the forecast raises it to ") for words in reasons), reasons
    figure(f"lead time {lead}: up {ahead:.0f} min before the surge; {row.coverage:.1%} of outcomes under the forecast")


async def test_a_surge_is_recommended_for_ahead_of_it_where_nothing_may_be_written(tmp_path: Path) -> None:
    record(tmp_path / "requests.csv", days=3)
    async with stage(
        tmp_path, by_forecast("10m").replace("mode: own", "mode: recommend"), replicas=5,
        environ={"SCALING_INTERVAL": "60s"}, interval=60, recording="requests.csv", history_seconds=3 * DAY,
        load=lambda _key, at: requests(at),
    ) as run:  # fmt: skip
        at, _load = await risen(run)
        assert (at < SURGE, run.cluster.writes()) == (True, [])
    told = podium("explain", "shop/web", at=tmp_path)
    assert re.search(r"the forecast raises it to 1\d: up to [\d.]+ expected within 10m", told.out)
    assert "recommended" in told.out
