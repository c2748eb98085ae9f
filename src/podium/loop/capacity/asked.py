"""Which policies leave the capacity of a replica to be learned, and what tells each of them that a replica is full."""

from __future__ import annotations

import collections
from collections.abc import Sequence

import numpy as np

from podium.loop.decide.table import Bound, Learning
from podium.loop.policy import ScalingPolicySpec
from podium.model.capacity import Basis

CPU_TARGET = 0.8  # of the request: what autoscaling/v2 takes where an HPA has no metrics


def learning(specs: Sequence[ScalingPolicySpec | None]) -> Learning | None:
    """The rows of who learns, of policies by slot; None: no one.

    The CPU tells it by the policy's own target; where no latency, saturation or target is named, at CPU_TARGET.
    """
    rows = [
        (slot, spec)
        for slot, spec in enumerate(specs)
        if spec is not None and spec.load is not None and spec.load.capacity_per_replica is None
    ]
    if not rows:
        return None
    bounds: dict[str, list[tuple[int, float]]] = collections.defaultdict(list)
    cpu = np.full(len(rows), np.nan)
    basis = np.full(len(rows), Basis.CPU, np.int8)
    for row, (_, spec) in enumerate(rows):
        if spec.objective.latency is not None:
            bounds[spec.objective.latency.signal].append((row, spec.objective.latency.below))
            basis[row] = Basis.LATENCY
        saturation = spec.load.saturation if spec.load is not None else None
        if saturation is not None:
            bounds[saturation.signal].append((row, saturation.below))
            basis[row] = Basis.SATURATION
        target = cpu_target(spec)
        cpu[row] = np.nan if target is None else target
    return Learning(
        slots=np.array([slot for slot, _ in rows], np.int32),
        position=np.array([len(spec.metrics) for _, spec in rows], np.int16),
        cpu=cpu,
        bounds=tuple(
            Bound(signal, np.array([row for row, _ in found], np.int64), np.array([below for _, below in found]))
            for signal, found in sorted(bounds.items())
        ),
        bounded=basis != Basis.CPU,
        bound_basis=basis,
    )


def cpu_target(spec: ScalingPolicySpec) -> float | None:
    """CPU of the request at which a replica of this policy is full; None: CPU is not asked."""
    for metric in spec.metrics:
        resource = metric.resource
        if resource is not None and resource.name == "cpu" and metric.target.average_utilization is not None:
            return float(metric.target.average_utilization) / 100.0
    named = spec.objective.latency is not None or (spec.load is not None and spec.load.saturation is not None)
    return None if named else CPU_TARGET
