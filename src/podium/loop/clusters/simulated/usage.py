"""What pods use, as a metrics server would tell it: late, in a window, and silent about pods that just started."""

from __future__ import annotations

import numpy as np

from podium.loop.clusters.simulated.chance import wobble
from podium.loop.clusters.simulated.shape import Resources, WorldShape
from podium.loop.clusters.simulated.world import World
from podium.model.arrays import Float64s
from podium.model.snapshot import Samples

RESOLUTION = 15.0  # seconds between two samples of a pod: metrics-server's --metric-resolution
LAG = 15.0  # seconds from a sample until it is served: the kubelet's cache and the scrape


def sample_time(now: float) -> float:
    """The moment of the newest samples served at `now`: 15 to 30 s old."""
    return float(np.floor((now - LAG) / RESOLUTION) * RESOLUTION)


class UsageModel:
    """Cores and bytes of every pod from the load of its workload; columns are built once for a shape."""

    def __init__(self, shape: WorldShape) -> None:
        usages = [workload.usage for workload in shape.workloads]
        limits = [workload.limits for workload in shape.workloads]
        self._idle = np.array([[usage.idle_cores, usage.idle_bytes] for usage in usages]).reshape(-1, 2)
        self._per_load = np.array([[usage.cores_per_load, usage.bytes_per_load] for usage in usages]).reshape(-1, 2)
        self._limit = np.array([_pair(limit) for limit in limits]).reshape(-1, 2)
        self._noise = np.array([usage.noise for usage in usages])
        self._seed = shape.seed
        self._burst = np.array([workload.startup.burst_cores for workload in shape.workloads])

    def samples(self, world: World, at: float, loads: Float64s) -> dict[str, Samples]:
        """Samples per pod row at `at` (see `sample_time`); `loads` per workload, NaN: nothing is known of its pods."""
        pods = world.pods
        serving = (pods.ready <= at) & (pods.deleted > at)
        share = np.zeros(len(pods))
        with np.errstate(divide="ignore", invalid="ignore"):  # nobody serves: the quotient is not used by any pod
            per_pod = loads / world.per_workload(serving)
        share[serving] = per_pod[pods.workload[serving]]
        # A rate needs two readings of the pod's counters, one window apart.
        seen = (pods.running <= at - RESOLUTION) & (pods.gone > at) & ~np.isnan(loads)[pods.workload]
        starting = seen & (pods.ready > at) & (pods.deleted > at)
        out = {}
        for number, resource in enumerate(("cpu", "memory")):
            value = self._idle[pods.workload, number] + share * self._per_load[pods.workload, number]
            if resource == "cpu":
                value += np.where(starting, self._burst[pods.workload], 0.0)
                value *= 1.0 + self._noise[pods.workload] * wobble(self._seed, pods.serial, round(at / RESOLUTION))
            value = np.minimum(value, self._limit[pods.workload, number])
            out[resource] = Samples(
                milli=np.round(np.where(seen, value, 0.0) * 1000).astype(np.int64),
                at=np.where(seen, at, np.nan),
                window=np.full(len(pods), RESOLUTION),
            )
        return out


def _pair(limit: Resources) -> tuple[float, float]:
    return (
        np.inf if limit.cores is None else limit.cores,
        np.inf if limit.bytes is None else limit.bytes,
    )
