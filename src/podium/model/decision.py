"""Decisions: a replica count per slot with its reasons, as codes and numbers; words come when somebody looks."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import Float64s, Int32s, Int64s


class Reason(enum.IntEnum):
    """Why a number is what it is. The comment names the numbers a, b and c that travel along."""

    OBSERVED = 1  # a: replicas now
    NOT_OBSERVED = 2  # the cluster did not say how many replicas there are
    SIGNAL_PROPOSES = 10  # a: replicas proposed, b: measured, c: target (index of the metric in `metric`)
    SIGNAL_MISSING = 11  # a metric is unknown: nothing goes down
    ALL_SIGNALS_MISSING = 12  # no metric is known: hold
    WITHIN_TOLERANCE = 13  # a: proposed, b: tolerance
    PODS_STARTING = 14  # a: pods not yet ready, counted as idle on the way up
    PODS_UNMEASURED = 15  # a: pods without a sample, counted against the change
    FORECAST_RAISES = 20  # a: replicas needed, b: load expected, c: seconds ahead
    FORECAST_UNTRUSTED = 21  # a: measured coverage, b: asked coverage
    FORECAST_ABSENT = 22  # not enough history
    STABILISED_DOWN = 30  # a: proposed, b: kept, c: window in seconds
    STABILISED_UP = 31  # a: proposed, b: kept, c: window in seconds
    RATE_LIMITED_UP = 32  # a: proposed, b: allowed
    RATE_LIMITED_DOWN = 33  # a: proposed, b: allowed
    AT_MAXIMUM = 40  # a: proposed, b: maximum
    AT_MINIMUM = 41  # a: proposed, b: minimum
    PAUSED_UP = 42  # a: proposed
    PAUSED_DOWN = 43  # a: proposed
    SOURCE_SUSPECT = 50  # a: index of the source, b: share of its workloads that fell together
    SOURCE_FROZEN = 51  # a: index of the source, b: seconds since anything moved
    NO_NEW_EVIDENCE = 54  # a: proposed; no sample is newer than the last turn's
    REDUCTION_GUARD = 52  # a: proposed, b: share already taken away in the window, c: allowed share
    SCALED_TO_ZERO = 60  # replicas 0 set by a person: nothing is decided
    RECOMMEND_ONLY = 61  # mode recommend: nothing is written


@dataclasses.dataclass(frozen=True, slots=True)
class Reasons:
    """Rows of reasons in the order the policies gave them."""

    slot: Int32s
    code: NDArray[np.int16]
    metric: NDArray[np.int16]  # index of the policy's metric the reason speaks of; UNKNOWN: none
    a: Float64s
    b: Float64s
    c: Float64s


@dataclasses.dataclass(frozen=True, slots=True)
class Decisions:
    """What one turn of the loop wants: replicas per slot, UNKNOWN where nothing could be decided."""

    replicas: Int64s
    reasons: Reasons
