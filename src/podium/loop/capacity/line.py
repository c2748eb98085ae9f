"""CPU against load: a line per slot, learned online, and what load it says a replica carries at a given utilisation.

Utilisation of the request y = a + b x, x the load per ready replica: a is what a pod uses without any load, b what a
unit of load costs (the utilisation law of operational analysis, U = X D, with an intercept: Denning and Buzen, The
Operational Analysis of Queueing Network Models, 1978).

An autoscaler closes the loop: when requests become dearer it adds replicas, so x falls while y stays, and least squares
find a slope near zero. The whole load of the workload is nobody's answer to its CPU, so it serves as the instrument
(Wright, 1928; Durbin, 1954): b = cov(y, z) / cov(x, z), z the whole load, from sums that forget exponentially (weighted
as in West, 1979). An autoscaler that is too good leaves x and z unrelated; then this tells little of the intercept,
and a prior does: no more than a tenth of the request. Of a workload that idles at more, that says too little.

Through the means, the load at utilisation T is c = x (T - a) / (y - a); its variance follows by the delta method.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.model.arrays import Bools, Float32s, Float64s

SUMS = 10  # weight; means of x, y, z; centred products xz, yz, zz, xx, xy, yy
BRIEF = 3  # weight; means of x, y
IDLE = 0.1  # of the request: what the intercept is taken to be within, before anything is known
MOST_IDLE = 0.8  # of the mean: the load costs something
ALIKE = 120.0  # minutes whose deviations go together (a mix of requests, a cache) and tell as much as one
HUBER = 2.5  # standard deviations from which on a value counts less (Huber, 1964)
ABSURD = 8.0  # standard deviations from which on it is no measurement, or the cost has changed
NEAR = 0.02  # of the value: no deviation is taken to be smaller
FIRST = 30.0  # minutes before which every value counts whole


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """Lines of m slots; NaN where nothing was measured."""

    idle: Float64s  # [m] the intercept
    cost: Float64s  # [m] the slope
    spread: Float64s  # [m] variance of one minute around the line
    at: Float64s  # [m] the mean load
    mean: Float64s  # [m] the mean utilisation
    doubt_idle: Float64s  # [m] variance of the intercept
    doubt_mean: Float64s  # [m] variance of the mean

    def of(self, load: Float64s) -> Float64s:
        """[m] utilisation at a load."""
        return self.idle + self.cost * load

    def carried(self, limit: Float64s) -> tuple[Float64s, Float64s]:
        """([m] the load at utilisation `limit`, [m] its standard error); NaN where the line does not reach it."""
        with np.errstate(divide="ignore", invalid="ignore"):
            load = (limit - self.idle) / self.cost
            by_mean = load / (self.mean - self.idle)
            by_idle = self.at * (limit - self.mean) / (self.mean - self.idle) ** 2
            error = np.sqrt(by_mean**2 * self.doubt_mean + by_idle**2 * self.doubt_idle)
            return np.where((load > 0) & np.isfinite(load), load, np.nan), error


def learn(sums: Float32s, values: Float64s, weight: Float64s, kept: float) -> Float32s:
    """The sums with one more minute of `weight` [m] (0: none), after the earlier ones were weighted `kept`.

    `values` [v, m] are x, y and z; of x and y alone only the means are kept.
    """
    old, count, told = sums.astype(np.float64), len(values), weight > 0
    fade = np.where(told, kept, 1.0)
    total = fade * old[0] + weight
    share = np.divide(weight, total, out=np.zeros(len(weight)), where=told)
    off = np.where(told, values - old[1 : 1 + count], 0.0)
    means = old[1 : 1 + count] + share * off
    if len(sums) == BRIEF:
        return np.vstack([total, means]).astype(np.float32)
    x, y, z = off
    products = np.stack([x * z, y * z, z * z, x * x, x * y, y * y])
    with np.errstate(over="ignore"):
        return np.vstack([total, means, fade * old[4:] + weight * (1.0 - share) * products]).astype(np.float32)


def begun_again(brief: Float32s) -> Float32s:
    """[10, m] sums that go on from the newest means alone."""
    return np.vstack([brief, np.zeros((SUMS - BRIEF, brief.shape[1]))]).astype(np.float32)


def fit(sums: Float32s) -> Line:
    """The lines that the sums amount to."""
    weight, x, y, _, xz, yz, zz, xx, xy, yy = sums.astype(np.float64)
    some = (weight > 0) & (x > 0)
    weight, x, y = (np.where(some, one, np.nan) for one in (weight, x, y))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = y / x
        spread = np.maximum((yy - 2.0 * ratio * xy + ratio**2 * xx) / weight, (NEAR * y) ** 2)
        noise = ALIKE * spread
        slope, told = yz / xz, noise * zz / xz**2  # and the variance of the slope
        weak = ~np.isfinite(slope) | ~np.isfinite(told)
        free, doubt = np.where(weak, 0.0, y - slope * x), np.where(weak, np.inf, told * x**2)
        sure = IDLE**2 / (IDLE**2 + doubt)
        idle = np.clip(sure * free, -MOST_IDLE * y, MOST_IDLE * y)
        cost = (y - idle) / x
        around = np.maximum((yy - 2.0 * cost * xy + cost**2 * xx) / weight, (NEAR * y) ** 2)
    return Line(idle, cost, around, x, y, IDLE**2 * (1.0 - sure), ALIKE * around / np.maximum(weight, ALIKE / 4.0))


def trust(sums: Float32s, line: Line, x: Float64s, y: Float64s, told: Bools) -> Float64s:
    """[m] Huber's weight of a minute: 1 near the line, less the farther off it lies, 0 where nothing is told."""
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(y - line.of(x)) / np.sqrt(line.spread)
    whole = (sums[0] < FIRST) | ~(off > HUBER)
    return np.where(told & (whole | (off < ABSURD)), np.where(whole, 1.0, HUBER / np.fmax(off, HUBER)), 0.0)
