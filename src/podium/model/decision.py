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
    LATENCY_RAISES = 16  # a: replicas needed, b: seconds measured, c: bound in seconds
    LATENCY_KEEPS = 17  # a: proposed by the others, b: seconds measured, c: bound in seconds
    LATENCY_UNKNOWN = 18  # the latency of the objective is unknown: nothing goes down
    LIMITS_ALONE = 19  # a: the minimum in force; the policy measures nothing
    FORECAST_RAISES = 20  # a: replicas needed, b: load expected, c: seconds ahead
    FORECAST_UNTRUSTED = 21  # a: measured coverage, b: asked coverage
    FORECAST_ABSENT = 22  # not enough history
    MARGIN_RAISES = 23  # a: replicas needed, b: load with its margin, c: seconds ahead; the forecast is not trusted
    PANIC_RAISES = 24  # a: replicas needed, b: load, c: replicas that serve
    PANIC_KEEPS = 25  # a: proposed, b: kept, c: since when the load is no longer twice what serves, in seconds
    RISK_MISSED = 26  # a: asked share of unserved load, b: realised share of the last two weeks
    ANNOUNCED = 38  # a: load that comes, b: since when it is prepared for (Unix seconds); `metric`: index of the event
    ANNOUNCED_RAISES = 39  # a: replicas needed, b: load that comes, c: since when; `metric`: index of the event
    ANNOUNCED_UNKNOWN = 59  # the usual load, or what a replica serves, is not known; `metric`: index of the event
    HOLIDAY_BOUNDS = 27  # a: load that was foreseen, b: load that is prepared for, c: when (Unix seconds); as above
    STABILISED_DOWN = 30  # a: proposed, b: kept, c: window in seconds
    STABILISED_UP = 31  # a: proposed, b: kept, c: window in seconds
    RATE_LIMITED_UP = 32  # a: proposed, b: allowed
    RATE_LIMITED_DOWN = 33  # a: proposed, b: allowed
    CAPACITY_UNKNOWN = 34  # a: seconds measured; what a replica serves is not learned yet
    CAPACITY_BY_CPU = 35  # a: load a replica serves, b: +-, c: seconds measured; `metric`: percent of the limit reached
    CAPACITY_BY_LATENCY = 36  # the same
    CAPACITY_BY_SATURATION = 37  # the same
    AT_MAXIMUM = 40  # a: proposed, b: maximum
    AT_MINIMUM = 41  # a: proposed, b: minimum
    PAUSED_UP = 42  # a: proposed
    PAUSED_DOWN = 43  # a: proposed
    SCHEDULED_MINIMUM = 44  # a: proposed, b: minimum, c: until (Unix seconds); `metric`: number of the window
    SCHEDULED_MAXIMUM = 45  # a: proposed, b: maximum, c: until (Unix seconds); `metric`: number of the window
    RULE_MINIMUM = 46  # a: proposed, b: minimum; `metric`: number of the rule
    RULE_MAXIMUM = 47  # a: proposed, b: maximum; `metric`: number of the rule
    RULE_PAUSES_UP = 48  # a: proposed; `metric`: number of the rule
    RULE_PAUSES_DOWN = 49  # a: proposed; `metric`: number of the rule
    RULE_UNKNOWN = 55  # a: proposed, b: Holds (unknown or too long); `metric`: number of the rule
    ORDERED_PAUSE_UP = 56  # a: proposed, b: number of the order among those in force, c: until (NaN: taken back)
    ORDERED_PAUSE_DOWN = 57  # a: proposed, b: number of the order among those in force, c: until (NaN: taken back)
    SOURCE_BELIEVED = 58  # a: index of the source; a person ordered that its present level is believed
    SOURCE_SUSPECT = 50  # a: index of the source, b: share of its workloads that fell together
    SOURCE_FROZEN = 51  # a: index of the source, b: seconds since anything moved
    NO_NEW_EVIDENCE = 54  # a: proposed; no sample is newer than the last turn's
    REDUCTION_GUARD = 52  # a: proposed, b: share already taken away in the window, c: allowed share
    DEPENDENCY_FAILS = 62  # a: proposed, b: measured, c: bound; `metric`: number of the dependency
    DEPENDENCY_RECOVERS = 63  # a: proposed, b: allowed, c: seconds since a dependency last failed
    ACTIVATED = 64  # a: the activation signal, b: its threshold
    RESTING = 65  # the same: it stays at zero
    IDLE = 66  # a: seconds without work, b: those after which the last replica goes
    NOT_IDLE_YET = 67  # the same; a: NaN while the activation signal is unknown, or there is work
    NO_NODE = 68  # a: proposed, b: pods that have waited for a node for minutes
    QUOTA_LIMITS = 69  # a: proposed, b: allowed
    BUDGET_KEEPS = 70  # a: proposed, b: pods that a disruption budget wants to be available
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
