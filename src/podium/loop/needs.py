"""Whether the time ahead needs more replicas, how sure that is, and how many: a forecast told as an answer.

The confidence is the probability that the largest load within the horizon exceeds what the replicas that are there can
serve, read from the forecast's quantiles: between two of them linear in the log-odds, beyond the last one on its slope.
Below the median, of which nothing is recorded, the band is taken to be as wide (as a ratio) as above it. More replicas
are advised when the confidence reaches the threshold, and then as many as serve the load with that confidence.
A forecast that has not earned trust says nothing: then only a load that is too large already is a need.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import msgspec

from podium.model.clock import duration

ROUNDING = 1e-9  # 3.0000000001 replicas' worth of load is three
LISTED = 100  # workloads of an answer about all of them


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What scaling a workload will need within a horizon."""

    key: str  # of the workload, or the name of a series
    at: float  # made for the time from here on
    horizon_seconds: float
    confidence_threshold: float
    should_scale_up: bool
    scale_factor: float  # needed over present replicas; 1 when nothing should be done
    confidence: float | None  # probability that the present replicas will not be enough; null: unknown
    replicas: int | None  # there now
    needed: int | None  # to serve the largest load with the asked confidence, within the policy's limits
    load: float | None  # now
    capacity_per_replica: float | None
    quantiles: dict[str, float | None]  # of the largest load within the horizon, by level
    trusted: bool  # whether the forecast has earned a say
    words: str  # the answer in a sentence


class Predictions(msgspec.Struct, frozen=True, kw_only=True):
    """What scaling all workloads together will need."""

    at: float
    horizon_seconds: float
    confidence_threshold: float
    should_scale_up: bool  # whether any of them should
    scale_factor: float  # replicas of all when those that should have scaled, over those of now
    confidence: float | None  # the highest of them
    workloads: int  # how many were asked about
    items: tuple[Prediction, ...]  # those that should scale up, the most confident first, at most 100


def predict(
    key: str,
    at: float,
    quantiles: Mapping[str, float | None],
    *,
    load: float | None,
    capacity: float | None,
    replicas: int | None,
    horizon_seconds: float,
    threshold: float,
    trusted: bool = True,
    maximum: int | None = None,
) -> Prediction:
    """The answer for `quantiles` (by level) of the largest load within the horizon. Unknown is None."""
    known = _rising(quantiles)
    heard = trusted and bool(known)
    confidence, needed = None, None
    if capacity is not None and capacity > 0 and replicas is not None:
        served = replicas * capacity
        over = load is not None and load > served * (1 + ROUNDING)
        if heard:
            confidence = 1.0 if over else exceeds(known, served)
            highest = max(quantile(known, threshold), load or 0.0)
        else:
            confidence = None if load is None else float(over)
            highest = load or 0.0
        needed = max(math.ceil(highest / capacity - ROUNDING), 1)
        needed = needed if maximum is None else min(needed, maximum)
    up = confidence is not None and confidence >= threshold and replicas is not None
    if up and needed is not None and replicas is not None:
        needed = max(needed, replicas + 1) if maximum is None else min(max(needed, replicas + 1), maximum)
        up = needed > replicas
    factor = needed / replicas if up and needed is not None and replicas else 1.0
    return Prediction(
        key=key, at=at, horizon_seconds=horizon_seconds, confidence_threshold=threshold, should_scale_up=up,
        scale_factor=factor, confidence=confidence, replicas=replicas, needed=needed, load=load,
        capacity_per_replica=capacity, quantiles=dict(quantiles), trusted=trusted,
        words=_words(key, horizon_seconds, threshold, confidence, replicas, needed, up=up, heard=heard),
    )  # fmt: skip


