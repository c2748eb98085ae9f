"""Reasons in plain words. Codes and numbers travel; sentences are made only when somebody looks."""

from __future__ import annotations

import datetime
import math
import zoneinfo
from collections.abc import Callable, Sequence

from podium.loop.calendar.document import Announced
from podium.loop.calendar.holidays import Holidays
from podium.loop.orders.order import Order
from podium.loop.orders.orders import NOTHING_ORDERED, Orders
from podium.loop.policy import ScalingPolicySpec
from podium.model import clock
from podium.model.arrays import UNKNOWN
from podium.model.decision import Reason
from podium.model.snapshot import Holds

Sentence = Callable[["Facts"], str]


class Facts:
    """One reason of one workload: its numbers, and what they speak of."""

    def __init__(
        self,
        spec: ScalingPolicySpec | None,
        sources: Sequence[str],
        orders: Orders,
        events: Sequence[tuple[Announced | Holidays, str]],
        metric: int,
        a: float,
        b: float,
        c: float,
    ) -> None:
        self._spec = spec
        self._sources = sources
        self._orders = orders
        self._events = events
        self._metric = metric
        self.a, self.b, self.c = a, b, c

    @property
    def signal(self) -> str:
        """The metric's name, as its policy has it."""
        if self._spec is None or self._metric == UNKNOWN:
            return "the signal"
        if self._metric < len(self._spec.metrics):
            metric = self._spec.metrics[self._metric]
            if metric.identifier is not None:
                return metric.identifier.name
            resource = metric.resource or metric.container_resource
            return resource.name if resource is not None else "the signal"
        return self._spec.load.signal if self._spec.load is not None else "the load"

    @property
    def of_target(self) -> str:
        """What was measured against its target, in the metric's own way of counting."""
        if self._spec is not None and 0 <= self._metric < len(self._spec.metrics):
            target = self._spec.metrics[self._metric].target
            if target.average_utilization is not None and target.average_value is None:
                return f"{self.b:.0f} % used of a wanted {self.c:.0f} %"
            if target.value is not None:
                return f"{number(self.b)} against a wanted {number(self.c)}"
            return f"{number(self.b)} per pod against a wanted {number(self.c)}"
        return f"{number(self.b)} at {number(self.c)} per replica"

    @property
    def source(self) -> str:
        """The name of the source that `a` numbers."""
        index = int(self.a)
        return self._sources[index] if 0 <= index < len(self._sources) else "a source"

    @property
    def window_ends(self) -> str:
        """When a window of the schedule ends, on the clocks that its owner reads."""
        if self._spec is None or not 0 <= self._metric < len(self._spec.schedule):
            return clock.rfc3339(round(self.c))
        window = self._spec.schedule[self._metric]
        moment = datetime.datetime.fromtimestamp(round(self.c), zoneinfo.ZoneInfo(window.time_zone))
        day = f"{moment:%A} " if window.duration >= 86400 else ""
        return f"{day}{moment:%H:%M} {window.time_zone}"

    @property
    def rule(self) -> str:
        """The condition of a rule, as it is written."""
        if self._spec is None or not 0 <= self._metric < len(self._spec.rules):
            return "a rule holds"
        return f"`{' '.join(self._spec.rules[self._metric].when.split())}`"

    def announced(self, since: float) -> str:
        """The event's name, what it brings, and since when that is prepared for, on the clocks of its calendar."""
        if not 0 <= self._metric < len(self._events):
            return f"an event announced from {clock.rfc3339(round(since))}"
        event, zone = self._events[self._metric]
        moment = datetime.datetime.fromtimestamp(round(since), zoneinfo.ZoneInfo(zone))
        if isinstance(event, Holidays):
            name = event.name_on((moment.date() - datetime.date(1970, 1, 1)).days) or "a holiday"
            return f"{name}, as on the last holiday or a Sunday"
        brings = [] if event.expect is None else [f"x{event.expect:g}"]
        brings += [] if event.at_least is None else [f"at least {number(event.at_least)}"]
        return f"{event.name} announced: {', '.join(brings)} from {moment:%H:%M} {zone}"

    def served(self, basis: str) -> str:
        """What a replica serves, and what it was learned from."""
        load = self._spec.load.signal if self._spec is not None and self._spec.load is not None else "the load"
        source = f"{spent(self.c)} of {basis} at up to {self._metric} % of its limit"
        return f"a replica serves {at_least(self.a, self.b)} of {load}, learned from {source}"

    @property
    def dependency(self) -> str:
        """What a workload depends on, and what its health is told by."""
        if self._spec is None or not 0 <= self._metric < len(self._spec.dependencies):
            return "a dependency fails"
        one = self._spec.dependencies[self._metric]
        of = "" if one.target_ref is None else f" of {one.target_ref.name}"
        return f"{one.signal}{of} is {number(self.b)}, and from {number(self.c)} on it counts as failing"

    @property
    def activation(self) -> str:
        """The name of the signal that says whether there is work."""
        if self._spec is None or self._spec.activation is None:
            return "its signal"
        return self._spec.activation.signal

    @property
    def order(self) -> str:
        """Who paused it, why, and until when."""
        end = "" if math.isnan(self.c) else f" until {clock.rfc3339(round(self.c))}"
        index = int(self.b)
        if not 0 <= index < len(self._orders.pauses):
            return f"by an order{end}"
        return ordered(self._orders.pauses[index])


