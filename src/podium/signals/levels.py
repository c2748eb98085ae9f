"""Readings joined to the fleet: judged, reduced to one value per workload, and to one sample per pod.

Not finite, negative where the unit cannot be, older than allowed: each is missing, never zero. A workload whose pods
are measured one by one is known only when every pod that has been Ready for long enough is measured: a sum over half
of the pods would look like half of the load.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.model.arrays import UNKNOWN, Bools, Float64s, Int32s, Int64s
from podium.model.snapshot import Samples
from podium.signals.bound import NEVER_NEGATIVE, BoundSignal
from podium.signals.placement import Placement, PodRows
from podium.signals.signal import Reduce
from podium.signals.source import Reading

_MOST_MILLI = float(2**63 - 1024)  # the largest float64 below int64's end


@dataclasses.dataclass(frozen=True, slots=True)
class Joined:
    """One question's answer over the fleet (n slots, p pods), with what became of its series."""

    value: Float64s  # [n] NaN: unknown
    at: Float64s  # [n] of the oldest series that went in
    samples: Samples | None  # [p] when the signal is of pods
    seen: Bools  # [n] slots with at least one series, good or not
    matched: int
    stale: int
    garbage: int
    unmeasured: int  # pods that should be measured and are not, of workloads measured by pod


def join(reading: Reading, placement: Placement, mine: Bools, rows: PodRows, signal: BoundSignal, now: float) -> Joined:
    """The reading as seen by `signal` in the slots `mine` [n]. The other slots stay unknown."""
    size = len(mine)
    chosen = _chosen(placement, mine, by_pod_only=signal.of == "pods")
    slot, pod = placement.slot[chosen], placement.pod[chosen]
    values, at = reading.values[chosen], reading.at[chosen]
    garbage, stale = judged(values, at, now, signal)
    good = ~(garbage | stale)
    value, oldest = reduced(values[good], at[good], slot[good], size, signal.reduce)
    seen = np.zeros(size, np.bool_)
    seen[slot] = True
    spoiled = slot[~good & (pod < 0)]
    missing = _unmeasured(slot, pod, good, rows, size, now, signal.stale_after_seconds)
    for hole in (spoiled, rows.pods.slot[missing]):
        value[hole] = oldest[hole] = np.nan
    return Joined(
        value,
        oldest,
        _samples(values[good], at[good], pod[good], len(rows.pods), signal) if signal.of == "pods" else None,
        seen,
        matched=len(slot),
        stale=int(stale.sum()),
        garbage=int(garbage.sum()),
        unmeasured=int(missing.sum()),
    )


def _chosen(placement: Placement, mine: Bools, *, by_pod_only: bool) -> Int64s:
    """Rows of series that count: those of `mine`; where a workload has a series of its own, its pods' stand back."""
    slot, pod = placement.slot, placement.pod
    inside = slot >= 0
    inside[inside] = mine[slot[inside]]
    is_pod = pod >= 0
    if by_pod_only:
        return np.flatnonzero(inside & is_pod)
    whole = np.zeros(len(mine), np.bool_)
    whole[slot[inside & ~is_pod]] = True
    if is_pod.any():
        inside &= ~is_pod | ~whole[slot]
    return np.flatnonzero(inside)


def judged(values: Float64s, at: Float64s, now: float, signal: BoundSignal) -> tuple[Bools, Bools]:
    """(garbage, stale) per series. A value from the future by more than `staleAfter` is garbage: it would never age."""
    garbage = ~np.isfinite(values) | ~np.isfinite(at) | (at - now > signal.stale_after_seconds)
    if signal.unit in NEVER_NEGATIVE:
        garbage |= values < 0
    return garbage, ~garbage & (now - at > signal.stale_after_seconds)


def reduced(values: Float64s, at: Float64s, rows: Int32s, size: int, reduce: Reduce) -> tuple[Float64s, Float64s]:
    """([size] values, [size] oldest time) of the series that fall into each row; NaN where none does."""
    count = np.bincount(rows, minlength=size)
    if reduce == "max":
        out = np.full(size, -np.inf)
        np.maximum.at(out, rows, values)
    else:
        out = np.bincount(rows, weights=values, minlength=size).astype(np.float64)  # integers when there are no rows
        if reduce == "mean":
            out = out / np.maximum(count, 1)
    oldest = np.full(size, np.inf)
    np.minimum.at(oldest, rows, at)
    # Two finite numbers can add up to infinity, which is no load either.
    unknown = (count == 0) | ~np.isfinite(out)
    out[unknown] = oldest[unknown] = np.nan
    return out, oldest


def _unmeasured(
    slot: Int32s, pod: Int32s, good: Bools, rows: PodRows, size: int, now: float, grace_seconds: float
) -> Bools:
    """[p] settled pods without a good series, or with a bad one, in slots that are measured by pod."""
    by_pod = np.zeros(size, np.bool_)
    by_pod[slot[pod >= 0]] = True
    if not by_pod.any():
        return np.zeros(len(rows.pods), np.bool_)
    measured = np.zeros(len(rows.pods), np.bool_)
    measured[pod[good & (pod >= 0)]] = True
    measured[pod[~good & (pod >= 0)]] = False
    owner = rows.pods.slot
    return rows.settled(now, grace_seconds) & ~measured & (owner >= 0) & by_pod[owner]


def _samples(values: Float64s, at: Float64s, pod: Int32s, size: int, signal: BoundSignal) -> Samples:
    value, oldest = reduced(values, at, pod, size, signal.reduce)
    return Samples(milli_of(value), oldest, np.full(size, signal.window_seconds))


def milli_of(values: Float64s) -> Int64s:
    """Thousandths, rounded up as Kubernetes quantities are, saturated at int64; UNKNOWN for NaN.

    A product that is whole but for its last binary digits is whole: 4.35 x 1000 must not become 4351.
    """
    scaled = values * 1000
    nearest = np.rint(scaled)
    whole = np.where(np.abs(scaled - nearest) <= np.maximum(1e-7, np.abs(scaled) * 1e-15), nearest, np.ceil(scaled))
    bounded = np.clip(whole, -_MOST_MILLI, _MOST_MILLI)
    return np.where(np.isnan(bounded), UNKNOWN, np.nan_to_num(bounded)).astype(np.int64)
