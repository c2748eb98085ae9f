"""What the loop asks: a forecaster, judged all the while by what it is used for.

A floor must carry the highest load between now and the moment new replicas serve, so that is what is judged: the
maximum over each slot's lead window. The largest of several 95 % quantiles is exceeded by the largest of several loads
in more than 5 % of windows; therefore the error of the window's maximum is learned as a target of its own, and the
quantiles from the median up are shifted until their largest within the lead window is the quantile of that maximum.
"""

from __future__ import annotations

import math

import numpy as np

from podium.foresight import residuals
from podium.foresight.banded import HORIZON_SECONDS
from podium.foresight.calibration import NO_CHANGES, Calibration, Changes
from podium.foresight.forecaster import Forecaster
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Columns, Float32s, Float64s, Int64s
from podium.model.forecast import Forecast

LONGEST_SECONDS = max(HORIZON_SECONDS)


class Outlook:
    """Forecasts with measured coverage for n slots. Ticks may come more often than the forecaster's grid."""

    def __init__(
        self, forecaster: Forecaster, calibration: Calibration, size: int, longest_seconds: float = LONGEST_SECONDS
    ) -> None:
        self.forecaster = forecaster
        self.calibration = calibration
        self._seconds = forecaster.step_seconds
        self._longest = max(1, math.ceil(longest_seconds / self._seconds))
        self._ladder = {max(1, round(seconds / self._seconds)) for seconds in HORIZON_SECONDS}
        self._open: int | None = None  # the step being filled
        self._closed: int | None = None  # the last one learned
        rows = self._longest
        self._now = Memory({"sum": Field(fill=0.0, dtype=np.float64), "count": Field(fill=0.0, dtype=np.float64)}, size)
        self._errors = Memory(residuals.fields(1), size)
        self._windows = Memory(
            {
                "loads": Field((rows,)),
                "steps": Field((rows,), 0, np.int64),  # length of the window a forecast was made for
                "centre": Field((rows,)),  # the largest median within it
                "scale": Field((rows,)),
                "quantile": Field((rows,)),  # what the floor was told
            },
            size,
        )

    @property
    def size(self) -> int:
        """How many slots there are."""
        return self._now.size

    @property
    def made_at(self) -> float:
        """When the step ended after which forecasts were made last (Unix seconds); NaN before the first."""
        return math.nan if self._closed is None else self._closed * self._seconds

    def step(self, at: float, values: Float64s, lead_seconds: Float64s) -> Changes:
        """Take in the load [n] measured at `at`; `lead_seconds` [n] is how long a new replica takes to serve.

        Whenever a step of the grid is complete its mean is learned and the forecasts that end there are judged.
        Raises ValueError for an `at` before one already taken in.
        """
        number = math.ceil(at / self._seconds - 1e-9)
        if self._open is not None and number < self._open:
            raise ValueError(f"{at} lies in a step that is already complete")
        changes = NO_CHANGES
        if self._open is not None and number > self._open and self._open != self._closed:
            changes = self._close(self._open, lead_seconds)
        self._open = number
        known = ~np.isnan(values)
        np.add(self._now["sum"], values, out=self._now["sum"], where=known)
        np.add(self._now["count"], known, out=self._now["count"])
        if at >= number * self._seconds - 1e-6 and number != self._closed:
            changes = _both(changes, self._close(number, lead_seconds))
        return changes

    def set_back(self, at: float) -> None:
        """The clock was set back: the next step may begin at `at`. What was said of later ones is judged by nothing."""
        self._open = self._closed = None
        for memory in (self._now, self._windows):
            memory.forget(np.arange(self.size))
        self.forecaster.set_back(at)

    def learn(self, at: Float64s, values: Float64s, lead_seconds: Float64s) -> None:
        """Take in a history: [t] times and [t, n] loads. It is judged as it goes: history can earn trust."""
        for moment, row in zip(at.tolist(), values, strict=True):
            self.step(moment, row, lead_seconds)

    def forecast(self, now: float, levels: Float64s, ahead: Float64s) -> Forecast:
        """The quantiles at `now + ahead`, those from the median up shifted to hold for the whole lead window."""
        quantiles = self.forecaster.quantiles(now, levels, ahead)
        if self._closed is not None:
            upper = np.flatnonzero(levels >= 0.5)
            shifted = quantiles[upper] + self._shift(self._closed, levels[upper])[:, None]
            quantiles[upper] = np.maximum(shifted, 0)  # no load is below nothing
        coverage, trusted = self.calibration.coverage, self.calibration.trusted
        return Forecast(now, levels, ahead, quantiles, coverage, trusted)

    def forget(self, slots: Int64s) -> None:
        """Start anew for these slots: they belong to other workloads now."""
        for part in (self.forecaster, self.calibration, self._now, self._errors, self._windows):
            part.forget(slots)

    def resize(self, size: int) -> None:
        """Grow or shrink to `size` slots; new ones know nothing and are not trusted."""
        for part in (self.forecaster, self.calibration, self._now, self._errors, self._windows):
            part.resize(size)

    def state(self) -> Columns:
        """Everything learned and measured, as named arrays."""
        clock = [-1 if number is None else number for number in (self._open, self._closed)]
        own = self._now.state("now") | self._errors.state("errors") | self._windows.state("windows")
        inner = {f"forecaster.{name}": array for name, array in self.forecaster.state().items()}
        return {"clock": np.array(clock, np.int64)} | own | inner | self.calibration.state()

    def restore(self, state: Columns) -> None:
        """Take over what `state` returned, bit for bit. Raises ValueError when it is of an outlook built otherwise."""
        if "clock" not in state:
            raise ValueError("clock: missing in the stored state")
        start = "forecaster."
        self.forecaster.restore({name[len(start) :]: array for name, array in state.items() if name.startswith(start)})
        self.calibration.restore(state)
        for name, memory in (("now", self._now), ("errors", self._errors), ("windows", self._windows)):
            memory.restore(state, name)
        self._open, self._closed = (None if number < 0 else number for number in state["clock"].tolist())

    def _close(self, step: int, lead_seconds: Float64s) -> Changes:
        """The step is complete: learn its mean, judge what ends here, and note what is now said of the next window."""
        count = self._now["count"]
        mean = np.divide(self._now["sum"], count, out=np.full(self.size, np.nan), where=count > 0)
        self._now["sum"][...] = 0
        count[...] = 0
        if self._closed is not None:
            for missed in range(max(self._closed + 1, step - self._longest), step):
                self._pass(missed)
        self.forecaster.learn(step * self._seconds, mean)
        windows = self._windows
        with np.errstate(over="ignore"):
            windows["loads"][step % self._longest] = mean
        steps = self._steps(lead_seconds)
        changes = self._judge(step, steps)
        self._closed = step
        self._issue(step, steps)
        return changes

    def _pass(self, step: int) -> None:
        """A step that nobody told of."""
        row = step % self._longest
        for name, field in self._windows.fields.items():
            self._windows[name][row] = field.fill

    def _steps(self, lead_seconds: Float64s) -> Int64s:
        """[n] the lead window in steps, rounded up; 0 where it is unknown or longer than anything learned."""
        with np.errstate(invalid="ignore"):
            steps = np.ceil(lead_seconds / self._seconds - 1e-9)
        return np.where((steps <= self._longest) & ~np.isnan(steps), np.maximum(steps, 1), 0).astype(np.int64)

    def _judge(self, step: int, steps: Int64s) -> Changes:
        """Judge the forecasts whose window ends with `step`; one made for another lead than today's judges nothing."""
        windows, slots = self._windows, np.arange(self.size)
        largest = np.full(self.size, np.nan, np.float32)
        running = np.full(self.size, -np.inf, np.float32)
        for back in range(int(steps.max(initial=0))):
            running = np.maximum(running, windows["loads"][(step - back) % self._longest])  # NaN stays: unknown
            np.copyto(largest, running, where=steps == back + 1)
        made = (step - steps) % self._longest
        asked = (windows["steps"][made, slots] == steps) & (steps > 0)
        outcome = np.where(asked, largest, np.float32(np.nan))
        centre, quantile = windows["centre"][made, slots], windows["quantile"][made, slots]
        scale = windows["scale"][made, slots]
        residuals.learn(self._errors, (outcome - centre)[None], scale[None], self._seconds)
        return self.calibration.judge(outcome, quantile, centre, steps)

    def _issue(self, step: int, steps: Int64s) -> None:
        row, windows = step % self._longest, self._windows
        level = np.array([0.5, self.calibration.level])
        centre, highest = self._largest(step, level, steps)
        scale = residuals.scale(self._errors, centre[None])[0]
        windows["steps"][row] = steps
        windows["centre"][row] = centre
        windows["scale"][row] = scale
        wanted = self._of_maximum(centre, scale, float(level[1]))
        windows["quantile"][row] = np.maximum(np.where(np.isnan(wanted), highest, wanted), 0)

    def _shift(self, step: int, levels: Float64s) -> Float32s:
        """[q, n] what to add to quantiles so that their largest is that of the window's maximum; 0: unknown."""
        row = step % self._longest
        centre, scale = self._windows["centre"][row], self._windows["scale"][row]
        highest = self._largest(step, levels, self._windows["steps"][row])
        wanted = np.stack([self._of_maximum(centre, scale, float(level)) for level in levels])
        shift: Float32s = wanted - highest
        shift[np.isnan(shift)] = 0
        return shift

    def _of_maximum(self, centre: Float32s, scale: Float32s, level: float) -> Float32s:
        out: Float32s = centre + scale * residuals.tail(self._errors, level)[0]
        return out

    def _largest(self, step: int, levels: Float64s, steps: Int64s) -> Float32s:
        """[q, n] the largest of the forecaster's quantiles within each window of `steps`; NaN where one is unknown."""
        ahead = np.array(sorted(self._ladder | set(np.unique(steps[steps > 0]).tolist())))
        quantiles = self.forecaster.quantiles(step * self._seconds, levels, ahead * self._seconds)
        inside = ahead[:, None] <= steps
        largest = np.where(inside, quantiles, np.float32(-np.inf)).max(axis=1)
        out: Float32s = np.where(steps > 0, largest, np.float32(np.nan))
        return out


def _both(first: Changes, second: Changes) -> Changes:
    return Changes(np.concatenate((first.demoted, second.demoted)), np.concatenate((first.promoted, second.promoted)))