def together(found: Sequence[Prediction], at: float, horizon_seconds: float, threshold: float) -> Predictions:
    """The answer for many workloads at once."""
    wanting = sorted((one for one in found if one.should_scale_up), key=lambda one: (-(one.confidence or 0.0), one.key))
    counted = [one for one in found if one.replicas is not None]
    now = sum(one.replicas or 0 for one in counted)
    then = sum((one.needed if one.should_scale_up else one.replicas) or 0 for one in counted)
    return Predictions(
        at=at,
        horizon_seconds=horizon_seconds,
        confidence_threshold=threshold,
        should_scale_up=bool(wanting),
        scale_factor=then / now if now else 1.0,
        confidence=max((one.confidence for one in found if one.confidence is not None), default=None),
        workloads=len(found),
        items=tuple(wanting[:LISTED]),
    )


Curve = Sequence[tuple[float, float]]
"""(log-odds of a level, its quantile), rising; the first is the median."""


def exceeds(curve: Curve, limit: float) -> float:
    """The probability of more than `limit`."""
    middle = curve[0][1]
    if limit < middle:
        if limit <= 0:
            return 1.0
        return 1.0 - exceeds(curve, middle * middle / limit)
    if limit >= curve[-1][1]:
        low, high = curve[-2:] if len(curve) > 1 else (curve[0], curve[0])
        rise = high[1] - low[1]
        if rise <= 0:
            return 0.0 if limit > high[1] or len(curve) > 1 else 0.5
        return _share(-(high[0] + (limit - high[1]) / rise * (high[0] - low[0])))
    for low, high in itertools.pairwise(curve):
        if low[1] <= limit < high[1]:
            return _share(-(low[0] + (limit - low[1]) / (high[1] - low[1]) * (high[0] - low[0])))
    return 0.5


def quantile(curve: Curve, level: float) -> float:
    """The load that stays unexceeded with probability `level`."""
    odds, middle = _log_odds(level), curve[0][1]
    if odds < 0:
        above = quantile(curve, 1.0 - level)
        return middle * middle / above if above > 0 else 0.0
    if len(curve) == 1:
        return middle
    low, high = next(((a, b) for a, b in itertools.pairwise(curve) if odds <= b[0]), tuple(curve[-2:]))
    return low[1] + (odds - low[0]) / (high[0] - low[0]) * (high[1] - low[1])


def _rising(quantiles: Mapping[str, float | None]) -> list[tuple[float, float]]:
    """The known quantiles from the median up; none where the median is unknown."""
    found = sorted((float(level), value) for level, value in quantiles.items() if value is not None)
    upper = [(level, value) for level, value in found if level >= 0.5]
    if not upper or upper[0][0] != 0.5:
        return []
    out: list[tuple[float, float]] = []
    for level, value in upper:
        out.append((_log_odds(level), max(value, out[-1][1]) if out else value))
    return out


def _words(
    key: str,
    horizon: float,
    threshold: float,
    confidence: float | None,
    replicas: int | None,
    needed: int | None,
    *,
    up: bool,
    heard: bool,
) -> str:
    if replicas is None:
        return f"{key}: how many replicas it has is unknown."
    if needed is None:
        return f"{key}: how much one replica serves is unknown."
    if confidence is None:
        return f"{key}: its load is unknown."
    far, sure = duration(horizon), "surely" if confidence >= 0.995 else f"with a confidence of {confidence:.0%}"
    if not heard:
        state = "is too large already" if confidence else "is served"
        advice = f"{needed} replicas are needed, not {replicas}" if up else f"{replicas} replicas stay"
        return f"{key}: the forecast has not earned trust; the load of now {state}, {advice}."
    if up:
        return f"{key}: {replicas} replicas will {sure} not be enough within {far}; {needed} will, at {threshold:.0%}."
    if confidence >= threshold:
        return f"{key}: {replicas} replicas will {sure} not be enough within {far}, and its policy allows no more."
    return f"{key}: {replicas} replicas are enough for {far}; that they are not has a probability of {confidence:.0%}."


def _log_odds(level: float) -> float:
    return math.log(level / (1.0 - level))


def _share(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-odds))
