"""The documents of a synthetic fleet: n Deployments, each with a policy that uses everything the loop can do."""

from __future__ import annotations

from collections.abc import Iterator

from podium.documents.collection import Documents
from podium.documents.document import Document
from podium.documents.loading import loads
from podium.kinds import KINDS
from podium.loop.binding import bind
from podium.loop.cycle import Assignment
from podium.loop.decide.table import Guards, Reactive
from podium.loop.policy import ScalingPolicy
from podium.loop.tabulate import Limits
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

CLUSTER, SOURCE = "memory", "prom"
LOAD, QUEUE = "requests_per_second", "queue_length"
PER_NAMESPACE = 100  # workloads: a large tenant's
CAPACITY = 85.0  # requests/s of a replica

POLICY = """\
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: web, namespace: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  mode: own
  replicas: {min: 1, max: 100}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
    - type: External
      external: {metric: {name: queue_length}, target: {type: AverageValue, averageValue: "30"}}
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 0
      policies: [{type: Percent, value: 100, periodSeconds: 60}, {type: Pods, value: 4, periodSeconds: 60}]
    scaleDown:
      stabilizationWindowSeconds: 300
      policies: [{type: Percent, value: 20, periodSeconds: 60}]
  load: {signal: requests_per_second, capacityPerReplica: 85}
  objective: {unservedFraction: 0.005}
  schedule:
    - {cron: "0 8 * * 1-5", timeZone: Europe/Berlin, duration: 10h, minReplicas: 2}
  rules:
    - when: "queue_length > 500.0 && requests_per_second > 100.0"
      then: {minReplicas: 3}
"""
SIGNAL = """\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {{name: {name}, namespace: shop}}
spec:
  unit: {unit}
  prometheus: {{source: prom, query: {name}}}
"""


def name_of(number: int) -> tuple[str, str]:
    """(namespace, name) of a workload."""
    return f"tenant-{number // PER_NAMESPACE:05d}", f"web-{number % PER_NAMESPACE:02d}"


def policies(count: int) -> Iterator[ScalingPolicy]:
    """A policy a workload, as if each had been read from a document of its own."""
    (pattern,) = loads(POLICY.encode(), "policy.yaml", KINDS)
    assert isinstance(pattern, ScalingPolicy)
    for number in range(count):
        namespace, name = name_of(number)
        target = pattern.spec.target_ref.model_copy(update={"name": name})
        spec = pattern.spec.model_copy(update={"target_ref": target})
        metadata = pattern.metadata.model_copy(update={"name": name, "namespace": namespace})
        yield pattern.model_copy(update={"metadata": metadata, "spec": spec})


def signals(count: int) -> Iterator[Document]:
    """Two signals a namespace; the third, cpu, comes from the cluster."""
    text = [SIGNAL.format(name=LOAD, unit="per_second"), SIGNAL.format(name=QUEUE, unit="count")]
    patterns = [document for one in text for document in loads(one.encode(), "signal.yaml", KINDS)]
    for start in range(0, count, PER_NAMESPACE):
        namespace, _ = name_of(start)
        for pattern in patterns:
            metadata = pattern.metadata.model_copy(update={"namespace": namespace})
            yield pattern.model_copy(update={"metadata": metadata})


def assignment(count: int) -> Assignment:
    """What the loop is asked to do."""
    return bind(
        Documents((*signals(count), *policies(count))),
        CLUSTER,
        Fleet(),
        source_of=lambda _kind, name: name or SOURCE,
        tenant_of=tenant_of,
        guards=Guards(),
        reactive=Reactive(),
        limits=Limits(),
    )


def tenant_of(key: WorkloadKey) -> str:
    """A namespace is a tenant."""
    return key.namespace
