"""Exams on real load that lies beside the project: forecasts, and the replay of whole recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks import forecast

from podium.signals.replay import read_series

LOAD = Path(__file__).parents[3] / "shared" / "data" / "load"

pytestmark = [pytest.mark.shared, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def judged() -> dict[str, list[forecast.Score]]:
    """The loop's forecaster and the last value with its own residuals, half an hour ahead, over all series."""
    data = forecast.recorded(LOAD)
    outcomes = forecast.later(data.loads)
    return {
        "last value": forecast.scores(data, forecast.trailing(data.loads, outcomes), outcomes),
        "ours": forecast.scores(data, forecast.ours("mixture", data.loads), outcomes),
    }


def test_the_error_is_well_under_that_of_the_last_value(judged: dict[str, list[forecast.Score]]) -> None:
    ratios = [ours.mae / last.mae for ours, last in zip(judged["ours"], judged["last value"], strict=True)]
    assert np.exp(np.mean(np.log(ratios))) < 0.60


def test_quantiles_cover_what_they_say_in_nearly_every_series(judged: dict[str, list[forecast.Score]]) -> None:
    covered = np.array([score.coverage[2] for score in judged["ours"]])
    assert ((covered >= 0.93) & (covered <= 0.97)).mean() >= 0.85


def test_every_origin_is_answered(judged: dict[str, list[forecast.Score]]) -> None:
    assert min(score.answered for score in judged["ours"]) > 0.99


def test_a_recorded_outage_stays_a_gap() -> None:
    series = read_series(LOAD / "web_nasa.parquet")["requests"]
    assert np.isfinite(series.value).all()
    assert np.diff(series.at).max() > 3600  # the server was down for more than a day


def test_long_form_recordings_are_read_series_by_series() -> None:
    series = read_series(LOAD / "services_crane.parquet")
    assert len(series) == 8
    assert all(len(one) > 10_000 for one in series.values())
