"""The fleet's scaling policies as arrays: what `ScalingPolicy` documents say, a row per slot."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np
from numpy.typing import NDArray

from podium.loop.calendar.holidays import Holidays
from podium.model.arrays import Bools, Float64s, Int32s, Int64s
from podium.model.capacity import Learned

Int16s = NDArray[np.int16]


class Mode(enum.IntEnum):
    """How far Podium goes for a workload."""

    RECOMMEND = 0
    METRIC = 1
    FLOOR = 2
    OWN = 3


class MetricKind(enum.IntEnum):
    """The calculation behind a metric of a policy (`autoscaling/v2` MetricSpec, and Podium's own `load`)."""

    UTILISATION = 0  # resource usage over requests, in percent
    AVERAGE = 1  # usage or value per pod, from pods' samples
    VALUE = 2  # an object's or external value over its target
    AVERAGE_VALUE = 3  # an object's or external value shared by the replicas
    LOAD = 4  # the policy's load over the capacity of a replica


class Select(enum.IntEnum):
    """`selectPolicy` of a direction."""

    MAX = 0
    MIN = 1
    DISABLED = 2


@dataclasses.dataclass(frozen=True, slots=True)
class MetricGroup:
    """All uses of one signal in one calculation: m rows, a slot each."""

    kind: MetricKind
    signal: str
    slots: Int32s
    targets: Int64s  # percent for UTILISATION, thousandths of the unit otherwise
    position: NDArray[np.int16]  # index of the metric in its policy; the load comes after the last
    of_object: bool = False  # of AVERAGE_VALUE: belongs to an object, whose count upstream does not hold inside int32


@dataclasses.dataclass(frozen=True, slots=True)
class RateRules:
    """One direction's behaviour (`HPAScalingRules`) of n slots, its policies as r rows."""

    window: Float64s  # [n] stabilisation, seconds
    select: NDArray[np.int8]  # [n] Select
    tolerance: Float64s  # [n]
    slots: Int32s  # [r]
    percent: Bools  # [r] Percent, else Pods
    value: Int64s  # [r]
    period: Float64s  # [r] seconds
    longest: Float64s  # [n] longest period, seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A recurring stretch of time: it begins at the moments of `cron` on the clocks of `time_zone`."""

    cron: str
    time_zone: str
    duration_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Windows:
    """Limits by the calendar: w distinct spans, and r rows that use them, as many as policies have windows."""

    spans: tuple[Span, ...] = ()
    slots: Int32s = dataclasses.field(default_factory=lambda: np.empty(0, np.int32))  # [r]
    span: Int32s = dataclasses.field(default_factory=lambda: np.empty(0, np.int32))  # [r] index into `spans`
    position: Int16s = dataclasses.field(default_factory=lambda: np.empty(0, np.int16))  # [r] of its policy's schedule
    minimum: Int64s = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))  # [r] UNKNOWN: none
    maximum: Int64s = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))  # [r] UNKNOWN: none


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """The slots whose rules read one signal."""

    signal: str
    slots: Int32s


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """Limits and pauses under a condition: e distinct expressions, and r rows that use them."""

    expressions: tuple[str, ...] = ()
    names: tuple[tuple[str, ...], ...] = ()  # [e] the signals that each names
    reads: tuple[Reading, ...] = ()  # the same by signal
    slots: Int32s = dataclasses.field(default_factory=lambda: np.empty(0, np.int32))  # [r]
    expression: Int32s = dataclasses.field(default_factory=lambda: np.empty(0, np.int32))  # [r] index
    position: Int16s = dataclasses.field(default_factory=lambda: np.empty(0, np.int16))  # [r] of its policy's rules
    minimum: Int64s = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))  # [r] UNKNOWN: none
    maximum: Int64s = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))  # [r] UNKNOWN: none
    pause_up: Bools = dataclasses.field(default_factory=lambda: np.empty(0, np.bool_))  # [r]
    pause_down: Bools = dataclasses.field(default_factory=lambda: np.empty(0, np.bool_))  # [r]


@dataclasses.dataclass(frozen=True, slots=True)
class LatencyGroup:
    """All workloads whose objective is a bound on one latency signal: m rows, a slot each."""

    signal: str
    slots: Int32s
    below: Float64s  # seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Dependencies:
    """Everything that workloads depend on and one signal tells the health of: m rows, as policies name dependencies."""

    signal: str
    slots: Int32s  # who depends
    of: Int32s  # whose value of the signal is looked at: the dependency's own slot, or the dependent's
    below: Float64s  # from here on it fails
    position: Int16s  # of the policy's dependencies


@dataclasses.dataclass(frozen=True, slots=True)
class Activation:
    """Workloads that may rest at zero while one signal says that there is nothing to do: m rows, a slot each."""

    signal: str
    slots: Int32s
    above: Float64s  # from there up there is work
    idle: Float64s  # seconds at or below it before the last replica goes


@dataclasses.dataclass(frozen=True, slots=True)
class Scored:
    """Slots in which the readings of one signal are judged: the score is a signal, too."""

    name: str
    of: str
    threshold: float
    step_seconds: float  # between readings
    slots: Int32s  # rising


