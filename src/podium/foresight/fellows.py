"""Workloads of one tenant: their rare bursts teach each other, and a burst that many share is one piece of evidence.

Pooled tails. A .999 quantile cannot be learned from one series. So every slot's histogram of errors leans on that of
all of its tenant, which weighs as much as it has evidence, 2,000 outcomes at most. Evidence is not the number of
outcomes: fifty workloads that break their forecasts together break one. With m workloads whose breaks correlate by r it
is the number of outcomes over 1 + (m - 1) r (the design effect of a sample in clusters, Kish 1965). r is measured: how
much more often a fellow breaks when one does than it does anyhow. It begins at 1, as of twenty breaks that all shared.

Fellows that burst now. Where far more of a slot's fellows are above their quantile than chance has it, and the slot is
not yet, its window is exposed. How often exposed windows broke their quantile (c), and how far beyond it they went in
the mean, in logarithms (s), is measured over the tenant; all that were exposed in one step weigh as one window. A floor
of level p then carries s ln(c / (1 - p)) above its quantile: the tail beyond a threshold is taken for exponential
(peaks over threshold, Davison and Smith 1990).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.foresight import tails
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Bools, Float32s, Float64s, Int64s

MEMORY_SECONDS = 14 * 86_400.0
MOST = 2000.0  # outcomes that the pooled histogram weighs at most in a slot's own, whose 14 days are 20,000
FIRST_SHARED = 20.0  # breaks that are taken to have been shared before any was seen
BREAK = 0.05  # a quantile is broken no more often than this: it is the .95 one, or a better
BEYOND_CHANCE = 4.0  # deviations of a binomial above what chance has: then fellows burst
FURTHEST = 3.0  # in logarithms above a quantile: 20 times
PIECES = 1.0  # exposed windows, none of which broke, before any was seen


def fields(longest: int) -> dict[str, Field]:
    """What is remembered per slot; sums fade by 1/e in 14 days."""
    return {
        "judged": Field(fill=0.0),  # windows
        "broke": Field(fill=0.0),  # of them above their quantile
        "shared": Field(fill=0.0),  # sum over those of the share of fellows that broke in the same step
        "exposed": Field(fill=0.0),  # windows that began while fellows burst, those of one step weighing one together
        "caught": Field(fill=0.0),  # of them above their quantile
        "excess": Field(fill=0.0),  # sum of the logarithms by which those were above it
        "began": Field((longest,), fill=False, dtype=np.bool_),  # whether a window began exposed
    }


@dataclasses.dataclass(frozen=True, slots=True)
class Tenants:
    """Whose each of n slots is, as dense numbers. Nobody's has no fellows."""

    of: Int64s  # [n]
    size: Int64s  # [n] slots of the same tenant, itself among them

    @classmethod
    def among(cls, numbers: Int64s) -> Tenants | None:
        """From numbers [n], -1 for nobody; None where no two belong together."""
        known = numbers >= 0
        of = np.where(known, numbers, numbers.max(initial=-1) + 1 + np.arange(len(numbers)))
        of = np.unique(of, return_inverse=True)[1].astype(np.int64)
        size = np.bincount(of, minlength=1)[of]
        return cls(of, size) if (size > 1).any() else None

    def sums(self, values: Float32s | Float64s | Bools) -> Float64s:
        """[n] the sum over each slot's tenant."""
        return np.bincount(self.of, weights=values)[self.of].astype(np.float64)

    def pooled(self, rows: Float32s, counted: Bools) -> Float64s:
        """[k, g] sums of rows [k, n] over the `counted` slots of every tenant."""
        return np.stack([np.bincount(self.of, weights=np.where(counted, row, 0)) for row in rows])


@dataclasses.dataclass(frozen=True, slots=True)
class Contagion:
    """Of slots whose fellows burst now: how likely the window breaks its quantile, and how far beyond it goes [n]."""

    chance: Float32s  # 0 where they do not burst
    excess: Float32s

    def of(self, slots: slice) -> Contagion:
        """Of some slots."""
        return Contagion(self.chance[slots], self.excess[slots])

    def ready(self, quantile: Float32s, level: Float64s) -> Float32s:
        """[n] the load for which a floor of `level` [n] is ready; NaN where fellows say nothing."""
        rarer = self.chance / (1 - level)
        factor = np.exp(np.minimum(self.excess * np.log(np.maximum(rarer, 1)), FURTHEST))
        out: Float32s = np.where(rarer > 1, quantile * factor, np.nan).astype(np.float32)
        return out


