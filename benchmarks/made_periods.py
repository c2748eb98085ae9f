"""Loads of our own making that repeat, but not every day: what knowing their period buys half an hour ahead.

    python benchmarks/made_periods.py

Two weeks on a 5-minute grid of a wave, of working hours and of a job's spike, each with 5 % noise on top and a level
that walks by 1 % an hour; the last third is judged. Beside ours stand the same forecaster without looking for periods
(as if every load were one of days), and an oracle that is told the period and takes the mean of the last three cycles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from podium.foresight import installed
from podium.foresight.banded import Banded
from podium.foresight.forecaster import Forecaster
from podium.foresight.last_value import LastValue
from podium.foresight.mixture import Mixture, RecentMean
from podium.foresight.ridge import Ridge

Array = NDArray[np.float64]
STEP, DAYS, HORIZON, DAY = 300.0, 14, 6, 288
HOURS = {"50 min": 5 / 6, "90 min": 1.5, "7 h 18 min": 7.3, "10 h": 10, "36 h": 36, "24 h": 24, "10 h and 24 h": 10}
KINDS = ("wave", "hours of work", "spike")


class ByDays(Ridge):
    """The ridge as if every load were one of days."""

    def _look(self, *_: object) -> None:
        pass


def by_days(slots: int) -> Forecaster:
    return Banded("by-days", Mixture(LastValue(), {"mean": RecentMean(), "ridge": ByDays()}), STEP, slots)


def made(kind: str, hours: float, daily: bool, seed: int) -> Array:
    """[t] a load."""
    rng = np.random.default_rng(seed)
    at = np.arange(DAYS * DAY) / 12
    phase = (at / hours + rng.uniform()) % 1
    shape = {
        "wave": 1.2 + np.sin(2 * np.pi * phase),
        "hours of work": 0.4 + 1.6 / (1 + np.exp(-40 * (0.2 - np.abs(phase - 0.5)))),
        "spike": 1.0 + 3.0 * (phase < max(0.1, 1 / (12 * hours))),
    }[kind]
    if daily:
        shape = shape * (1.3 + np.sin(2 * np.pi * at / 24 + rng.uniform(0, 6)))
    walk = np.exp(np.cumsum(0.01 / np.sqrt(12) * rng.standard_normal(len(at))))
    return np.asarray(100 * shape * walk * np.exp(0.05 * rng.standard_normal(len(at))))


def table() -> list[str]:
    """A row per period, as Markdown: mean absolute error over that of the last value."""
    cases = [(name, kind, seed) for name in HOURS for kind in KINDS for seed in range(4)]
    loads = np.stack([made(kind, HOURS[name], "and" in name, seed) for name, kind, seed in cases], axis=1)
    days, ours = _said(by_days(len(cases)), loads), _said(installed.load("mixture")(STEP, len(cases)), loads)
    told = np.stack([_told(loads[:, i], HOURS[name]) for i, (name, *_) in enumerate(cases)], axis=1)
    errors = [_error(said, loads) for said in (loads, days, ours, told)]
    rows = ["| repeats every | shape | by days alone | ours | told the period |", "|---|---|---|---|---|"]
    for name in HOURS:
        for kind in KINDS:
            which = [i for i, case in enumerate(cases) if case[:2] == (name, kind)]
            ratios = [np.exp(np.mean(np.log(one[which] / errors[0][which]))) for one in errors[1:]]
            rows.append(f"| {name} | {kind} | {' | '.join(f'{ratio:.3f}' for ratio in ratios)} |")
    return rows


def _said(forecaster: Forecaster, loads: Array) -> Array:
    """[t, n] medians half an hour after each row."""
    out = np.empty(loads.shape)
    for number, row in enumerate(loads, 1):
        forecaster.learn(number * STEP, row)
        out[number - 1] = forecaster.quantiles(number * STEP, np.array([0.5]), np.array([HORIZON * STEP]))[0, 0]
    return out


def _told(load: Array, hours: float) -> Array:
    """[t] the mean of the same moment of the last three cycles, at the level of the last half hour."""
    period, at = hours * 12, np.arange(len(load))
    cycles = [np.interp(at + HORIZON - k * period, at, load) for k in (1, 2, 3)]
    here = [np.interp(at - k * period, at, load) for k in (1, 2, 3)]
    recent, then = (np.convolve(one, np.ones(6) / 6)[: len(load)] for one in (load, np.mean(here, axis=0)))
    return np.asarray(np.mean(cycles, axis=0) * recent / then)


def _error(said: Array, loads: Array) -> Array:
    start = len(loads) * 2 // 3
    return np.asarray(np.abs(loads[start + HORIZON :] - said[start:-HORIZON]).mean(axis=0))


if __name__ == "__main__":
    print("\n".join(table()))
