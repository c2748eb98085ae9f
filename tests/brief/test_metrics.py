"""Replicas follow what is measured: resources, a load, the brief's metrics of systems and of business."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from tests.brief.stage import Stage, policy, signal, stage
from tests.journeys.afternoon import START

from podium.signals.parameters import PresetLabels, PresetParameters, adapted
from podium.signals.presets import PRESETS

SLOW = {"SCALING_INTERVAL": "30s"}  # half as many turns


@dataclasses.dataclass(frozen=True)
class Case:
    """A series and an HPA v2 metric on it, such that `demand` replicas bring it to its target."""

    name: str
    query: str
    unit: str
    metric: str
    per_replica: float  # the whole value is so much per replica of demand
    shared: bool = False  # the more replicas, the lower it is: a latency, an error rate, a pod's share
    preset: str = ""  # what the Signal names in place of the query

    def documents(self) -> str:
        reduce = "max" if self.shared else "sum"
        measured = signal(self.name, self.query, self.unit, reduce)
        if self.preset:
            named = f"preset: {self.preset}, parameters: {{labels: {{deployment: deployment}}}}"
            measured = measured.replace(f"query: '{self.query}'", named).replace(f"unit: {self.unit}, ", "")
        return measured + policy(rest=f"  metrics:\n    - {self.metric}\n")


def total(name: str, each: str) -> str:
    target = f"{{type: AverageValue, averageValue: {each}}}"
    return f"{{type: External, external: {{metric: {{name: {name}}}, target: {target}}}}}"


def bound(name: str, value: str) -> str:
    return f"{{type: External, external: {{metric: {{name: {name}}}, target: {{type: Value, value: {value}}}}}}}"


def each_pod(name: str, value: str) -> str:
    return f"{{type: Pods, pods: {{metric: {{name: {name}}}, target: {{type: AverageValue, averageValue: {value}}}}}}}"


def of_object(name: str, value: str) -> str:
    described = "{apiVersion: networking.k8s.io/v1, kind: Ingress, name: web}"
    target = f"{{type: Value, value: {value}}}"
    return f"{{type: Object, object: {{describedObject: {described}, metric: {{name: {name}}}, target: {target}}}}}"


HALF = "{type: Utilization, averageUtilization: 50}"

CASES = [
    Case("audio-queue", "sum by (namespace, deployment) (audio_queue_length)", "count", total("audio-queue", "30"), 30),
    Case(
        "inference-latency",
        "histogram_quantile(0.95, sum by (namespace, deployment, le) (rate(inference_seconds_bucket[1m])))",
        "seconds", bound("inference-latency", "250m"), 0.25, shared=True,
    ),
    Case("sessions", "sum by (namespace, deployment) (user_sessions)", "count", total("sessions", "500"), 500),
    Case(
        "api-requests", "sum by (namespace, deployment) (rate(http_requests_total[1m]))",
        "per_second", total("api-requests", "100"), 100,
    ),
    Case(
        "error-rate", "sum by (namespace, deployment) (job:errors:ratio1m)",
        "ratio", bound("error-rate", "20m"), 0.02, shared=True,
    ),
    Case(
        "api-latency",
        "histogram_quantile(0.99, sum by (namespace, deployment, le) (rate(http_request_seconds_bucket[1m])))",
        "seconds", of_object("api-latency", "300m"), 0.3, shared=True,
    ),
]  # fmt: skip


def ready_made(name: str, preset: str, metric: str, per_replica: float, *, shared: bool = False) -> Case:
    """A case whose Signal names a preset, of a metric that carries the Deployment."""
    labels = PresetLabels(deployment="deployment")
    query = adapted(preset, PresetParameters(labels=labels), "shop").promql()
    return Case(name, query, PRESETS[preset].unit, metric, per_replica, shared, preset)


# The brief's business metrics, by their presets.
PRESET_CASES = [
    ready_made("audio", "audio-queue", total("audio", "30"), 30),
    ready_made("inference", "ml-inference-latency", bound("inference", "250m"), 0.25, shared=True),
    ready_made("users", "active-sessions", total("users", "500"), 500),
    ready_made("calls", "api-requests", total("calls", "100"), 100),
    ready_made("errors", "api-error-rate", bound("errors", "20m"), 0.02, shared=True),
]

OF_PODS = [
    Case(
        "network", "sum by (namespace, pod) (rate(container_network_receive_bytes_total[1m]))",
        "per_second", each_pod("network", "5M"), 5e6,
    ),
    Case(
        "disk", "sum by (namespace, pod) (rate(container_fs_writes_bytes_total[1m]))",
        "per_second", each_pod("disk", "2Mi"), 2 * 2**20,
    ),
]  # fmt: skip


def demand(at: float) -> float:
    """Four replicas' worth, from minute 1 to 4 rising to eight, from 6 to 8 falling to six; as restless as real load.

    No value leaps, because a source whose values do is not believed.
    """
    level = np.interp((at - START) / 60, [1, 4, 6, 8], [4.0, 8.0, 8.0, 6.0])
    return float(level) * (1 - 0.01 * abs(math.sin(at)))


async def followed(run: Stage) -> list[int]:
    """Replicas before it rises, after it rose, and when the five minutes of patience after its fall are over."""
    answers = []
    for minutes in (1, 5, 8):
        await run.minutes(minutes)
        answers.append(run.replicas())
    return answers


@pytest.mark.parametrize(
    "case", [*CASES, *PRESET_CASES], ids=lambda case: f"preset-{case.preset}" if case.preset else case.name
)
async def test_replicas_follow_a_series_of_the_workload(case: Case, tmp_path: Path) -> None:
    async with stage(tmp_path, case.documents(), environ=SLOW, interval=30) as run:

        def value() -> dict[str, float]:
            return {"web": case.per_replica * demand(run.pace()) / (run.replicas() if case.shared else 1)}

        run.measured.of_workloads[case.query] = value
        before, risen, fallen = await followed(run)
    # A value that more replicas lower settles within the tolerance of a tenth, not to the replica.
    more = 1 if case.shared else 0
    assert before == 4
    assert 8 <= risen <= 8 + more
    assert 6 <= fallen <= 6 + more


@pytest.mark.parametrize("case", OF_PODS, ids=lambda case: case.name)
async def test_replicas_follow_a_series_of_each_pod(case: Case, tmp_path: Path) -> None:
    async with stage(tmp_path, case.documents(), environ=SLOW, interval=30) as run:

        async def value() -> dict[str, float]:
            pods = await run.ready_pods()
            return {name: case.per_replica * demand(run.pace()) / len(pods) for name in pods}

        run.measured.of_pods[case.query] = value
        assert await followed(run) == [4, 8, 6]


@pytest.mark.parametrize("resource", ["cpu", "memory"])
async def test_replicas_follow_what_pods_use_of_their_requests(resource: str, tmp_path: Path) -> None:
    """A unit of load takes a hundredth of what a pod requests of either; half of it is wanted: 200 units need 4."""
    target = f"{{type: Resource, resource: {{name: {resource}, target: {HALF}}}}}"
    documents = policy(rest=f"  metrics:\n    - {target}\n")
    async with stage(
        tmp_path, documents, load=lambda _key, at: 50.0 * demand(at), environ=SLOW, interval=30
    ) as run:  # fmt: skip
        assert await followed(run) == [4, 8, 6]


async def test_replicas_follow_what_one_container_uses_of_its_own_request(tmp_path: Path) -> None:
    target = f"{{type: ContainerResource, containerResource: {{name: cpu, container: app, target: {HALF}}}}}"
    documents = policy(rest=f"  metrics:\n    - {target}\n")
    async with stage(
        tmp_path, documents, load=lambda _key, at: 50.0 * demand(at), environ=SLOW, interval=30
    ) as run:  # fmt: skip
        assert await followed(run) == [4, 8, 6]


async def test_a_request_rate_moves_replicas_by_how_much_of_it_one_serves(tmp_path: Path) -> None:
    query = "sum by (namespace, deployment) (rate(http_requests_total[1m]))"
    documents = signal("requests", query, "per_second")
    documents += policy(rest="  load: {signal: requests, capacityPerReplica: 85}\n")
    async with stage(tmp_path, documents, environ=SLOW, interval=30) as run:
        run.measured.of_workloads[query] = lambda: {"web": 85.0 * demand(run.pace())}
        assert await followed(run) == [4, 8, 6]


async def test_of_several_metrics_the_highest_proposal_counts(tmp_path: Path) -> None:
    """CPU and the sessions ask for their four throughout; only the queue rises, and alone it decides."""
    queue, sessions = CASES[0], CASES[2]
    cpu = f"{{type: Resource, resource: {{name: cpu, target: {HALF}}}}}"
    rest = f"  metrics:\n    - {queue.metric}\n    - {cpu}\n    - {sessions.metric}\n"
    documents = signal(queue.name, queue.query, queue.unit) + signal(sessions.name, sessions.query, sessions.unit)
    async with stage(
        tmp_path, documents + policy(rest=rest), load=lambda _key, at: 200 - at % 7, environ=SLOW, interval=30
    ) as run:
        run.measured.of_workloads[queue.query] = lambda: {"web": 30.0 * demand(run.pace())}
        run.measured.of_workloads[sessions.query] = lambda: {"web": 2000.0 - run.pace() % 7}
        assert await followed(run) == [4, 8, 6]
        told = [words.partition(":")[0] for words in run.explained().reasons if " asks for " in words]
    assert sorted(told) == ["audio-queue asks for 6", "cpu asks for 4", "sessions asks for 4"]
