"""The loop's port on a real API server: what is special there. What every cluster does is in tests/ports."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from podium.clients.kubernetes import kubeconfig
from podium.clients.kubernetes.access import User
from podium.clients.kubernetes.client import Client
from podium.loop.clusters.kubernetes.cluster import KubernetesCluster
from podium.loop.clusters.port import Observation, Permanent, StaleLeader, Temporary
from podium.model.arrays import UNKNOWN
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Phase, Ready
from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

Connect = Callable[..., KubernetesCluster]


@pytest.fixture
async def connect(control_plane: ControlPlane) -> AsyncIterator[Connect]:
    made: list[KubernetesCluster] = []

    def cluster(token: str = "", timeout_seconds: float = 10.0) -> KubernetesCluster:
        access = kubeconfig.load([control_plane.kubeconfig])
        access = dataclasses.replace(access, user=User(token=token)) if token else access
        made.append(KubernetesCluster("local", Client(access, timeout_seconds=timeout_seconds)))
        return made[-1]

    yield cluster
    for one in made:
        await one.close()


def apply(control_plane: ControlPlane, *documents: dict[str, Any]) -> None:
    together = {"apiVersion": "v1", "kind": "List", "items": documents}
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(together))


def workload(namespace: str, name: str, replicas: int, kind: str = "Deployment", **annotations: str) -> dict[str, Any]:
    labels = {"app": name}
    requests = {"cpu": "100m", "memory": "1Gi"}
    sidecar = {"name": "proxy", "image": "none", "restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}}
    spec = {
        "containers": [{"name": "main", "image": "none", "resources": {"requests": requests}}],
        "initContainers": [sidecar],
    }
    template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def key_of(namespace: str, name: str, kind: str = "deployment", group: str = "apps") -> WorkloadKey:
    return WorkloadKey("local", namespace, kind, group, name)


def fleet_of(*keys: WorkloadKey) -> Fleet:
    return Fleet().revised(dict.fromkeys(keys, "someone"))


def command(key: WorkloadKey, seen: Observation, replicas: int, epoch: int = 0) -> Scale:
    return Scale(
        slot=0,
        key=key,
        current=int(seen.replicas[0]),
        replicas=replicas,
        resource_version=seen.resource_versions[0],
        epoch=epoch,
    )


async def observed(cluster: KubernetesCluster, fleet: Fleet, done: Callable[[Observation], Any]) -> Observation:
    deadline = time.monotonic() + 30
    while not done(seen := await cluster.observe(fleet)):
        assert time.monotonic() < deadline, seen
        await asyncio.sleep(0.2)
    return seen


async def audited(control_plane: ControlPlane, key: WorkloadKey, count: int) -> list[tuple[str, int, int]]:
    """(verb, HTTP status, replicas asked for) of each write to the scale of a workload."""
    deadline = time.monotonic() + 10
    while True:
        events = [
            (event["verb"], event["responseStatus"]["code"], event["requestObject"]["spec"]["replicas"])
            for event in control_plane.audit()
            if event["objectRef"].get("subresource") == "scale" and event["objectRef"]["namespace"] == key.namespace
        ]
        if len(events) >= count or time.monotonic() > deadline:
            return events
        await asyncio.sleep(0.1)


async def test_a_stale_leaders_write_is_refused_by_the_api_server(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    key = key_of(namespace, "web")
    apply(control_plane, workload(namespace, "web", 2))
    old, new, fleet = connect(), connect(), fleet_of(key)
    await observed(old, fleet, lambda seen: seen.ready[0] == 2)
    await old.claim([key], 1)
    seen_by_old = await old.observe(fleet)
    await new.claim([key], 2)
    with pytest.raises(StaleLeader, match="web is claimed by epoch 2, later than 1"):
        await old.scale(command(key, seen_by_old, 1, epoch=1))
    await new.scale(command(key, await new.observe(fleet), 3, epoch=2))
    assert await audited(control_plane, key, 2) == [("update", 409, 1), ("update", 200, 3)]


async def test_a_stale_leader_that_looks_again_is_refused_too(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    key = key_of(namespace, "web")
    apply(control_plane, workload(namespace, "web", 2))
    old, new, fleet = connect(), connect(), fleet_of(key)
    await new.claim([key], 2)
    with pytest.raises(StaleLeader):
        await old.scale(command(key, await old.observe(fleet), 1, epoch=1))
    with pytest.raises(StaleLeader):  # nor with what another has read
        await connect().scale(command(key, await old.observe(fleet), 1, epoch=1))
    assert (await old.observe(fleet)).replicas.tolist() == [2]


async def test_requests_count_sidecars_and_are_unknown_where_one_has_none(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    apply(control_plane, workload(namespace, "web", 1))
    seen = await observed(connect(), fleet_of(key_of(namespace, "web")), lambda seen: seen.ready[0] == 1)
    requests = {name: values.tolist() for name, values in seen.pods.requests.items()}
    assert requests == {"cpu": [150], "memory": [UNKNOWN]}


async def test_a_pod_that_fails_to_start_is_running_and_not_ready(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    failing = {"testbed.podium.dev/start": "fail", "testbed.podium.dev/ready-after": "1ms"}
    apply(control_plane, workload(namespace, "web", 2, **failing))
    fleet = fleet_of(key_of(namespace, "web"))
    seen = await observed(connect(), fleet, lambda seen: seen.pods.phase.tolist() == [Phase.RUNNING] * 2)
    assert (seen.pods.ready.tolist(), seen.ready.tolist()) == ([Ready.FALSE] * 2, [0])


async def test_many_workloads_of_a_namespace_are_read_like_few(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    names = [f"web{number}" for number in range(6)]
    apply(control_plane, *(workload(namespace, name, number) for number, name in enumerate(names)))
    cluster, many = connect(), fleet_of(*(key_of(namespace, name) for name in [*names, "gone"]))
    await cluster.claim([key_of(namespace, "web3")], 7)
    seen = await observed(cluster, many, lambda seen: seen.ready.tolist() == [UNKNOWN, 0, 1, 2, 3, 4, 5])
    assert (seen.replicas.tolist(), seen.epochs.tolist()) == ([UNKNOWN, 0, 1, 2, 3, 4, 5], [0, 0, 0, 0, 7, 0, 0])
    assert list(seen.troubles) == [key_of(namespace, "gone")]
    few = await cluster.observe(fleet_of(key_of(namespace, "web3")))  # of another fleet, from the same watch
    assert (few.replicas[0], few.ready[0], few.epochs[0], few.resource_versions[0]) == (
        seen.replicas[4],
        seen.ready[4],
        seen.epochs[4],
        seen.resource_versions[4],
    )


async def test_a_stateful_set_is_a_workload_too(control_plane: ControlPlane, connect: Connect, namespace: str) -> None:
    key = key_of(namespace, "db", "statefulset")
    apply(control_plane, workload(namespace, "db", 1, "StatefulSet"))
    cluster, fleet = connect(), fleet_of(key)
    seen = await observed(cluster, fleet, lambda seen: seen.ready[0] == 1)
    await cluster.scale(command(key, seen, 2))
    await observed(cluster, fleet, lambda seen: seen.ready[0] == 2)


async def test_a_custom_kind_with_a_scale_is_a_workload_too(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size", "labelSelectorPath": ".status.of"}
    define(control_plane, "Fleet", "fleets", "ports.example", {"scale": scale})
    boats = {"apiVersion": "ports.example/v1", "kind": "Fleet", "metadata": {"name": "boats", "namespace": namespace}}
    apply(control_plane, boats | {"spec": {"size": 4}, "status": {"size": 3, "of": "app=boat"}})
    key = key_of(namespace, "boats", "fleet", "ports.example")
    cluster, fleet = connect(), fleet_of(key)
    await cluster.claim([key], 5)
    seen = await cluster.observe(fleet)
    assert (seen.replicas.tolist(), seen.status_replicas.tolist(), seen.epochs.tolist()) == ([4], [3], [5])
    await cluster.scale(command(key, seen, 9, epoch=5))
    assert (await cluster.observe(fleet)).replicas.tolist() == [9]
    control_plane.kubectl("-n", namespace, "patch", "fleets.ports.example", "boats", "--type=merge", "-p", SMALLER)
    moved = await observed(cluster, fleet, lambda seen: seen.replicas[0] == 2)
    assert (moved.epochs.tolist(), moved.troubles) == ([5], {})


async def test_a_kind_that_nobody_serves_is_the_workloads_own_trouble(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    apply(control_plane, workload(namespace, "web", 1))
    web, ship, config = (
        key_of(namespace, "web"),
        key_of(namespace, "x", "ship"),
        key_of(namespace, "x", "configmap", ""),
    )
    seen = await connect().observe(fleet_of(web, ship, config))
    assert set(seen.troubles) == {ship, config}
    assert "there is no kind ship in group apps" in seen.troubles[ship]
    assert "configmaps have no scale subresource" in seen.troubles[config]


async def test_pod_metrics_are_samples_where_they_are_served(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    apply(control_plane, workload(namespace, "web", 2))
    cluster, fleet = connect(), fleet_of(key_of(namespace, "web"))
    before = await observed(cluster, fleet, lambda seen: seen.ready[0] == 2)
    define(control_plane, "PodMetrics", "pods", "metrics.k8s.io", {}, version="v1beta1")
    apply(
        control_plane, metrics(namespace, before.pod_names[0][1], "250m", "1.5Gi"), metrics(namespace, "past", "1", "2")
    )
    cluster = connect()  # the first one knows that nobody serves metrics, for half a minute
    cluster.containers = frozenset({"cpu@proxy", "cpu@main", "memory@main", "cpu@nobody"})
    seen = await cluster.observe(fleet)
    control_plane.kubectl("delete", "crd", "pods.metrics.k8s.io")
    measured = dict(zip([name for _, name in seen.pod_names], seen.pods.samples["cpu"].milli.tolist(), strict=True))
    assert measured == {before.pod_names[0][1]: 350, before.pod_names[1][1]: UNKNOWN, "past": 1100}
    assert (before.pods.samples, seen.pods.phase.tolist().count(Phase.GONE)) == ({}, 1)
    assert seen.pods.samples["memory"].milli.tolist().count(UNKNOWN) == 3  # the sidecar's is not known
    assert set(seen.pods.samples["cpu"].window.tolist()) >= {15.0}
    first, past = (
        {one: samples.milli.tolist()[row] for one, samples in seen.pods.samples.items() if "@" in one}
        for row in ([name for _, name in seen.pod_names].index(wanted) for wanted in (before.pod_names[0][1], "past"))
    )
    assert first == {"cpu@main": 250, "cpu@nobody": UNKNOWN, "cpu@proxy": 100, "memory@main": 1536 * 2**20 * 1000}
    assert past == {"cpu@main": 1000, "cpu@nobody": UNKNOWN, "cpu@proxy": 100, "memory@main": 2000}


async def test_a_missing_right_is_named(control_plane: ControlPlane, connect: Connect, namespace: str) -> None:
    apply(control_plane, workload(namespace, "web", 1), *reader(namespace))
    cluster = connect(control_plane.kubectl("create", "token", "reader", "-n", namespace).strip())
    key = key_of(namespace, "web")
    seen = await cluster.observe(fleet_of(key))
    assert (seen.replicas.tolist(), seen.ready.tolist()) == ([1], [UNKNOWN])
    assert f"the right to watch pods in namespace {namespace} is missing" in seen.troubles[key]
    with pytest.raises(
        Permanent, match=f"the right to update deployments/scale.apps in namespace {namespace} is missing"
    ):
        await cluster.scale(command(key, seen, 3))
    with pytest.raises(Permanent, match=f"the right to patch deployments.apps in namespace {namespace} is missing"):
        await cluster.claim([key], 1)


async def test_an_unknown_token_is_permanent(connect: Connect, namespace: str) -> None:
    with pytest.raises(Permanent, match="HTTP 401"):
        await connect("wrong").observe(fleet_of(key_of(namespace, "web")))


async def test_a_claim_that_is_no_number_is_named(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    apply(control_plane, workload(namespace, "web", 1))
    control_plane.kubectl("annotate", "deployment", "web", "-n", namespace, "podium.dev/epoch=soon")
    key = key_of(namespace, "web")
    seen = await connect().observe(fleet_of(key))
    assert (seen.replicas.tolist(), "its annotation podium.dev/epoch is 'soon'" in seen.troubles[key]) == (
        [UNKNOWN],
        True,
    )


async def test_a_killed_api_server_is_temporary_until_it_is_back(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    apply(control_plane, workload(namespace, "web", 2))
    cluster, fleet = connect(), fleet_of(key_of(namespace, "web"))
    seen = await observed(cluster, fleet, lambda seen: seen.ready[0] == 2)
    control_plane.kill("kube-apiserver")
    try:
        with pytest.raises(Temporary, match="connection refused"):
            await cluster.observe(fleet)
        with pytest.raises(Temporary):
            await cluster.scale(command(key_of(namespace, "web"), seen, 3))
    finally:
        control_plane.restart("kube-apiserver")
    assert (await observed(cluster, fleet, lambda seen: seen.ready[0] == 2)).troubles == {}


async def test_a_frozen_api_server_is_temporary_in_time(
    control_plane: ControlPlane, connect: Connect, namespace: str
) -> None:
    cluster, fleet = connect(timeout_seconds=1.0), fleet_of(*(key_of(namespace, f"web{n}") for n in range(3)))
    control_plane.freeze("kube-apiserver")
    begun = time.monotonic()
    try:
        with pytest.raises(Temporary, match="no answer within 1 s"):
            await cluster.observe(fleet)
    finally:
        control_plane.thaw("kube-apiserver")
    assert time.monotonic() - begun < 10


SMALLER = '{"spec": {"size": 2}}'


def define(
    control_plane: ControlPlane, kind: str, plural: str, group: str, subresources: dict[str, Any], version: str = "v1"
) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    one = {"name": version, "served": True, "storage": True, "schema": schema, "subresources": subresources}
    names = {"kind": kind, "plural": plural, "singular": kind.lower()}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a test plays metrics-server"},
        },
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [one]},
    }
    apply(control_plane, definition)
    control_plane.kubectl("wait", "--for=condition=Established", f"crd/{plural}.{group}", "--timeout=30s")


def metrics(namespace: str, pod: str, cpu: str, memory: str) -> dict[str, Any]:
    containers = [
        {"name": "main", "usage": {"cpu": cpu, "memory": memory}},
        {"name": "proxy", "usage": {"cpu": "100m"}},
    ]
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": {"name": pod, "namespace": namespace, "labels": {"app": "web"}},
        "timestamp": "2026-11-21T12:00:00Z",
        "window": "15s",
        "containers": containers,
    }


READ = ["get", "list", "watch"]


def reader(namespace: str) -> list[dict[str, Any]]:
    """A service account that may read deployments and their scales, and nothing else."""
    rules = [{"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"], "verbs": READ}]
    metadata = {"name": "reader", "namespace": namespace}
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "subjects": [subject],
            "roleRef": role,
        },
    ]
