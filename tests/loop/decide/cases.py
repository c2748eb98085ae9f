"""Worlds in the shape of Kubernetes' own objects, and what the reactive policies answer for them tick by tick.

A world holds what an HPA controller can observe: an `autoscaling/v2` spec, v1 Pods, PodMetrics, custom and external
metric values. It becomes a ScalingPolicy, a PolicyTable and a Snapshot; `run` decides with the policies that stand for
the HPA, before any of Podium's own guards. `at: 0` is 2000-01-02T00:00:00Z.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from podium.clients.kubernetes import objects, selectors
from podium.loop.clusters.kubernetes.reading import Namespace, Seen, observation
from podium.loop.decide import policies, trust
from podium.loop.decide.state import State, empty_state
from podium.loop.decide.table import Guards, PolicyTable
from podium.loop.policy import ScalingPolicy
from podium.loop.tabulate import Policies, tabulate
from podium.model import clock
from podium.model.arrays import UNKNOWN, Float64s
from podium.model.decision import Decisions
from podium.model.fleet import Fleet, Slot
from podium.model.forecast import Forecast
from podium.model.identity import WorkloadKey
from podium.model.quantities import parse_milli
from podium.model.snapshot import Level, Samples, Snapshot

ZERO = clock.parse_rfc3339("2000-01-02T00:00:00Z")
KEY = WorkloadKey.parse("local/shop/deployment.apps/web")
FLEET = Fleet((Slot(KEY),))
HPA = policies.ORDER[: policies.ORDER.index(trust.distrust)]  # what Kubernetes' own controller does
WIDE_OPEN = Guards(reduction_fraction=1.0)

Object = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What can be observed at one moment. `metrics` maps names to values; a name left out is a metric that fails."""

    replicas: int | None = None  # None: as the last tick left it
    status_replicas: int | None = None  # None: the pods that are neither deleted nor over
    pods: Sequence[Object] = ()
    usage: Sequence[Object] = ()  # PodMetrics
    custom: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)  # metric -> pod -> quantity
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)  # metric of an object, or external
    spec: Object | None = None  # replaces the HPA's from here on


def moment(at: float) -> str:
    """Seconds after zero as RFC 3339."""
    return clock.rfc3339(ZERO + at)


def pod(
    name: str,
    *,
    at: float = 0,
    age: float = 3600,
    ready: str | None = "True",
    ready_for: float | None = None,
    phase: str = "Running",
    cpu: str | None = "100m",
    deleted: bool = False,
) -> Object:
    """A v1 Pod as seen at `at`. Its Ready condition changed `ready_for` seconds ago; left out, as it started."""
    since = age if ready_for is None else ready_for
    conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": moment(at - since)}] if ready else []
    return {
        "metadata": {
            "name": name,
            "labels": {"app": "oracle"},
            **({"deletionTimestamp": moment(at)} if deleted else {}),
        },
        "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": cpu} if cpu else {}}}]},
        "status": {"phase": phase, "startTime": moment(at - age), "conditions": conditions},
    }


def used(name: str, *, at: float = 0, window: str = "30s", **usage: str) -> Object:
    """The PodMetrics of one pod."""
    return {
        "metadata": {"name": name, "labels": {"app": "oracle"}},
        "timestamp": moment(at),
        "window": window,
        "containers": [{"name": "app", "usage": usage}],
    }


def pods(count: int, **details: Any) -> list[Object]:
    """`web-0`, `web-1`, ... all alike."""
    return [pod(f"web-{number}", **details) for number in range(count)]


def resource(name: str, **target: Any) -> Object:
    """A Resource metric, as `resource("cpu", averageUtilization=50)`."""
    return {"type": "Resource", "resource": {"name": name, "target": _target(target)}}


def per_pod(name: str, value: str) -> Object:
    """A Pods metric."""
    return {"type": "Pods", "pods": {"metric": {"name": name}, "target": _target({"averageValue": value})}}


def external(name: str, **target: Any) -> Object:
    """An External metric."""
    return {"type": "External", "external": {"metric": {"name": name}, "target": _target(target)}}


def of_object(name: str, **target: Any) -> Object:
    """An Object metric."""
    described = {"apiVersion": "v1", "kind": "Service", "name": "front"}
    return {
        "type": "Object",
        "object": {"describedObject": described, "metric": {"name": name}, "target": _target(target)},
    }


def _target(target: Object) -> Object:
    kinds = {"averageUtilization": "Utilization", "averageValue": "AverageValue", "value": "Value"}
    (name,) = target
    return {"type": kinds[name], **target}


def hpa(*metrics: Object, least: int = 1, most: int = 1000, behavior: Object | None = None) -> Object:
    """The spec of a HorizontalPodAutoscaler."""
    return {
        "minReplicas": least,
        "maxReplicas": most,
        "metrics": list(metrics),
        **({} if behavior is None else {"behavior": behavior}),
    }


