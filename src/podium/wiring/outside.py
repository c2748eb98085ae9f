"""The outside of an installation: its cluster, its sources and their pace, opened from settings."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from podium.clients.http import shown
from podium.clients.kubernetes.access import Access
from podium.clients.prometheus import PrometheusClient
from podium.clients.remote_read import RemoteReader
from podium.documents.collection import Documents
from podium.documents.problem import Invalid, Problem
from podium.loop.clusters.port import Cluster
from podium.loop.clusters.simulated.simulation import Simulation, set_in_motion
from podium.loop.clusters.simulated.surroundings import SimulatedSurroundings
from podium.loop.modes.surroundings import Surroundings
from podium.loop.pace import Pace, WallPace
from podium.loop.policy import ScalingPolicy
from podium.loop.settings import ClusterSettings
from podium.settings import Loaded
from podium.signals.prometheus import PrometheusSource
from podium.signals.push.source import MOST_SERIES, PushSource
from podium.signals.replay import ReplaySource, Track, read_series
from podium.signals.settings import SourceSettings
from podium.signals.signal import Signal
from podium.signals.source import Source, Subject

if TYPE_CHECKING:
    from podium.clients.kubernetes.client import Client
    from podium.loop.clusters.kubernetes.aggregator import Aggregator
    from podium.loop.clusters.kubernetes.events import Events

PAST_SECONDS = 30.0  # longest wait for a piece of history, which no turn waits for
KNOCK_SECONDS = 5.0  # a server that is slower is taken for silent, which stops nothing
log = structlog.get_logger()


@dataclasses.dataclass
class World:
    """The outside: a cluster, its pace, the sources, and how much past they can tell."""

    cluster: Cluster
    pace: Pace
    sources: dict[str, Source]
    where: dict[str, tuple[str, str]]  # source -> (kind, URL or file)
    simulated: bool
    history_seconds: float
    surroundings: Surroundings | None = None  # of the cluster; None: nothing is known of them
    events: Events | None = None  # where what happened is told in the cluster; None: nowhere


@contextlib.asynccontextmanager
async def world(loaded: Loaded, documents: Documents, state: Path) -> AsyncIterator[World]:
    """Everything outside, opened and closed again. `state` is where a simulated cluster keeps its own."""
    (cluster,) = loaded.value.clusters
    built = _simulated(loaded, documents, state) if cluster.kind == "simulated" else _kubernetes(loaded, documents)
    try:
        yield built
    finally:
        for source in built.sources.values():
            await source.close()
        if built.events is not None:
            await built.events.close()
        await built.cluster.close()


def metrics_source(cluster: ClusterSettings) -> str:
    """The source that asks a cluster's custom and external metrics APIs; "" where there are none."""
    return f"{cluster.name}/metrics" if cluster.kind == "kubernetes" else ""


def _simulated(loaded: Loaded, documents: Documents, state: Path) -> World:
    (cluster,) = loaded.value.clusters
    scenario = cluster.simulation.scenario
    if scenario is None:
        raise Invalid([Problem("settings", 0, 0, "clusters[0].simulation.scenario", "a scenario file", "nothing")])
    speed, file = cluster.simulation.speed, state / f"simulated-{cluster.name}.db"
    simulation = set_in_motion(cluster.name, scenario, speed=speed, world=file)
    sources = {source.name: source for source in sources_of(loaded, documents, simulation)}
    where = _where(loaded) | {cluster.name: ("cluster", f"simulated, {scenario}")}
    past = simulation.clock() - simulation.history_start
    around = SimulatedSurroundings(simulation.cluster)
    return World(
        simulation.cluster, simulation.clock, sources, where, simulated=True, history_seconds=past, surroundings=around
    )


def _kubernetes(loaded: Loaded, documents: Documents) -> World:
    from podium.clients.kubernetes.client import Client
    from podium.loop.clusters.kubernetes.cluster import KubernetesCluster
    from podium.loop.clusters.kubernetes.events import Events
    from podium.loop.clusters.kubernetes.surroundings import KubernetesSurroundings
    from podium.signals.metrics_api import MetricsApiSource

    (cluster,) = loaded.value.clusters
    access = access_to(cluster)
    sources = {source.name: source for source in sources_of(loaded, documents, None)}
    metrics = MetricsApiSource(metrics_source(cluster), Client(access, environment=os.environ))
    sources[metrics.name] = metrics
    where = _where(loaded) | dict.fromkeys((metrics.name, cluster.name), ("cluster", shown(access.server)))
    client = Client(access, environment=os.environ)
    reached, around = KubernetesCluster(cluster.name, client), KubernetesSurroundings(cluster.name, client)
    events = Events(Client(access, environment=os.environ), loaded.value.documents.namespaces)
    past = loaded.value.loop.history
    return World(
        reached, WallPace(), sources, where, simulated=False, history_seconds=past, surroundings=around, events=events
    )


