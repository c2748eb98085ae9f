"""What simulated workloads and nodes are like, as plain numbers: cores, bytes, seconds."""

from __future__ import annotations

import dataclasses

from podium.model.identity import WorkloadKey


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """How long a container takes from its start to Ready, and how starts go wrong.

    With a spread of 0 the delay is always `median`. `lognormal`: exp(N(ln median, spread)), the long tail of real
    starts; `uniform`: median x (1 - spread) to median x (1 + spread).
    """

    distribution: str = "lognormal"
    median: float = 30.0  # seconds
    spread: float = 0.25
    pull: float = 3.0  # seconds to fetch the image, before the container runs
    pull_failures: float = 0.0  # probability that one attempt to pull fails
    crashes: float = 0.0  # probability that one start ends in a crash instead of Ready
    burst_cores: float = 0.0  # CPU used while starting, on top of what load costs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What serving costs a pod: cores and bytes at rest, and per unit of load on that pod."""

    idle_cores: float = 0.005
    cores_per_load: float = 0.0
    idle_bytes: float = 64 * 2**20
    bytes_per_load: float = 0.0
    noise: float = 0.0  # CPU samples lie within this share of the truth: real ones are never twice the same


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """CPU in cores, memory in bytes; None where the container states nothing."""

    cores: float | None = None
    bytes: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadShape:
    """One simulated workload: how many replicas it has before anybody writes, and how its pods behave."""

    key: WorkloadKey
    replicas: int = 1
    startup: Startup = Startup()
    usage: Usage = Usage()
    requests: Resources = Resources()
    limits: Resources = Resources()
    termination: float = 5.0  # seconds from deletion until the pod is gone


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeShape:
    """`count` nodes with this much for pods to request."""

    count: int
    cores: float
    bytes: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorldShape:
    """Everything a simulated cluster starts from. Without nodes there is always room."""

    workloads: tuple[WorkloadShape, ...] = ()
    nodes: tuple[NodeShape, ...] = ()
    seed: int = 0