def policy(spec: Object) -> ScalingPolicy:
    """The ScalingPolicy that says what an HPA's spec says."""
    document = {
        "apiVersion": "podium.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "mode": "own",
            "replicas": {"min": spec["minReplicas"], "max": spec["maxReplicas"]},
            "metrics": spec["metrics"],
            **({"behavior": spec["behavior"]} if "behavior" in spec else {}),
        },
    }
    return ScalingPolicy.model_validate_json(json.dumps(document))


def table(spec: Object) -> PolicyTable:
    """The policy as arrays of one slot."""
    return tabulate(Policies({KEY: policy(spec)}, WIDE_OPEN), FLEET)


def snapshot(world: World, at: float, replicas: int, written: tuple[int, int] | None = None) -> Snapshot:
    """The world as one turn observes it. `written`: (replicas that the last turn wrote, those they replaced)."""
    seen = Seen(
        replicas=replicas,
        status_replicas=_status_replicas(world),
        resource_version="1",
        epoch=1,
        selector=selectors.parse("app=oracle"),
    )
    there = {item["metadata"]["name"] for item in world.pods} | {item["metadata"]["name"] for item in world.usage}
    # A custom sample of a pod that is gone has a row of its own, as one of its cpu would have.
    strangers = [name for samples in world.custom.values() for name in samples if name not in there]
    usage = [*world.usage, *({**used(name), "containers": []} for name in dict.fromkeys(strangers))]
    space = Namespace(msgspec.convert(world.pods, list[objects.Pod]), msgspec.convert(usage, list[objects.PodMetrics]))
    observed = observation(FLEET, {KEY: seen}, {"shop": space}, {})
    names = [name for _, name in observed.pod_names]
    custom = {metric: _samples(samples, names, ZERO + at) for metric, samples in world.custom.items()}
    after, before = written or (UNKNOWN, UNKNOWN)
    return Snapshot(
        now=ZERO + at,
        sources=("cluster",),
        answered=np.array([True]),
        replicas=observed.replicas,
        status_replicas=observed.status_replicas,
        written=np.array([after], np.int64),
        written_from=np.array([before], np.int64),
        pods=dataclasses.replace(observed.pods, samples=observed.pods.samples | custom),
        signals={name: level(parse_milli(value) / 1000, ZERO + at) for name, value in world.values.items()},
    )


def level(value: float, at: float, source: int = 0) -> Level:
    """A signal of the one slot."""
    return Level(np.array([value]), np.array([at]), np.array([source], np.int32))


def _status_replicas(world: World) -> int:
    if world.status_replicas is not None:
        return world.status_replicas
    over = ("Succeeded", "Failed")
    return sum(
        "deletionTimestamp" not in item["metadata"] and item["status"]["phase"] not in over for item in world.pods
    )


def _samples(values: Mapping[str, str], names: Sequence[str], at: float) -> Samples:
    milli = np.array([parse_milli(values[name]) if name in values else UNKNOWN for name in names], np.int64)
    there = milli != UNKNOWN
    return Samples(milli, np.where(there, at, np.nan), np.where(there, 30.0, np.nan))


def no_forecast(size: int = 1) -> Forecast:
    """Nothing is expected."""
    return Forecast(
        at=ZERO,
        levels=np.array([0.5, 0.99]),
        ahead=np.array([60.0, 300.0]),
        quantiles=np.full((2, 2, size), np.nan, np.float32),
        coverage=np.full(size, np.nan, np.float32),
        trusted=np.zeros(size, np.bool_),
    )


def lead(size: int = 1) -> Float64s:
    """Every workload's pods are ready after a minute."""
    return np.full(size, 60.0)


def decide_once(state: State, seen: Snapshot, rules: PolicyTable) -> tuple[State, Decisions]:
    """One turn of the policies that stand for the HPA."""
    return policies.decide(state, seen, no_forecast(), rules, lead(), order=HPA)


def run(spec: Object, worlds: Mapping[int, World], until: int, every: int = 15) -> dict[int, int]:
    """What is written at which second, reconciling `every` seconds; a world holds until the next one."""
    state, rules = empty_state(1), table(spec)
    replicas, written, writes = 1, None, {}
    world = worlds[0]
    for at in range(0, until + 1, every):
        if at in worlds:
            world = worlds[at]
            rules = table(world.spec) if world.spec else rules
            replicas = replicas if world.replicas is None else world.replicas
        state, decisions = decide_once(state, snapshot(world, at, replicas, written), rules)
        wanted = int(decisions.replicas[0])
        written = None if wanted == replicas else (wanted, replicas)
        if written is not None:
            writes[at] = replicas = wanted
    return writes
