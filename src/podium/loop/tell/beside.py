"""The loop beside a plain HPA: replica-hours, unserved load and money of both, of one workload or of many."""

from __future__ import annotations

import functools

import numpy as np

from podium.loop.prices import price as prices
from podium.loop.prices.price import Price
from podium.loop.shadow import Course, Tally
from podium.loop.tell.figures import Comparison, Cost, Pair
from podium.model.arrays import UNKNOWN, Float64s, Int64s
from podium.model.snapshot import Phase, Pods

MICRO = 1_000_000


class Beside:
    """What one turn's course amounts to."""

    def __init__(self, course: Course, pods: Pods, price: Price | None) -> None:
        self._course = course
        self._pods = pods
        self._price = price

    def of(self, slots: Int64s) -> Comparison | None:
        """The comparison of these workloads together; None when none of them is compared."""
        return self._told([self._sums(slots, np.zeros(len(slots), np.int64), 1)[0]])[0]

    def by(self, slots: Int64s, group: Int64s, groups: int) -> list[Comparison | None]:
        """The comparison of each of `groups` groups: `group[k]` is that of workload `slots[k]`."""
        return self._told(self._sums(slots, group, groups))

    def _sums(self, slots: Int64s, group: Int64s, groups: int) -> list[dict[str, float]]:
        compared = self._course.compared[slots]
        slots, group = slots[compared], group[compared]
        tally: Tally = self._course.tally
        rate = self._rate[slots]
        unknown = (rate == UNKNOWN) & (tally.hours[slots] > 0)
        paid = np.where(rate == UNKNOWN, 0, rate) / MICRO

        def added(values: Float64s) -> Float64s:
            return np.bincount(group, weights=values, minlength=groups).astype(np.float64)

        since = np.full(groups, np.inf)
        np.minimum.at(since, group, tally.since[slots])
        columns = {
            "since": since,
            "unpriced": added(unknown.astype(np.float64)),
            "podium_cost": added(tally.replicas[slots] * paid),
            "hpa_cost": added(tally.hpa_replicas[slots] * paid),
        }
        names = ("hours", "load", "replicas", "unserved", "hpa_replicas", "hpa_unserved")
        columns |= {name: added(getattr(tally, name)[slots]) for name in names}
        return [
            dict(zip(columns, row, strict=True)) for row in zip(*(c.tolist() for c in columns.values()), strict=True)
        ]

    def _told(self, sums: list[dict[str, float]]) -> list[Comparison | None]:
        return [None if not np.isfinite(one["since"]) else self._comparison(one) for one in sums]

    def _comparison(self, one: dict[str, float]) -> Comparison:
        def share(unserved: float) -> float | None:
            return unserved / one["load"] if one["load"] > 0 else None

        cost = None
        if self._price is not None and not one["unpriced"]:
            cost = Cost(podium=one["podium_cost"], hpa=one["hpa_cost"], currency=self._price.currency)
        return Comparison(
            since=one["since"],
            hours=one["hours"],
            replica_hours=Pair(podium=one["replicas"], hpa=one["hpa_replicas"]),
            unserved_fraction=Pair(podium=share(one["unserved"]), hpa=share(one["hpa_unserved"])),
            cost=cost,
        )

    @functools.cached_property
    def _rate(self) -> Int64s:
        """[n] micro-units for a replica and an hour, by what its pods request; UNKNOWN where that is not known."""
        return rates(self._pods, len(self._course), self._price)


def rates(pods: Pods, size: int, price: Price | None) -> Int64s:
    """[n] micro-units for a replica and an hour, by what its pods request; UNKNOWN where that is not known."""
    return prices.hourly(price, _requested(pods, size, "cpu", 1), _requested(pods, size, "memory", 1000))


def _requested(pods: Pods, size: int, resource: str, divisor: int) -> Int64s:
    """[n] what a pod of each workload requests on average, in thousandths over `divisor`; UNKNOWN: nobody says."""
    requests = pods.requests.get(resource)
    if requests is None:
        return np.full(size, UNKNOWN, np.int64)
    there = pods.phase != Phase.GONE
    said = there & (requests >= 0)
    count, silent = (
        np.bincount(pods.slot[said], minlength=size),
        np.bincount(pods.slot[there & ~said], minlength=size),
    )
    total = np.bincount(pods.slot[said], weights=requests[said].astype(np.float64), minlength=size)
    mean = np.rint(total / np.maximum(count, 1) / divisor).astype(np.int64)
    return np.where((count > 0) & (silent == 0), mean, UNKNOWN)
