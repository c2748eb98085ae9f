"""What each metric proposes: the calculations of the HPA v2 controller, for all slots that use a metric at once.

Source: `pkg/controller/podautoscaler` of Kubernetes 1.36 (`replica_calculator.go`), KEP-4951 for tolerances. Sums and
averages are integer thousandths and cut as Go cuts them; only the last division is a float64.
"""

from __future__ import annotations

import dataclasses
import enum

import numpy as np

from podium.loop.decide import pods as pod_groups
from podium.loop.decide.draft import Turn
from podium.loop.decide.table import MetricGroup, MetricKind
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s, count_by_slot, sum_by_slot
from podium.model.snapshot import Int8s, Level, Phase, Ready, Samples

INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)
INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)


class Trouble(enum.IntEnum):
    """Why a metric proposes nothing, in the order in which upstream would notice it."""

    NONE = 0  # it proposes something
    NO_VALUE = 1  # nobody measures it
    NO_POD = 2  # there is no pod to count
    NONE_MEASURED = 3  # no pod that counts has a sample
    NO_REQUEST = 4  # some pod does not say what it requests
    NO_MATCH = 5  # what the measured pods request adds up to nothing


@dataclasses.dataclass(frozen=True, slots=True)
class Quantities(Level):
    """A level that its source gives in Kubernetes quantities: exact thousandths, also where a float64 is not."""

    milli: Int64s


@dataclasses.dataclass(frozen=True, slots=True)
class Proposals:
    """One metric group's answer, m rows: replicas, what was measured, and why it is not simply the ratio."""

    replicas: Int64s  # 0 where there is trouble; negative values of a metric may propose less than 0
    trouble: Int8s  # Trouble
    usage: Int64s  # thousandths, as `currentMetrics` of an HPA shows it: per pod for averages
    percent: Int64s  # of the requests, for UTILISATION; else 0
    measured: Float64s  # for people: percent, or the unit of the signal; NaN where there is trouble
    unready: Int64s  # pods counted as idle on the way up
    missing: Int64s  # pods counted against the change

    @property
    def known(self) -> Bools:
        """Where something is proposed."""
        known: Bools = self.trouble == Trouble.NONE
        return known


def propose(turn: Turn, group: MetricGroup) -> Proposals:
    """The proposals of one metric group."""
    match group.kind:
        case MetricKind.UTILISATION | MetricKind.AVERAGE:
            return _from_pods(turn, group)
        case MetricKind.VALUE:
            return _from_value(turn, group)
        case MetricKind.AVERAGE_VALUE:
            return _from_shared_value(turn, group)
        case MetricKind.LOAD:
            return _from_load(turn, group)


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """The pods of m rows, counted and summed; a base is what they request, or for averages how many they are."""

    trouble: Int8s  # Trouble
    ready: Int64s
    unready: Int64s
    missing: Int64s
    measured: Int64s  # ready, or gone with a sample left
    shown: Int64s  # pods over which `usage` is averaged for people
    usage: Int64s  # thousandths
    base: Int64s
    missing_base: Int64s
    unready_base: Int64s
    at_fallback: Int64s  # what missing pods are taken to use on the way down


def _from_pods(turn: Turn, group: MetricGroup) -> Proposals:
    return from_tally(turn, group, _tally(turn, group))


