"""Pods grouped as the HPA groups them: ready, unready, missing, ignored. Source: upstream's `groupPods`."""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.table import Reactive
from podium.model.arrays import Bools
from podium.model.snapshot import Phase, Pods, Ready, Samples


@dataclasses.dataclass(frozen=True, slots=True)
class Groups:
    """A mark per pod. A pod is in one group at most; a sample whose pod is gone is in none, and still counts."""

    listed: Bools  # the pod exists
    measured: Bools  # its sample enters the sum: ready, or gone
    ready: Bools
    unready: Bools
    missing: Bools


def group(pods: Pods, samples: Samples, now: float, settings: Reactive, *, cpu: bool) -> Groups:
    """Sort p pods by one metric. Readiness matters for cpu alone; for other metrics only Pending is unready."""
    listed = pods.phase != Phase.GONE
    ignored = listed & (pods.deleting | (pods.phase == Phase.FAILED))
    live = listed & ~ignored
    pending = live & (pods.phase == Phase.PENDING)
    sampled = ~np.isnan(samples.at)
    missing = live & ~pending & ~sampled
    candidate = live & ~pending & sampled
    unready_for_cpu = candidate & _starting(pods, samples, now, settings) if cpu else np.zeros_like(candidate)
    ready = candidate & ~unready_for_cpu
    return Groups(
        listed=listed,
        measured=ready | (~listed & sampled),
        ready=ready,
        unready=pending | unready_for_cpu,
        missing=missing,
    )


def _starting(pods: Pods, samples: Samples, now: float, settings: Reactive) -> Bools:
    """Pods whose cpu says nothing yet about the load.

    Within the initialization period (5 min) a pod counts once it is ready and its sample covers a whole window since;
    later it is left out only if it has never been ready, which shows in a transition within 30 s of its start.
    """
    false = pods.ready == Ready.FALSE
    no_condition = (pods.ready == Ready.ABSENT) | np.isnan(pods.start)
    with np.errstate(invalid="ignore"):
        young = pods.start + settings.cpu_initialization_period > now
        sample_too_early = samples.at < pods.transition + samples.window
        never_ready = false & (pods.start + settings.initial_readiness_delay > pods.transition)
    unready: Bools = no_condition | np.where(young, false | sample_too_early, never_ready)
    return unready