def ordered(pause: Order) -> str:
    """Who paused something, until when, and why."""
    end = "until it is taken back" if pause.until is None else f"until {clock.rfc3339(round(pause.until))}"
    whole = "" if pause.target.of == "workload" else f" ({pause.target})"
    return f"by {pause.by} {end}{whole}: {pause.reason}"


JUDGED_LEVEL = 0.95  # of `foresight.calibration.Calibration`


def number(value: float) -> str:
    """Three significant digits, without an exponent where a person would not write one."""
    if math.isnan(value):
        return "unknown"
    if value == 0 or 0.001 <= abs(value) < 1e6:
        digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
        text = f"{value:.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.3g}"


def at_least(value: float, by: float) -> str:
    """`84 ± 6`, with the digits that the margin leaves; `at least 84` where nobody knows by how much it is more."""
    if not by > 0:
        return f"at least {number(value)}"
    digits = max(0, -math.floor(math.log10(by)))
    return f"{value:.{digits}f} ± {by:.{digits}f}"


def spent(seconds: float) -> str:
    """A stretch of measuring as people say it: `40 minutes`, `7 hours`, `3 days`."""
    for unit, size in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= 2 * size or unit == "minute":
            count = math.floor(seconds / size)
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return "no time"


def measured(value: float, unit: str) -> str:
    """A value with its unit as people say it: `343/s`, `2.68 GiB`, `1.2 cores`, `250ms`, `85 %`."""
    if math.isnan(value):
        return "unknown"
    match unit:
        case "per_second":
            return f"{number(value)}/s"
        case "seconds":
            return clock.duration(value)
        case "ratio":
            return f"{number(100 * value)} %"
        case "bytes":
            power = min(int(math.log2(max(abs(value), 1)) // 10), 5)
            return f"{number(value / 1024**power)} {('B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB')[power]}"
        case "cores":
            return f"{number(value)} cores"
        case _:
            return number(value)


def pods(count: float) -> str:
    """`1 pod`, `3 pods`."""
    return f"{count:.0f} pod" + ("" if count == 1 else "s")


def replicas(count: int) -> str:
    """`1 replica`, `3 replicas`."""
    return f"{count} replica" + ("" if count == 1 else "s")


SENTENCES: dict[Reason, Sentence] = {
    Reason.OBSERVED: lambda f: f"{f.a:.0f} replicas now",
    Reason.NOT_OBSERVED: lambda _: "the cluster did not say how many replicas there are, so nothing is decided",
    Reason.SIGNAL_PROPOSES: lambda f: f"{f.signal} asks for {f.a:.0f}: {f.of_target}",
    Reason.SIGNAL_MISSING: lambda f: f"{f.signal} is unknown, so nothing goes down",
    Reason.ALL_SIGNALS_MISSING: lambda f: (
        "no signal is known, so it holds" if f.a > 0 else "nothing is measured that could lower it, so it holds"
    ),
    Reason.WITHIN_TOLERANCE: lambda f: f"not worth going down to {f.a:.0f}: less than {100 * f.b:.0f} % fewer",
    Reason.PODS_STARTING: lambda f: f"{pods(f.a)} not ready yet, counted as idle",
    Reason.PODS_UNMEASURED: lambda f: f"{pods(f.a)} without a sample, counted against the change",
    Reason.LATENCY_RAISES: lambda f: (
        f"the latency raises it to {f.a:.0f}: {clock.duration(f.b)} of an allowed {clock.duration(f.c)}"
    ),
    Reason.LATENCY_KEEPS: lambda f: (
        f"does not go down to {f.a:.0f}: the latency is {clock.duration(f.b)} of an allowed {clock.duration(f.c)}"
    ),
    Reason.LATENCY_UNKNOWN: lambda _: "the latency of its objective is unknown, so nothing goes down",
    Reason.LIMITS_ALONE: lambda f: f"nothing asks for more than its minimum of {f.a:.0f}",
    Reason.FORECAST_RAISES: lambda f: (
        f"the forecast raises it to {f.a:.0f}: up to {number(f.b)} expected within {clock.duration(round(f.c))}"
    ),
    Reason.MARGIN_RAISES: lambda f: (
        f"raised to {f.a:.0f} while the forecast is not trusted: up to {number(f.b)} within "
        f"{clock.duration(round(f.c))}, as it has grown before"
    ),
    Reason.RISK_MISSED: lambda f: (
        f"{100 * f.b:.2g} % of its load found no capacity in two weeks, where {100 * f.a:.2g} % was asked: it bursts "
        "beyond what its past shows; a shorter start-up or a higher minimum would help"
    ),
    Reason.FORECAST_UNTRUSTED: lambda f: (
        "the forecast is not trusted yet"
        if math.isnan(f.a)
        else f"the forecast has no say: its {100 * JUDGED_LEVEL:.0f} % quantile held in {100 * f.a:.0f} % of windows"
    ),
    Reason.FORECAST_ABSENT: lambda _: "no forecast: too little history",
    Reason.CAPACITY_UNKNOWN: lambda f: (
        f"what a replica serves is not learned yet, after {spent(f.a)}: no forecast acts"
    ),
    Reason.CAPACITY_BY_CPU: lambda f: f.served("CPU"),
    Reason.CAPACITY_BY_LATENCY: lambda f: f.served("latency"),
    Reason.CAPACITY_BY_SATURATION: lambda f: f.served("saturation"),
    Reason.ANNOUNCED: lambda f: f"{f.announced(f.b)}, a load of {number(f.a)}",
    Reason.ANNOUNCED_RAISES: lambda f: f"raised to {f.a:.0f} for a load of {number(f.b)}: {f.announced(f.c)}",
    Reason.ANNOUNCED_UNKNOWN: lambda f: (
        f"{f.announced(f.b)}, but "
        + ("the usual load of that hour is not known yet" if f.a == 0 else "what a replica serves is not known yet")
    ),
    Reason.HOLIDAY_BOUNDS: lambda f: f"the forecast of {number(f.a)} counts as {number(f.b)}: {f.announced(f.c)}",
    Reason.PANIC_RAISES: lambda f: (
        f"grows to {f.a:.0f} at once: the load of {number(f.b)} is at least twice what {pods(f.c)} can serve"
    ),
    Reason.PANIC_KEEPS: lambda f: (
        f"kept at {f.b:.0f} instead of {f.a:.0f}: the surge ended {clock.duration(round(f.c))} ago"
    ),
    Reason.STABILISED_DOWN: lambda f: (
        f"kept at {f.b:.0f} instead of {f.a:.0f}: as many were needed within the last {clock.duration(f.c)}"
    ),
    Reason.STABILISED_UP: lambda f: (
        f"kept at {f.b:.0f} instead of {f.a:.0f}: fewer were needed within the last {clock.duration(f.c)}"
    ),
    Reason.RATE_LIMITED_UP: lambda f: f"grows to {f.b:.0f} for now, not {f.a:.0f}: the allowed pace",
    Reason.RATE_LIMITED_DOWN: lambda f: f"shrinks to {f.b:.0f} for now, not {f.a:.0f}: the allowed pace",
    Reason.AT_MAXIMUM: lambda f: f"held at its maximum of {f.b:.0f} (asked for {f.a:.0f})",
    Reason.AT_MINIMUM: lambda f: f"held at its minimum of {f.b:.0f} (asked for {f.a:.0f})",
    Reason.SCHEDULED_MINIMUM: lambda f: (
        f"at least {f.b:.0f} until {f.window_ends} by its schedule (asked for {f.a:.0f})"
    ),
    Reason.SCHEDULED_MAXIMUM: lambda f: (
        f"at most {f.b:.0f} until {f.window_ends} by its schedule (asked for {f.a:.0f})"
    ),
    Reason.RULE_MINIMUM: lambda f: f"at least {f.b:.0f} while {f.rule} (asked for {f.a:.0f})",
    Reason.RULE_MAXIMUM: lambda f: f"at most {f.b:.0f} while {f.rule} (asked for {f.a:.0f})",
    Reason.RULE_PAUSES_UP: lambda f: f"scaling up is paused while {f.rule} (asked for {f.a:.0f})",
    Reason.RULE_PAUSES_DOWN: lambda f: f"scaling down is paused while {f.rule} (asked for {f.a:.0f})",
    Reason.RULE_UNKNOWN: lambda f: (
        f"does not go down to {f.a:.0f}: whether {f.rule} "
        + ("took too long to say" if f.b == Holds.TOO_LONG else "is not known")
    ),
    Reason.ORDERED_PAUSE_UP: lambda f: f"scaling up is paused {f.order} (asked for {f.a:.0f})",
    Reason.ORDERED_PAUSE_DOWN: lambda f: f"scaling down is paused {f.order} (asked for {f.a:.0f})",
    Reason.SOURCE_BELIEVED: lambda f: f"source {f.source} is believed from now on: a person said so",
    Reason.PAUSED_UP: lambda f: f"scaling up is paused (asked for {f.a:.0f})",
    Reason.PAUSED_DOWN: lambda f: f"scaling down is paused (asked for {f.a:.0f})",
    Reason.SOURCE_SUSPECT: lambda f: (
        f"source {f.source} is suspect: {100 * f.b:.0f} % of its series leapt at once, so nothing goes down on its word"
    ),
    Reason.SOURCE_FROZEN: lambda f: (
        f"source {f.source} has stood still for {clock.duration(round(f.b))}, so nothing goes down on its word"
    ),
    Reason.NO_NEW_EVIDENCE: lambda f: f"waits for a newer sample before going down to {f.a:.0f}",
    Reason.REDUCTION_GUARD: lambda f: (
        f"waits: {100 * f.b:.0f} % of the fleet went down lately, {100 * f.c:.0f} % are allowed (asked for {f.a:.0f})"
    ),
    Reason.DEPENDENCY_FAILS: lambda f: (
        f"does not grow to {f.a:.0f}, which would press what it depends on: {f.dependency}"
    ),
    Reason.DEPENDENCY_RECOVERS: lambda f: (
        f"grows to {f.b:.0f} for now, not {f.a:.0f}: what it depends on failed {clock.duration(round(f.c))} ago"
    ),
    Reason.ACTIVATED: lambda f: f"woken from zero: {f.activation} is {number(f.a)}, above {number(f.b)}",
    Reason.RESTING: lambda f: (
        f"rests at zero while {f.activation} is not above {number(f.b)}"
        + (", which is unknown now" if math.isnan(f.a) else "")
    ),
    Reason.IDLE: lambda f: f"goes to zero: {f.activation} has asked for nothing for {spent(f.a)}",
    Reason.NOT_IDLE_YET: lambda f: (
        f"keeps one replica: {f.activation} "
        + ("asks for it, or is unknown" if math.isnan(f.a) else f"has to ask for nothing for {clock.duration(f.b)}")
    ),
    Reason.NO_NODE: lambda f: f"does not grow to {f.a:.0f}: {pods(f.b)} have waited for a node for five minutes",
    Reason.QUOTA_LIMITS: lambda f: f"grows to {f.b:.0f}, not {f.a:.0f}: the quota of its namespace allows no more",
    Reason.BUDGET_KEEPS: lambda f: (
        f"kept at {f.b:.0f} instead of {f.a:.0f}: so many are to be available by its disruption budget"
    ),
    Reason.SCALED_TO_ZERO: lambda _: "scaled to zero by a person: left alone until somebody scales it up",
    Reason.RECOMMEND_ONLY: lambda _: "only recommended: nothing is written in this mode",
}


def sentence(
    code: int,
    metric: int,
    numbers: tuple[float, float, float],
    spec: ScalingPolicySpec | None,
    sources: Sequence[str],
    orders: Orders = NOTHING_ORDERED,
    events: Sequence[tuple[Announced | Holidays, str]] = (),
) -> str:
    """One reason as a sentence; `orders` are those in force in its turn, `events` those that its policies announce.

    A newer version's code is shown as it is.
    """
    try:
        reason = Reason(code)
    except ValueError:
        return f"reason {code} ({', '.join(number(value) for value in numbers)})"
    return SENTENCES[reason](Facts(spec, sources, orders, events, metric, *numbers))
