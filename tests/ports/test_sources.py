"""What every source of readings does: a recording being replayed, what was pushed and a real Prometheus alike.

Each world shows one moment of the same three series: web measured 7, api measured 12.5, and a third that has ended.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
from tests.servers.prometheus import Server
from tests.signals.push.senders import named, write_request

from podium.clients.prometheus import PrometheusClient
from podium.signals.prometheus import PrometheusSource
from podium.signals.push.batch import STALE
from podium.signals.push.question import question
from podium.signals.push.source import PushSource
from podium.signals.replay import ReplaySource, Track
from podium.signals.series import Series
from podium.signals.source import Past, Permanent, Reading, Source, Subject

WEB = Subject("shop", "deployment", "web")
API = Subject("shop", "deployment", "api")


@dataclasses.dataclass
class World:
    """A source and what to ask it."""

    source: Source
    now: float
    load: str  # web 7, api 12.5
    empty: str  # a query without a series at the moment
    wrong: str  # a question that can never be answered


def replayed() -> World:
    now = 1_800_000_000.0
    series = {
        WEB: Series(np.array([now - 20, now - 10, now + 10]), np.array([1.0, 7.0, 3.0]), "recorded: test"),
        API: Series(np.array([now - 10]), np.array([12.5]), "recorded: test"),
    }
    tracks = [Track(query="load", subject=subject, series=one) for subject, one in series.items()]
    later = Track(query="later", subject=WEB, series=Series(np.array([now + 60]), np.array([1.0]), "recorded: test"))
    return World(ReplaySource("tape", lambda: [*tracks, later]), now, "load", "later", "no such series")


def measured(server: Server) -> World:
    server.expose(
        'sources_load{namespace="shop",deployment="web"} 7', 'sources_load{namespace="shop",deployment="api"} 12.5'
    )
    server.until("sources_load", 2)
    source = PrometheusSource("prom", PrometheusClient(server.url))
    return World(source, time.time(), "sources_load", "sources_ended", "sum by (")  # noqa: TID251  a real server's clock


def pushed() -> World:
    now = 1_800_000_000.0
    source = PushSource("pushed")
    for age, loads in ((20, {"web": 1.0}), (10, {"web": 7.0, "api": 12.5, "ended": 1.0}), (5, {"ended": STALE[0]})):
        series = [(named("load", deployment=name), [(now - age, value)]) for name, value in loads.items()]
        source.take(source.decoder.decode(write_request(*series)), now - age)
    ended = [(named("load", deployment="ended"), [(now - 4, STALE[0])])]
    source.take(source.decoder.decode(write_request(*ended)), now - 4)
    load = question("load", {}, rate=False)
    return World(source, now, load, question("nobody_pushes", {}, rate=False), "no question")


KINDS = ["replay", pytest.param("prometheus", marks=pytest.mark.prometheus)]


@pytest.fixture(params=["push", *KINDS])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    found = made(request)
    yield found
    await found.source.close()


@pytest.fixture(params=KINDS)
async def past_world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Those that remember; what was pushed is kept for the present alone."""
    found = made(request)
    yield found
    await found.source.close()


def made(request: pytest.FixtureRequest) -> World:
    if request.param == "prometheus":
        return measured(request.getfixturevalue("prometheus"))
    return {"replay": replayed, "push": pushed}[request.param]()


def facts(reading: Reading) -> dict[Subject, float]:
    return dict(zip(reading.subjects, reading.values.tolist(), strict=True))


async def test_a_reading_has_the_newest_value_of_every_series(world: World) -> None:
    assert facts(await world.source.read(world.load, world.now)) == {WEB: 7, API: 12.5}


async def test_values_were_measured_at_or_before_now(world: World) -> None:
    reading = await world.source.read(world.load, world.now)

    assert reading.at.dtype == reading.values.dtype == np.float64
    assert ((world.now - 60 <= reading.at) & (reading.at <= world.now + 1e-3)).all()


async def test_no_series_is_an_empty_reading_not_an_error(world: World) -> None:
    reading = await world.source.read(world.empty, world.now)

    assert (reading.subjects, reading.values.shape, reading.at.shape) == ((), (0,), (0,))


async def test_long_before_the_first_value_there_is_a_gap(world: World) -> None:
    assert facts(await world.source.read(world.load, world.now - 86400)) == {}


async def test_asking_again_changes_nothing(world: World) -> None:
    first = await world.source.read(world.load, world.now)
    await world.source.read(world.load, world.now - 86400)
    again = await world.source.read(world.load, world.now)

    assert (facts(again), again.at.tolist()) == (facts(first), first.at.tolist())


async def test_the_same_series_come_with_the_same_subjects_object(world: World) -> None:
    first = await world.source.read(world.load, world.now)

    assert (await world.source.read(world.load, world.now + 0.01)).subjects is first.subjects


async def test_readings_may_overlap(world: World) -> None:
    readings = await asyncio.gather(*(world.source.read(world.load, world.now) for _ in range(20)))

    assert [facts(reading) for reading in readings] == [{WEB: 7, API: 12.5}] * 20


async def test_a_wrong_question_is_permanent_and_names_it(world: World) -> None:
    with pytest.raises(Permanent) as raised:
        await world.source.read(world.wrong, world.now)

    assert world.wrong in str(raised.value)


async def test_the_past_is_what_readings_would_have_said(past_world: World) -> None:
    assert isinstance(past_world.source, Past)
    at = past_world.now + np.array([-3600, -1800, 0])

    subjects, values = await past_world.source.past(past_world.load, at, 60)

    rows = [{who: v for who, v in zip(subjects, row, strict=True) if not np.isnan(v)} for row in values.tolist()]
    assert rows == [{}, {}, {WEB: 7, API: 12.5}]
    assert rows == [facts(await past_world.source.read(past_world.load, now)) for now in at.tolist()]


async def test_in_the_past_a_value_too_old_was_missing(past_world: World) -> None:
    assert isinstance(past_world.source, Past)

    _, values = await past_world.source.past(past_world.load, past_world.now + np.arange(0.0, 401.0, 100.0), 150)

    # Measured at most 10 s before now, or 10 s after it. Prometheus 2.42 takes values for fresh during five minutes.
    assert (~np.isnan(values)).sum(axis=1)[[0, 1, 4]].tolist() == [2, 2, 0]


async def test_the_past_of_a_wrong_question_is_permanent(past_world: World) -> None:
    assert isinstance(past_world.source, Past)
    with pytest.raises(Permanent):
        await past_world.source.past(past_world.wrong, np.array([past_world.now - 60, past_world.now]), 60)


async def test_closing_twice_is_fine(world: World) -> None:
    await world.source.read(world.load, world.now)
    await world.source.close()
    await world.source.close()