async def knock(loaded: Loaded, documents: Documents) -> None:
    """Ask a Kubernetes cluster whether it knows us and lets us do what the policies need, before anything is opened.

    Raises what it answers for good: an unusable kubeconfig, a wrong token, every right that is missing. Its silence
    is no mistake of ours.
    """
    from podium.clients.kubernetes import errors
    from podium.clients.kubernetes.client import Client

    for cluster in loaded.value.clusters:
        if cluster.kind == "kubernetes":
            client = Client(access_to(cluster), timeout_seconds=KNOCK_SECONDS)
            try:
                await client.get_path("/version", dict[str, Any])
                await _rights(client, loaded, cluster.name, documents)
            except errors.Temporary as error:
                log.warning("the cluster does not answer yet; nothing is scaled until it does", reason=str(error))
            except (errors.Forbidden, errors.Missing):
                pass  # it knows us, and will not say more; what is forbidden is said of each workload
            finally:
                await client.close()


async def _rights(client: Client, loaded: Loaded, cluster: str, documents: Documents) -> None:
    from podium.clients.kubernetes import errors
    from podium.clients.kubernetes.discovery import Discovery
    from podium.loop.clusters.kubernetes import rights

    policies, most = documents.of(ScalingPolicy), loaded.value.loop.mode
    if lacking := await rights.missing(client, Discovery(client), policies, cluster, most):
        server = shown(client.access.server)
        listed = "".join(f"\n  {words}" for words in lacking) if len(lacking) > 1 else f" {lacking[0]}"
        raise errors.Permanent(
            f"{server}:{listed}\nbind a role with it to whoever runs Podium; podium doctor asks again"
        )


async def aggregator(loaded: Loaded) -> Aggregator | str:
    """Who passes on what HPAs ask of us, as the cluster has it; or why that cannot be known now."""
    from podium.clients.kubernetes import errors
    from podium.clients.kubernetes.client import Client
    from podium.loop.clusters.kubernetes import aggregator

    cluster = loaded.value.clusters[0]
    if cluster.kind != "kubernetes":
        return "the cluster is simulated: only Podium's token is let in"
    try:
        client = Client(access_to(cluster), environment=os.environ, timeout_seconds=KNOCK_SECONDS)
    except (errors.Temporary, errors.Permanent) as error:
        return str(error)
    try:
        return await aggregator.read(client)
    finally:
        await client.close()


def access_to(cluster: ClusterSettings) -> Access:
    """How to reach a cluster: the kubeconfig named, else the pod's service account, else the user's kubeconfig."""
    from podium.clients.kubernetes import access, kubeconfig

    if cluster.kubeconfig is not None:
        return kubeconfig.load([cluster.kubeconfig], cluster.context)
    if "KUBERNETES_SERVICE_HOST" in os.environ and cluster.context is None:
        return access.in_cluster(os.environ)
    named = [Path(one) for one in os.environ.get("KUBECONFIG", "").split(os.pathsep) if one]
    return kubeconfig.load(named or [Path.home() / ".kube" / "config"], cluster.context)


def _where(loaded: Loaded) -> dict[str, tuple[str, str]]:
    return {
        one.name: (one.kind, shown(one.url) if one.url else "/ingest" if one.kind == "push" else str(one.path or ""))
        for one in loaded.value.sources
    }


def sources_of(loaded: Loaded, documents: Documents, simulation: Simulation | None) -> list[Source]:
    """The sources of the settings, not yet asked; those of clusters come with their cluster."""
    out: list[Source] = []
    for source in loaded.value.sources:
        if source.kind == "prometheus" and source.url is not None:
            bearer = loaded.reveal(source.bearer) if source.bearer else ""
            client = PrometheusClient(source.url, timeout_seconds=source.timeout, bearer=bearer)
            reader = RemoteReader(source.url, timeout_seconds=max(source.timeout, PAST_SECONDS), bearer=bearer)
            out.append(PrometheusSource(source.name, client, reader=reader))
        elif source.kind == "replay" and source.path is not None:
            if simulation is not None and source.path.suffix in (".yaml", ".yml"):
                out.append(ReplaySource(source.name, simulation.load.tracks))  # the scenario's own recordings
            else:
                out.append(_file_source(source, source.path, documents))
        elif source.kind == "push":
            out.append(PushSource(source.name, source.series or MOST_SERIES))
    return out


def pushed(sources: Mapping[str, Source]) -> dict[str, PushSource]:
    """Those that are told."""
    return {name: source for name, source in sources.items() if isinstance(source, PushSource)}


def senders(loaded: Loaded) -> dict[str, str]:
    """Source -> the token that opens it alone. Raises secret.Unreadable."""
    told = [one for one in loaded.value.sources if one.kind == "push" and one.bearer is not None]
    return {one.name: loaded.reveal(one.bearer or "") for one in told}


def _file_source(source: SourceSettings, path: Path, documents: Documents) -> ReplaySource:
    """A recording in which each column is the load of the workloads whose policies name its Signal."""
    columns = {
        (signal.namespace, signal.metadata.name): signal.spec.replay.column
        for signal in documents.of(Signal)
        if signal.spec.replay is not None and signal.spec.replay.source in (None, source.name)
    }
    wanted = [
        (columns[policy.namespace, policy.spec.load.signal], policy.workload(""))
        for policy in documents.of(ScalingPolicy)
        if policy.spec.load is not None and (policy.namespace, policy.spec.load.signal) in columns
    ]

    def load() -> list[Track]:
        series = read_series(path, sorted({column for column, _ in wanted}))
        return [
            Track(query=column, subject=Subject(key.namespace, key.kind, key.name), series=series[column])
            for column, key in wanted
        ]

    return ReplaySource(source.name, load)