def _tally(turn: Turn, group: MetricGroup) -> Tally:
    rows = len(group.slots)
    row_of_slot = np.full(len(turn.table), UNKNOWN, np.int64)
    row_of_slot[group.slots] = np.arange(rows)
    all_pods = turn.snapshot.pods
    row = row_of_slot[all_pods.slot]
    used = row != UNKNOWN
    row = np.where(used, row, 0)
    samples = all_pods.samples.get(group.signal) or _no_samples(len(all_pods))
    groups = pod_groups.group(
        all_pods, samples, turn.now, turn.table.reactive, cpu=group.signal.partition("@")[0] == "cpu"
    )
    measured, ready, unready, missing = (
        mask & used for mask in (groups.measured, groups.ready, groups.unready, groups.missing)
    )
    counted_unready = count_by_slot(unready, row, rows)
    counted_missing = count_by_slot(missing, row, rows)
    counted_measured = count_by_slot(measured, row, rows)
    counted_listed = count_by_slot(groups.listed & used, row, rows)

    def total(values: Int64s, mask: Bools) -> Int64s:
        return sum_by_slot(values[mask], row[mask], rows)

    trouble = np.zeros(rows, np.int8)
    if group.kind is MetricKind.UTILISATION:
        requests = all_pods.requests.get(group.signal, np.full(len(all_pods), UNKNOWN, np.int64))
        silent = count_by_slot(groups.listed & used & (requests < 0), row, rows) > 0
        with_request = measured & groups.listed
        usage, base = total(samples.milli, with_request), total(requests, with_request)
        shown = count_by_slot(with_request, row, rows)
        _mark(trouble, base == 0, Trouble.NO_MATCH)
        _mark(trouble, silent, Trouble.NO_REQUEST)
        fallback = np.maximum(100, group.targets)
        at_fallback = total(requests * fallback[row] // 100, missing)
        missing_base, unready_base = total(requests, missing), total(requests, unready)
    else:
        usage, base, shown = total(samples.milli, measured), counted_measured, counted_measured
        at_fallback = group.targets * counted_missing
        missing_base, unready_base = counted_missing, counted_unready
    _mark(trouble, counted_measured == 0, Trouble.NONE_MEASURED)
    _mark(trouble, counted_listed == 0, Trouble.NO_POD)
    _mark(trouble, count_by_slot(used & ~np.isnan(samples.at), row, rows) == 0, Trouble.NO_VALUE)
    return Tally(
        trouble=trouble,
        ready=count_by_slot(ready, row, rows),
        unready=counted_unready,
        missing=counted_missing,
        measured=counted_measured,
        shown=shown,
        usage=usage,
        base=base,
        missing_base=missing_base,
        unready_base=unready_base,
        at_fallback=at_fallback,
    )


def from_tally(turn: Turn, group: MetricGroup, pods: Tally) -> Proposals:
    """What UTILISATION and AVERAGE propose for pods that were counted already."""
    current = turn.current[group.slots]
    wraps = turn.table.reactive.wraps

    def ratio_of(usage: Int64s, base: Int64s) -> tuple[Float64s, Int64s]:
        if group.kind is MetricKind.UTILISATION:
            return _utilisation(usage, base, group.targets, wraps=wraps)
        return _average(usage, base, group.targets)

    ratio, percent = ratio_of(pods.usage, pods.base)
    up_with_unready = (pods.unready > 0) & (ratio > 1.0)
    plain = ~up_with_unready & (pods.missing == 0)
    down = ratio < 1.0
    # Missing pods are taken as busy on the way down and as idle on the way up; exactly on target nothing is filled in.
    exactly = ratio == 1.0
    usage2 = pods.usage + np.where(down, pods.at_fallback, 0)
    base2 = pods.base + pods.missing_base + np.where(up_with_unready, pods.unready_base, 0)
    counted2 = pods.measured + pods.missing + np.where(up_with_unready, pods.unready, 0)
    ratio2, _ = ratio_of(usage2, base2)

    turned = ((ratio < 1.0) & (ratio2 > 1.0)) | ((ratio > 1.0) & (ratio2 < 1.0))
    filled = _count(ratio2 * counted2, wraps=wraps)
    against = ((ratio2 < 1.0) & (filled > current)) | ((ratio2 > 1.0) & (filled < current))
    within = _within(turn, group, ratio)
    stay = np.where(plain, within, exactly | _within(turn, group, ratio2) | turned | against)
    replicas = np.where(stay, current, np.where(plain, _count(ratio * pods.ready, wraps=wraps), filled))
    known = pods.trouble == Trouble.NONE
    shown = _quotient(pods.usage, np.maximum(pods.shown, 1))
    return Proposals(
        replicas=np.where(known, replicas, 0),
        trouble=pods.trouble,
        usage=np.where(known, shown, 0),
        percent=np.where(known & (group.kind is MetricKind.UTILISATION), percent, 0),
        measured=np.where(known, percent if group.kind is MetricKind.UTILISATION else shown / 1000, np.nan),
        unready=np.where(known & up_with_unready, pods.unready, 0),
        missing=np.where(known & ~plain, pods.missing, 0),
    )


def _mark(trouble: Int8s, where: Bools, what: Trouble) -> None:
    """Later marks overwrite earlier ones: what upstream notices first is marked last."""
    trouble[where] = what


def _utilisation(usage: Int64s, requests: Int64s, target: Int64s, *, wraps: bool) -> tuple[Float64s, Int64s]:
    """Ratio and percentage, cut to whole percents first: 55.9 % of a 50 % target is 55/50."""
    percent = _quotient(usage * 100, np.where(requests == 0, 1, requests))
    if wraps:
        percent = turned_over(percent)
    with np.errstate(divide="ignore", invalid="ignore"):
        return percent / target, percent


def _average(usage: Int64s, count: Int64s, target: Int64s) -> tuple[Float64s, Int64s]:
    """Ratio and value per pod, cut to whole thousandths first."""
    average = _quotient(usage, np.maximum(count, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return average / target, average


def _quotient(dividend: Int64s, divisor: Int64s) -> Int64s:
    """Integer division cut towards zero, as Go does it: -5 / 2 is -2."""
    floor = dividend // divisor
    cut: Int64s = floor + ((floor < 0) & (floor * divisor != dividend))
    return cut


def _from_value(turn: Turn, group: MetricGroup) -> Proposals:
    """`Value`: ratio x pods that serve; from zero, the ratio itself, without tolerance.

    Pods that are there and do not serve give 0, as upstream has it; no pod to be seen at all is a gap.
    """
    usage, known = _levels_milli(turn, group)
    current, wraps = turn.current[group.slots], turn.table.reactive.wraps
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = usage / group.targets
    serving, listed = (count[group.slots] for count in _count_pods(turn))
    within = _within(turn, group, ratio)
    # Here upstream does hold a large count inside int32, and only here; from zero it does not.
    from_ready = _count(np.minimum(ratio * serving, INT32_MAX), wraps=wraps)
    replicas = np.where(current == 0, _count(ratio, wraps=wraps), np.where(within, current, from_ready))
    trouble = np.zeros(len(usage), np.int8)
    _mark(trouble, (current != 0) & ~within & (listed == 0), Trouble.NO_POD)
    _mark(trouble, ~known, Trouble.NO_VALUE)
    return _plain(trouble, replicas, usage)


def _from_shared_value(turn: Turn, group: MetricGroup) -> Proposals:
    """`AverageValue`: the value shared by `status.replicas`; without any, the ratio is infinite."""
    usage, known = _levels_milli(turn, group)
    wraps = turn.table.reactive.wraps
    sharing = turn.snapshot.status_replicas[group.slots]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = usage / (group.targets.astype(np.float64) * sharing)
        asked = usage / group.targets
        share = usage.astype(np.float64) / sharing
    # An object's count turns over beyond int32, an external one is held there: upstream clamps the one alone.
    limit = np.inf if group.of_object else INT32_MAX
    replicas = np.where(_within(turn, group, ratio), sharing, _count(np.minimum(np.ceil(asked), limit), wraps=wraps))
    shown = _int64(np.ceil(share), wraps=wraps)
    if not group.of_object:
        shown = np.where(usage.astype(np.float64) >= INT64_MAX, INT64_MAX, shown)
    trouble = np.where(known & (sharing != UNKNOWN), Trouble.NONE, Trouble.NO_VALUE).astype(np.int8)
    return _plain(trouble, replicas, shown)


def _from_load(turn: Turn, group: MetricGroup) -> Proposals:
    """Podium's own: the load over the capacity of one replica, rounded up. 100.1 requests/s at 85 each need 2."""
    usage, known = _levels_milli(turn, group)
    trouble = np.where(known, Trouble.NONE, Trouble.NO_VALUE).astype(np.int8)
    return _plain(trouble, np.maximum(_count(usage / group.targets, wraps=False), 1), usage)


def _plain(trouble: Int8s, replicas: Int64s, usage: Int64s) -> Proposals:
    known, none = trouble == Trouble.NONE, np.zeros(len(trouble), np.int64)
    return Proposals(
        replicas=np.where(known, replicas, 0),
        trouble=trouble,
        usage=np.where(known, usage, 0),
        percent=none,
        measured=np.where(known, usage / 1000, np.nan),
        unready=none,
        missing=none,
    )


def _levels_milli(turn: Turn, group: MetricGroup) -> tuple[Int64s, Bools]:
    """The signal in thousandths, rounded up, and where it is known at all."""
    level = turn.snapshot.signals.get(group.signal)
    if level is None:
        return np.zeros(len(group.slots), np.int64), np.zeros(len(group.slots), np.bool_)
    value = level.value[group.slots]
    known = ~np.isnan(value)
    if isinstance(level, Quantities):
        return np.where(known, level.milli[group.slots], 0), known
    bounded = np.clip(np.where(known, value, 0.0) * 1000.0, -(2.0**62), 2.0**62)
    # 0.07 is 70 thousandths, though .07 * 1000 is a little more: what a thousandth itself reads as is that thousandth.
    nearest = np.rint(bounded)
    exact = nearest / 1000.0 == value
    return np.where(exact, nearest, np.ceil(bounded)).astype(np.int64), known


def _count_pods(turn: Turn) -> tuple[Int64s, Int64s]:
    """[n] pods Running and Ready, whether or not they are being deleted, and [n] pods that exist."""
    pods, size = turn.snapshot.pods, len(turn.table)
    serving = (pods.phase == Phase.RUNNING) & (pods.ready == Ready.TRUE)
    return count_by_slot(serving, pods.slot, size), count_by_slot(pods.phase != Phase.GONE, pods.slot, size)


def _within(turn: Turn, group: MetricGroup, ratio: Float64s) -> Bools:
    up, down = turn.table.up.tolerance[group.slots], turn.table.down.tolerance[group.slots]
    return (1.0 - down <= ratio) & (ratio <= 1.0 + up)


def _count(value: Float64s, *, wraps: bool) -> Int64s:
    """Rounded up. Beyond int32: held at its ends and never under 0, or, as Go on amd64, the smallest int32."""
    if not wraps:
        return np.ceil(np.clip(np.nan_to_num(value), 0.0, INT32_MAX)).astype(np.int64)
    return as_int32(np.ceil(value))


def as_int32(whole: Float64s | Int64s) -> Int64s:
    """What Go on amd64 makes of a float64 that becomes an int32: the smallest one when it does not fit."""
    return np.where((whole >= INT32_MIN) & (whole <= INT32_MAX), whole, INT32_MIN).astype(np.int64)


def turned_over(whole: Int64s) -> Int64s:
    """What Go makes of an int64 that becomes an int32: its lowest 32 bits."""
    return (whole - INT32_MIN) % 2**32 + INT32_MIN


def _int64(whole: Float64s, *, wraps: bool) -> Int64s:
    """Whole floats as int64. Beyond it: held at its ends, 0 for no number; or, as Go on amd64, the smallest int64."""
    inside = (whole >= INT64_MIN) & (whole < 2.0**63)
    out = np.where(inside, whole, 0.0).astype(np.int64)
    if wraps:
        return np.where(inside, out, INT64_MIN)
    return np.where(inside | np.isnan(whole), out, np.where(whole > 0, INT64_MAX, INT64_MIN))


def _no_samples(size: int) -> Samples:
    return Samples(np.zeros(size, np.int64), np.full(size, np.nan), np.full(size, np.nan))
