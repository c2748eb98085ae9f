"""`predict_scaling_needs`: the time ahead of a recorded load, or of a running loop's workloads, for programs.

Of a recorded load:

    series = read_series(Path("load.csv"))["web"]
    needs = predict_scaling_needs(
        series, capacity_per_replica=85, replicas=6, time_horizon="30m", confidence_threshold=0.8
    )
    if needs.should_scale_up:
        print(needs.scale_factor)

Of a running loop, `needs = await predict_running(view, time_horizon="30m", confidence_threshold=0.8)` speaks of all its
workloads, and with `key="local/shop/deployment.apps/web"` of one. Both read the same forecaster in the same way.
"""

from __future__ import annotations

import asyncio

import numpy as np

from podium.foresight.outlook import LONGEST_SECONDS
from podium.loop.needs import Prediction, Predictions, predict
from podium.loop.rehearse.rehearsal import LEVELS
from podium.loop.rehearse.steps import steps
from podium.loop.remember import anew
from podium.loop.tell.view import View
from podium.model.clock import duration, parse_duration
from podium.signals.series import Series

HISTORY_SECONDS = 28 * 86_400.0  # four of every weekday
WARM_SECONDS = 8 * 86_400.0  # in which the largest load of a window is learned as well: it looks a week back
FEWEST, HIGHEST = 0.5, 0.999


def predict_scaling_needs(
    load: Series,
    *,
    capacity_per_replica: float,
    replicas: int,
    time_horizon: str | float = "30m",
    confidence_threshold: float = 0.8,
    name: str = "load",
    forecaster: str = anew.FORECASTER,
) -> Prediction:
    """Whether `replicas` will be enough right after the end of a recorded load, each serving `capacity_per_replica`.

    `time_horizon` is a duration (`30m`) or seconds. Raises ValueError for an argument that cannot be meant, and
    signals.source.Permanent for a series of which nothing can be forecast.
    """
    horizon, threshold = horizon_of(time_horizon), threshold_of(confidence_threshold)
    if not 0 < capacity_per_replica < float("inf"):
        raise ValueError(f"capacity_per_replica is {capacity_per_replica:g}; expected more than zero")
    if replicas < 1:
        raise ValueError(f"replicas is {replicas}; expected one at least")
    on_grid = steps(name, load)
    seconds, lead = on_grid.step_seconds, np.array([horizon])
    outlook = anew.new_outlook(forecaster, seconds, 1)
    start = max(len(on_grid) - int(HISTORY_SECONDS // seconds), 0)
    warm = len(on_grid) - int(WARM_SECONDS // seconds)
    for row in range(start, len(on_grid)):
        value = on_grid.load[row : row + 1]
        if row < warm:
            outlook.forecaster.learn(on_grid.at(row), value)
        else:
            outlook.step(on_grid.at(row), value, lead)
    now = on_grid.at(len(on_grid) - 1)
    ahead = np.arange(1, max(int(horizon / seconds + 1e-9), 1) + 1).astype(np.float64) * seconds
    said = outlook.forecast(now, LEVELS, ahead)
    largest = said.quantiles[:, :, 0].max(axis=1).tolist()
    return predict(
        name,
        now,
        {f"{level:g}": value if np.isfinite(value) else None for level, value in zip(LEVELS, largest, strict=True)},
        load=float(on_grid.load[-1]),
        capacity=capacity_per_replica,
        replicas=replicas,
        horizon_seconds=horizon,
        threshold=threshold,
        trusted=bool(said.trusted[0]),
    )


async def predict_running(
    view: View, time_horizon: str | float = "30m", confidence_threshold: float = 0.8, *, key: str | None = None
) -> Prediction | Predictions:
    """What the workloads of a running loop will need; of one, when `key` names it.

    Raises ValueError for an argument that cannot be meant, KeyError for a workload that nobody knows.
    """
    horizon, threshold = horizon_of(time_horizon), threshold_of(confidence_threshold)
    if key is None:
        return await asyncio.to_thread(view.predictions, horizon, threshold)
    return await asyncio.to_thread(view.prediction, key, horizon, threshold)


def horizon_of(text: str | float) -> float:
    """Seconds of a horizon. Raises ValueError that says what was expected."""
    seconds = parse_duration(text) if isinstance(text, str) else float(text)
    if not 60.0 <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"a horizon of {text}; expected 1m to {duration(LONGEST_SECONDS)}, as far as forecasts look")
    return seconds


def threshold_of(confidence: float) -> float:
    """A confidence that can be asked for. Raises ValueError."""
    if not FEWEST <= confidence <= HIGHEST:
        raise ValueError(f"a confidence of {confidence:g}; expected {FEWEST:g} to {HIGHEST:g}, as in 0.8")
    return confidence
