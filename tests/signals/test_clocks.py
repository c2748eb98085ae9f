"""A source whose clock is not ours: samples from the future, samples that stay old, and jumps both ways."""

from __future__ import annotations

import pytest
from tests.signals.fakes import NOW, Scripted, fleet_of, pods_of, reading_of, values

from podium.signals.bound import BoundSignal
from podium.signals.health import State
from podium.signals.observe import Observer

LOAD = BoundSignal(namespace="shop", name="load", source="prom", query="load", unit="per_second")  # stale after 60 s


async def seen(*offsets: float) -> list[tuple[float | None, State, str]]:
    """Turn after turn, 15 s apart, a sample whose time is that of the turn and an offset: value, state and words."""
    source = Scripted("prom", {})
    observer, out = Observer([source]), []
    for turn, offset in enumerate(offsets):
        now = NOW + 15 * turn
        source.answers["load"] = reading_of(("shop", "deployment", "web", 7.0 + turn), at=now + offset)
        observed = await observer.observe([LOAD], fleet_of("shop/web"), pods_of(), now, 5.0)
        (health,) = observed.health
        out.append((values(observed.levels["load"].value)[0], health.state, health.words))
    return out


GARBAGE = "prom: all 1 values are not finite, negative, or from the future"
OLD = "prom: nothing new: all 1 values are older than allowed"


async def test_a_clock_that_is_a_little_apart_does_no_harm() -> None:
    found = await seen(30.0, -30.0, 59.9, -59.9)
    assert [value for value, _, _ in found] == [7.0, 8.0, 9.0, 10.0]


async def test_a_clock_that_jumps_ahead_is_not_believed_and_is_believed_again_when_it_is_back() -> None:
    found = await seen(0.0, 3600.0, 3600.0, 0.0)
    assert found == [
        (7.0, State.OK, ""),
        (None, State.BROKEN, GARBAGE),
        (None, State.BROKEN, GARBAGE),
        (10.0, State.OK, ""),
    ]


async def test_a_clock_that_jumps_back_looks_like_silence_and_is_heard_again_when_it_is_back() -> None:
    found = await seen(0.0, -3600.0, -3600.0, 0.0)
    assert found == [(7.0, State.OK, ""), (None, State.SILENT, OLD), (None, State.SILENT, OLD), (10.0, State.OK, "")]


async def test_a_source_that_says_the_same_sample_again_and_again_falls_silent_by_itself() -> None:
    found = await seen(0.0, -15.0, -30.0, -45.0, -60.0, -75.0)
    assert [value is None for value, _, _ in found] == [False] * 5 + [True]


@pytest.mark.parametrize("offset", [float("nan"), float("inf"), float("-inf"), 1e300])
async def test_a_time_that_is_none_is_garbage(offset: float) -> None:
    ((value, state, words),) = await seen(offset)
    assert (value, state, words) == (None, State.BROKEN, GARBAGE)


async def test_series_of_different_ages_are_judged_one_by_one() -> None:
    """Of one answer: web is fresh, api is old, mail is from the future, db is not a number."""
    fleet = fleet_of("shop/web", "shop/api", "shop/mail", "shop/db")
    rows = [("web", 1.0), ("api", 2.0), ("mail", 3.0), ("db", float("nan"))]
    reading = reading_of(*(("shop", "deployment", name, value) for name, value in rows))
    reading.at[1:3] = NOW - 300, NOW + 300
    observed = await Observer([Scripted("prom", {"load": reading})]).observe([LOAD], fleet, pods_of(), NOW, 5.0)

    assert values(observed.levels["load"].value) == [1.0, None, None, None]
    assert observed.health[0].words == (
        "prom: 2 values are not finite, negative, or from the future; 1 values are older than allowed"
    )
