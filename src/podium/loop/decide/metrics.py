"""What each metric proposes: the calculations of the HPA v2 controller, for all slots that use a metric at once.

Source: `pkg/controller/podautoscaler` of Kubernetes 1.36 (`replica_calculator.go`), KEP-4951 for tolerances. Sums and
averages are integer thousandths and cut as Go cuts them; only the last division is a float64.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide import pods as pod_groups
from podium.loop.decide.draft import Turn
from podium.loop.decide.table import MetricGroup, MetricKind
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s, count_by_slot, sum_by_slot
from podium.model.snapshot import Phase, Ready, Samples

INT32_MAX = 2**31 - 1


@dataclasses.dataclass(frozen=True, slots=True)
class Proposals:
    """One metric group's answer, m rows: replicas, what was measured, and why it is not simply the ratio."""

    replicas: Int64s  # UNKNOWN: the metric is missing
    measured: Float64s  # percent, or the unit of the signal (per pod for averages)
    unready: Int64s  # pods counted as idle on the way up
    missing: Int64s  # pods counted against the change


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


def _from_pods(turn: Turn, group: MetricGroup) -> Proposals:
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
    counted_ready = count_by_slot(ready, row, rows)
    counted_unready = count_by_slot(unready, row, rows)
    counted_missing = count_by_slot(missing, row, rows)
    counted_measured = count_by_slot(measured, row, rows)

    def total(values: Int64s, mask: Bools) -> Int64s:
        return sum_by_slot(values[mask], row[mask], rows)

    current = turn.current[group.slots]
    known = (counted_measured > 0) & (count_by_slot(groups.listed & used, row, rows) > 0)
    if group.kind is MetricKind.UTILISATION:
        requests = all_pods.requests.get(group.signal, np.full(len(all_pods), UNKNOWN, np.int64))
        known &= count_by_slot(groups.listed & used & (requests < 0), row, rows) == 0
        with_request = measured & groups.listed
        usage, base = total(samples.milli, with_request), total(requests, with_request)
        known &= base > 0
        fallback = np.maximum(100, group.targets)
        at_fallback = total(requests * fallback[row] // 100, missing)
        ratio, shown = _utilisation(usage, base, group.targets)
        missing_base, unready_base = total(requests, missing), total(requests, unready)
    else:
        usage, base = total(samples.milli, measured), counted_measured
        at_fallback = group.targets * counted_missing
        ratio, shown = _average(usage, base, group.targets)
        missing_base, unready_base = counted_missing, counted_unready

    up_with_unready = (counted_unready > 0) & (ratio > 1.0)
    plain = ~up_with_unready & (counted_missing == 0)
    down = ratio < 1.0
    # Missing pods are taken as busy on the way down and as idle on the way up; exactly on target nothing is filled in.
    exactly = ratio == 1.0
    usage2 = usage + np.where(down, at_fallback, 0)
    base2 = base + missing_base + np.where(up_with_unready, unready_base, 0)
    counted2 = counted_measured + counted_missing + np.where(up_with_unready, counted_unready, 0)
    again = _utilisation if group.kind is MetricKind.UTILISATION else _average
    ratio2, _ = again(usage2, base2, group.targets)

    turned = ((ratio < 1.0) & (ratio2 > 1.0)) | ((ratio > 1.0) & (ratio2 < 1.0))
    filled = _ceil(ratio2 * counted2)
    against = ((ratio2 < 1.0) & (filled > current)) | ((ratio2 > 1.0) & (filled < current))
    within = _within(turn, group, ratio)
    stay = np.where(plain, within, exactly | _within(turn, group, ratio2) | turned | against)
    replicas = np.where(stay, current, np.where(plain, _ceil(ratio * counted_ready), filled))
    return Proposals(
        replicas=np.where(known, replicas, UNKNOWN),
        measured=np.where(known, shown, np.nan),
        unready=np.where(known & up_with_unready, counted_unready, 0),
        missing=np.where(known & ~plain, counted_missing, 0),
    )


def _utilisation(usage: Int64s, requests: Int64s, target: Int64s) -> tuple[Float64s, Float64s]:
    """Ratio and percentage, cut to whole percents first: 55.9 % of a 50 % target is 55/50."""
    percent = usage * 100 // np.maximum(requests, 1)
    return percent / target, percent.astype(np.float64)


def _average(usage: Int64s, count: Int64s, target: Int64s) -> tuple[Float64s, Float64s]:
    """Ratio and value per pod, cut to whole thousandths first."""
    average = usage // np.maximum(count, 1)
    return average / target, average / 1000


def _from_value(turn: Turn, group: MetricGroup) -> Proposals:
    """`Value`: ratio x pods that serve; from zero, the ratio itself, without tolerance.

    Pods that are there and do not serve give 0, as upstream has it; no pod to be seen at all is a gap.
    """
    usage, known = _levels_milli(turn, group)
    current = turn.current[group.slots]
    ratio = usage / group.targets
    serving, listed = (count[group.slots] for count in _count_pods(turn))
    within = _within(turn, group, ratio)
    known &= within | (listed > 0) | (current == 0)
    from_ready = np.where(within, current, _ceil(ratio * serving))
    replicas = np.where(current == 0, _ceil(ratio), from_ready)
    return _plain(known, replicas, usage / 1000)


def _from_shared_value(turn: Turn, group: MetricGroup) -> Proposals:
    """`AverageValue`: the value shared by `status.replicas`; without any, the ratio is infinite."""
    usage, known = _levels_milli(turn, group)
    sharing = turn.snapshot.status_replicas[group.slots]
    known &= sharing != UNKNOWN
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = usage / (group.targets.astype(np.float64) * sharing)
    replicas = np.where(_within(turn, group, ratio), sharing, _ceil(usage / group.targets))
    return _plain(known, replicas, usage / 1000 / np.maximum(sharing, 1))


def _from_load(turn: Turn, group: MetricGroup) -> Proposals:
    """Podium's own: the load over the capacity of one replica, rounded up. 100.1 requests/s at 85 each need 2."""
    usage, known = _levels_milli(turn, group)
    return _plain(known, np.maximum(_ceil(usage / group.targets), 1), usage / 1000)


def _plain(known: Bools, replicas: Int64s, measured: Float64s) -> Proposals:
    none = np.zeros(len(known), np.int64)
    return Proposals(
        np.where(known, replicas, UNKNOWN),
        np.where(known, measured, np.nan),
        none,
        none,
    )


def _levels_milli(turn: Turn, group: MetricGroup) -> tuple[Int64s, Bools]:
    """The signal in thousandths, rounded up, and where it is known at all."""
    level = turn.snapshot.signals.get(group.signal)
    if level is None:
        return np.zeros(len(group.slots), np.int64), np.zeros(len(group.slots), np.bool_)
    value = level.value[group.slots]
    known = ~np.isnan(value)
    bounded = np.clip(np.where(known, value, 0.0) * 1000.0, 0.0, 2.0**62)
    return np.ceil(bounded).astype(np.int64), known


def _count_pods(turn: Turn) -> tuple[Int64s, Int64s]:
    """[n] pods Running and Ready, whether or not they are being deleted, and [n] pods that exist."""
    pods, size = turn.snapshot.pods, len(turn.table)
    serving = (pods.phase == Phase.RUNNING) & (pods.ready == Ready.TRUE)
    return count_by_slot(serving, pods.slot, size), count_by_slot(pods.phase != Phase.GONE, pods.slot, size)


def _within(turn: Turn, group: MetricGroup, ratio: Float64s) -> Bools:
    up, down = turn.table.up.tolerance[group.slots], turn.table.down.tolerance[group.slots]
    return (1.0 - down <= ratio) & (ratio <= 1.0 + up)


def _ceil(value: Float64s) -> Int64s:
    """Rounded up and held inside int32, as the replica count of a scale is."""
    return np.ceil(np.clip(np.nan_to_num(value), 0.0, INT32_MAX)).astype(np.int64)


def _no_samples(size: int) -> Samples:
    return Samples(np.zeros(size, np.int64), np.full(size, np.nan), np.full(size, np.nan))