def learn(
    memory: Memory, tenants: Tenants, step: int, steps: Int64s, outcome: Float32s, quantile: Float32s, seconds: float
) -> None:
    """Take in what came of the windows of `steps` [n] that end with `step`. NaN: nothing known."""
    known = ~(np.isnan(outcome) | np.isnan(quantile)) & (steps > 0)
    broke = known & (outcome > quantile)
    fellows = tenants.sums(known) - known
    share = np.divide(tenants.sums(broke) - broke, fellows, out=np.zeros(len(known)), where=fellows > 0)
    longest = len(memory["began"])
    exposed = known & memory["began"][(step - steps) % longest, np.arange(len(steps))]
    together = np.maximum(tenants.sums(exposed), 1) * np.maximum(steps, 1)
    weight = np.where(exposed, 1 / together, 0)
    beyond = np.log(np.divide(outcome, quantile, out=np.ones_like(outcome), where=broke & (quantile > 0)))
    kept = np.float32(np.exp(-seconds / MEMORY_SECONDS))
    for name, values in (
        ("judged", known),
        ("broke", broke),
        ("shared", broke * share),
        ("exposed", weight),
        ("caught", weight * broke),
        ("excess", weight * beyond),
    ):
        memory[name][...] = memory[name] * kept + values


def contagion(memory: Memory, tenants: Tenants, step: int, loads: Float32s, quantile: Float32s) -> Contagion:
    """Whose fellows burst in this step, from the loads [n] and the quantiles told for it; it is noted."""
    above = loads > quantile  # NaN: not known to be
    fellows = (tenants.size - 1).astype(np.float64)
    bursting = tenants.sums(above) - above
    chance = BREAK * fellows + BEYOND_CHANCE * np.sqrt(BREAK * (1 - BREAK) * fellows) + 1
    exposed = (bursting >= chance) & ~above & ~np.isnan(quantile)
    memory["began"][step % len(memory["began"])] = exposed
    caught = tenants.sums(memory["caught"])
    rate = caught / (tenants.sums(memory["exposed"]) + PIECES)
    mean = np.divide(tenants.sums(memory["excess"]), caught, out=np.zeros(len(loads)), where=caught > 0)
    return Contagion(np.where(exposed, rate, 0).astype(np.float32), mean.astype(np.float32))


def evidence(memory: Memory, tenants: Tenants, outcomes: Float64s) -> Float64s:
    """[n] how many independent ones the `outcomes` [n] of a slot's tenant are worth."""
    broke, judged = tenants.sums(memory["broke"]), tenants.sums(memory["judged"])
    usual = broke / np.maximum(judged, 1)
    with_one = (tenants.sums(memory["shared"]) + FIRST_SHARED) / (broke + FIRST_SHARED)
    alike = np.clip((with_one - usual) / np.maximum(1 - usual, 0.5), 0, 1)
    return outcomes / (1 + (tenants.size - 1) * alike)


def lean(memory: Memory, told: Memory, tenants: Tenants, fresh: Bools, part: float) -> None:
    """Let histograms (`told`, of `tails`) lean on their tenant's: `fresh` slots wholly, all others for a `part`."""
    counts = told["counts"]
    old = ~fresh & ~np.isnan(told["slow"])
    pooled = tenants.pooled(counts, old)
    total = pooled.sum(axis=0)
    outcomes = np.maximum(total - tails.PRIOR_WEIGHT * np.bincount(tenants.of, weights=old), 0)
    independent = np.zeros(len(total))
    independent[tenants.of] = evidence(memory, tenants, outcomes[tenants.of])
    shape = pooled / np.where(total > 0, total, 1) * independent + tails.PRIOR[:, None]
    shape *= (tails.PRIOR_WEIGHT + np.minimum(independent, MOST)) / (tails.PRIOR_WEIGHT + independent)
    slots = np.flatnonzero(tenants.size > 1)
    of, new = tenants.of[slots], fresh[slots]
    for row, prior in zip(counts, shape.astype(np.float32), strict=True):
        theirs = prior[of]
        row[slots] = np.where(new, theirs, row[slots] + np.float32(part) * theirs)
