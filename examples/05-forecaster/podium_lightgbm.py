"""A forecaster of another package: one LightGBM model for all workloads, fitted anew every day, in Podium's own bands.

What is told: how far the load lies from those of the last hour, and from the day before around the same time and half
an hour later. What is asked: the change within half an hour, in logarithms; nearer horizons take their share of it.
"""

from __future__ import annotations

import lightgbm
import numpy as np

from podium.foresight.banded import Banded, Grid
from podium.foresight.bins import FIELDS, Bins
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Columns, Float32s

DAYS = 8
AHEAD = 6  # bins: half an hour
LAGS = (1, 2, 3, 6, 12)
AROUND = (-3, 0, 3, AHEAD, AHEAD + 3)
MOST = 200_000  # samples of a fit
SETTINGS = {"objective": "l1", "num_leaves": 31, "min_data_in_leaf": 100, "num_threads": 1, "verbose": -1, "seed": 1}
ROUNDS = 100


class Boosting:
    """The point model. Its trees belong to all slots, what it remembers of the past to each."""

    def __init__(self) -> None:
        self.model: lightgbm.Booster | None = None

    def fields(self, grid: Grid) -> dict[str, Field]:
        """Eight days of bins, in logarithms."""
        rows = DAYS * Bins(grid).day + 1
        return {**{f"bins.{name}": field for name, field in FIELDS.items()}, "past": Field((rows,), dtype=np.float16)}

    def learn(self, memory: Memory, grid: Grid, step: int, values: Float32s) -> None:
        """Take in [n] loads; once a day, fit on the past of the slots at hand."""
        bins, inner, past = Bins(grid), memory.inside("bins"), memory["past"]
        bins.learn(inner, step, values)
        if bins.closes(step):
            number = bins.number(step)
            past[number % len(past)] = np.log1p(np.maximum(bins.means(inner), 0))
            if number % bins.day == 0:
                self._fit(past, number, bins.day)

    def points(self, memory: Memory, grid: Grid, step: int) -> Float32s:
        """[k, n] the load now, moved by a share of what the trees tell."""
        bins, past = Bins(grid), memory["past"]
        number = bins.last(step)
        now = past[number % len(past)].astype(np.float32)
        change = np.zeros_like(now)
        if self.model is not None:
            change[...] = self.model.predict(_told(past, number, bins.day))
        share = np.clip(bins.ahead(step, grid.lengths, number) / AHEAD, 0, 1).astype(np.float32)[:, None]
        return np.asarray(np.expm1(np.maximum(now + share * change, 0)))

    def _fit(self, past: Float32s, number: int, day: int) -> None:
        numbers = np.arange(number - len(past) + 1 + day + LAGS[-1], number - AHEAD)
        told, came = [], []
        for one in numbers[:: max(1, len(numbers) * past.shape[1] // MOST)].tolist():
            vectors = _told(past, one, day)
            moved = (past[(one + AHEAD) % len(past)] - past[one % len(past)]).astype(np.float32)
            known = ~np.isnan(moved) & ~np.isnan(vectors).any(axis=1)
            told.append(vectors[known])
            came.append(moved[known])
        if sum(map(len, came)) >= day:
            data = lightgbm.Dataset(np.concatenate(told), np.concatenate(came))
            self.model = lightgbm.train(SETTINGS, data, ROUNDS)


class Boosted(Banded):
    """The port: bands around it, and the trees beside what every slot remembers."""

    def __init__(self, step_seconds: float, size: int) -> None:
        self.boosting = Boosting()
        super().__init__("lightgbm", self.boosting, step_seconds, size)

    def state(self) -> Columns:
        """Everything learned; the trees as the bytes of their text."""
        model = self.boosting.model
        text = "" if model is None else model.model_to_string()
        return super().state() | {"trees": np.frombuffer(text.encode(), np.uint8).copy()}

    def restore(self, state: Columns) -> None:
        """Take over what `state` returned."""
        super().restore({name: array for name, array in state.items() if name != "trees"})
        text = np.asarray(state["trees"], np.uint8).tobytes().decode()
        self.boosting.model = lightgbm.Booster(model_str=text) if text else None


def build(step_seconds: float, size: int) -> Boosted:
    """The forecaster of this name."""
    return Boosted(step_seconds, size)


def _told(past: Float32s, number: int, day: int) -> Float32s:
    """[n, p] what is told after bin `number`."""
    now = past[number % len(past)].astype(np.float32)
    rows = [number - lag for lag in LAGS] + [number - day + around for around in AROUND]
    parts = [past[row % len(past)].astype(np.float32) - now for row in rows]
    hour = np.full_like(now, number % day)
    return np.stack([*parts, now, hour], axis=1)
