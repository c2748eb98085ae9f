"""What an episode was: spikes, level shifts and holes of many shapes, in three rhythms and two grids, told apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from tests.foresight.anomalies.test_detector import times

from podium.foresight.anomalies.episodes import ENOUGH_ROWS, Kind, episodes
from podium.foresight.anomalies.recording import judge
from podium.model.arrays import Float64s

ROWS = {60.0: 8_640, 300.0: 4_032}  # six days, two weeks


class Change(NamedTuple):
    """Something that happens to a series from some row on."""

    rows: int | None  # that it lasts; None: to the end
    times: float  # what was there
    more: float
    kind: Kind


CHANGES = {
    "spike of a row": Change(1, 1, 400, "spike"),
    "spike of twelve rows": Change(12, 1, 400, "spike"),
    "spike of forty rows": Change(40, 1, 400, "spike"),
    "four times as much for three rows": Change(3, 4, 0, "spike"),
    "dip of forty rows": Change(40, 0.2, 0, "spike"),
    "zero for a row": Change(1, 0, 0, "hole"),
    "zero for forty rows": Change(40, 0, 0, "hole"),
    "zero for good": Change(None, 0, 0, "hole"),
    "unknown for twelve rows": Change(12, np.nan, 0, "hole"),
    "unknown for good": Change(None, np.nan, 0, "hole"),
    "more for good": Change(None, 1, 250, "level shift"),
    "two and a half times for good": Change(None, 2.5, 0, "level shift"),
    "less for good": Change(None, 0.2, 0, "level shift"),
    "more for two hundred rows": Change(200, 1, 250, "level shift"),
}


def rhythm(name: str, at: Float64s, seed: int) -> Float64s:
    """About 200 with noise of 5: level, by day, or with another noise of three per cent by day and week."""
    chance, day = np.random.default_rng(seed), np.cos(at * 2 * np.pi / 86_400)
    match name:
        case "level":
            return np.asarray(200 + chance.normal(0, 5, len(at)))
        case "day":
            return np.asarray(200 - 100 * day + chance.normal(0, 5, len(at)))
        case _:
            weekend = np.where((at // 86_400 + 3) % 7 >= 5, 0.7, 1.0)
            return np.asarray((200 - 100 * day) * weekend * chance.lognormal(0, 0.03, len(at)))


@pytest.mark.parametrize("step", [60.0, 300.0])
@pytest.mark.parametrize("shape", ["level", "day", "week"])
@pytest.mark.parametrize("name", sorted(CHANGES))
def test_what_happened_is_told_for_what_it_was(name: str, shape: str, step: float) -> None:
    change, at = CHANGES[name], times(ROWS[step], step)
    told = []
    for seed in range(3):
        values, first = rhythm(shape, at, seed), ROWS[step] * 3 // 4 + 101 * seed
        there = slice(first, None if change.rows is None else first + change.rows)
        values[there] = values[there] * change.times + change.more
        found = [one.kind for one in judge(at, values).episodes if first <= one.first <= first + 10]
        told.append(found[0] if found else None)
    assert told == [change.kind] * 3


def test_nothing_is_said_of_the_kind_before_it_can_be_known() -> None:
    at = times(1000)
    values = np.where(np.arange(1000) == 900, 9.0, 1.0)
    flags = values == 9.0
    for known in (0, 1, ENOUGH_ROWS - 1, ENOUGH_ROWS):
        stop = 901 + known
        (one,) = episodes(at[:stop], values[:stop], np.where(flags, 0.7, 0.0)[:stop], flags[:stop])
        assert one.kind == ("spike" if known == ENOUGH_ROWS else None)


def test_a_rhythm_that_goes_its_way_after_a_spike_is_no_level_shift() -> None:
    at = times(288 * 10)
    values = 1000 - 900 * np.cos(at * 2 * np.pi / 86_400)
    spike = 288 * 8 + 60  # in the morning: an hour later the usual load is as high as the spike was
    values[spike] += 300
    flags = np.arange(len(at)) == spike
    (one,) = episodes(at, values, np.where(flags, 0.7, 0.0), flags)
    assert one.kind == "spike"