@dataclasses.dataclass(frozen=True, slots=True)
class Bound:
    """Rows of `Learning` for which one signal must stay below a bound."""

    signal: str
    rows: Int64s
    below: Float64s


@dataclasses.dataclass(frozen=True, slots=True)
class Learning:
    """Policies that leave the capacity of a replica to be learned: m rows, a slot each."""

    slots: Int32s  # [m] rising
    position: Int16s  # [m] of the load among the policy's metrics: after the last
    cpu: Float64s  # [m] CPU of the request at which a replica is full; NaN: CPU is not asked
    bounds: tuple[Bound, ...]  # the latency of the objective, saturation
    bounded: Bools  # [m] whether there is one
    bound_basis: NDArray[np.int8]  # [m] which: model.capacity.Basis


@dataclasses.dataclass(frozen=True, slots=True)
class Announced:
    """Announced events and holidays: r rows, one for each workload of each event and of each calendar's holidays."""

    slots: Int32s  # [r]
    start: Float64s  # [r] Unix seconds; of holidays NaN, as `end`
    end: Float64s  # [r]
    before: Float64s  # [r] seconds of preparing; NaN: the workload's lead time
    factor: Float64s  # [r] times the usual load; NaN: not said
    at_least: Float64s  # [r] load; NaN: not said
    event: Int16s  # [r] index into the events of the policies
    zone: Int32s  # [r] index into `zones`
    zones: tuple[str, ...]
    multiplied: Int32s  # [u] slots with a factor or holidays, rising
    clocks: Int32s  # [u] the zone by whose hours their usual load is known
    days: Int32s = dataclasses.field(default_factory=lambda: np.empty(0, np.int32))
    """[r] whose holidays a row is: index into `calendars`; UNKNOWN: it is an event. Empty: all are events."""
    calendars: tuple[Holidays, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Ordered:
    """What people ordered beside documents: k pauses in force, for n slots, and sources to believe."""

    up: Int32s  # [n] which pause stops going up; UNKNOWN: none
    down: Int32s  # [n] which pause stops going down
    until: Float64s  # [k] Unix seconds; NaN: until it is taken back
    believed: tuple[str, ...]  # names of sources whose present level is the truth from this turn on


@dataclasses.dataclass(frozen=True, slots=True)
class Guards:
    """What bounds the whole fleet. Sources: `loop.maxReduction` and `loop.suspect` of the settings."""

    reduction_fraction: float = 0.1  # of all replicas, per window
    reduction_window: float = 300.0  # seconds
    fall: float = 0.5  # a value under (1 - fall) of its recent level has fallen
    share: float = 0.5  # of a source's workloads that fall together: it is suspect
    believe_after: float = 21_600.0  # seconds of doubt after which a lower level is taken for the truth
    level_memory: float = 150.0  # seconds over which the recent level follows the values


@dataclasses.dataclass(frozen=True, slots=True)
class Reactive:
    """kube-controller-manager's settings of its HPA controller, with its defaults; times in seconds."""

    tolerance: float = 0.1
    cpu_initialization_period: float = 300.0
    initial_readiness_delay: float = 30.0
    downscale_stabilization: float = 300.0
    wraps: bool = False
    """Counts beyond int32 turn over as in upstream on amd64. A live loop holds them at the largest instead: a load of
    10^13 requests per second is no reason to shrink to nothing."""
    remembers: float = 0.0
    """Seconds for which proposals are kept at least, though no window reaches so far: the next one may."""


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyTable:
    """Everything that decides, for n slots. A slot without a policy has `mode` -1 and is left alone."""

    digest: str  # of the documents it was made from
    mode: NDArray[np.int8]  # [n] Mode, or -1
    minimum: Int64s  # [n]
    maximum: Int64s  # [n]
    pause_up: Bools  # [n]
    pause_down: Bools  # [n]
    metrics: tuple[MetricGroup, ...]
    behaved: Bools  # [n] whether the policy has a `behavior`: without one HPA limits growth differently
    up: RateRules
    down: RateRules
    load: tuple[str, ...]  # [n] signal that is forecast; "" where none
    capacity: Float64s  # [n] load that one replica serves; NaN: not known
    level: Float64s  # [n] the forecast quantile that the policy's objective asks for
    forecast: Bools  # [n] whether the forecast may speak
    lead: Float64s  # [n] seconds from a decision to a ready pod: configured, NaN = as measured
    reactive: Reactive
    guards: Guards
    windows: Windows = Windows()
    rules: Rules = Rules()
    latency: tuple[LatencyGroup, ...] = ()
    limits_alone: Bools | None = None  # [n] whether it has a schedule or rules and measures nothing; None: nobody
    ordered: Ordered | None = None  # None: nothing is ordered
    risk: Float64s | None = None  # [n] share of the load that may stay unserved; NaN: none is asked. None: nobody asks
    learning: Learning | None = None  # None: every load says what a replica serves
    announced: Announced | None = None  # None: nothing is announced
    dependencies: tuple[Dependencies, ...] = ()
    activation: tuple[Activation, ...] = ()
    scores: tuple[Scored, ...] = ()  # anomalies asked for as signals
    learned: Learned | None = None  # what of it is in force: then `capacity` and `metrics` have it, too

    def __len__(self) -> int:
        return len(self.mode)
