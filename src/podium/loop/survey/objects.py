"""The fields of a cluster's objects that a survey reads, beyond those that the loop needs."""

from __future__ import annotations

import datetime

import msgspec

from podium.clients.kubernetes import objects
from podium.clients.kubernetes.objects import LabelSelector, Struct
from podium.loop.evaluate import autoscaler

Quantity = str | int | float


class Owner(Struct, frozen=True):
    """metav1.OwnerReference."""

    kind: str = ""
    name: str = ""
    controller: bool = False


class Metadata(Struct, frozen=True):
    """metav1.ObjectMeta, as far as it says whose an object is."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None
    owner_references: list[Owner] | None = None
    deletion_timestamp: datetime.datetime | None = None


class Resources(Struct, frozen=True):
    """Requests and limits as quantities, by resource."""

    requests: dict[str, Quantity] | None = None
    limits: dict[str, Quantity] | None = None


class Container(Struct, frozen=True):
    """One container of a pod; a sidecar is an init container with restartPolicy Always."""

    name: str = ""
    restart_policy: str = ""
    resources: Resources = Resources()


class PodSpec(Struct, frozen=True):
    """What a pod asks for."""

    containers: list[Container] = msgspec.field(default_factory=list)
    init_containers: list[Container] | None = None

    @property
    def counted(self) -> list[Container]:
        """The containers and the sidecars."""
        return [*self.containers, *(one for one in self.init_containers or () if one.restart_policy == "Always")]


class Terminated(Struct, frozen=True):
    """How a container ended."""

    reason: str = ""
    exit_code: int = 0
    finished_at: datetime.datetime | None = None


class Waiting(Struct, frozen=True):
    """Why a container does not run."""

    reason: str = ""


class State(Struct, frozen=True):
    """v1 ContainerState."""

    terminated: Terminated | None = None
    waiting: Waiting | None = None


class ContainerStatus(Struct, frozen=True):
    """v1 ContainerStatus."""

    name: str = ""
    restart_count: int = 0
    state: State = State()
    last_state: State = State()


class Condition(Struct, frozen=True):
    """One condition of any object."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class PodStatus(Struct, frozen=True):
    """How a pod is."""

    phase: str = ""
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None


class Pod(Struct, frozen=True):
    """v1 Pod."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class Template(Struct, frozen=True):
    """What a workload's pods are made from."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()


class WorkloadSpec(Struct, frozen=True):
    """Of a Deployment or StatefulSet. The API server writes the default 1 where nobody gave replicas."""

    replicas: int = 1
    template: Template = Template()


class Workload(Struct, frozen=True):
    """apps/v1 Deployment or StatefulSet."""

    metadata: Metadata = Metadata()
    spec: WorkloadSpec = WorkloadSpec()


class Current(Struct, frozen=True):
    """MetricValueStatus."""

    average_utilization: int | None = None
    average_value: Quantity | None = None
    value: Quantity | None = None


class CurrentOf(Struct, frozen=True):
    """The one of the five metric statuses that is there, by its value."""

    name: str = ""
    current: Current = Current()


class CurrentMetric(Struct, frozen=True):
    """MetricStatus. The controller lists them in the order of the spec, and leaves out what it could not read."""

    type: str = ""
    resource: CurrentOf | None = None
    container_resource: CurrentOf | None = None
    pods: CurrentOf | None = None
    object: CurrentOf | None = None
    external: CurrentOf | None = None


class HpaStatus(Struct, frozen=True):
    """HorizontalPodAutoscalerStatus."""

    current_replicas: int = 0
    desired_replicas: int = 0
    conditions: list[Condition] | None = None
    current_metrics: list[CurrentMetric] | None = None


class Hpa(Struct, frozen=True):
    """autoscaling/v2 HorizontalPodAutoscaler."""

    metadata: Metadata = Metadata()
    spec: autoscaler.Spec = autoscaler.Spec()
    status: HpaStatus = HpaStatus()

    def condition(self, name: str) -> Condition:
        """One of its conditions; an empty one where the controller has not told it yet."""
        return next((one for one in self.status.conditions or () if one.type == name), Condition())


class BudgetSpec(Struct, frozen=True):
    """Which pods a budget speaks of."""

    selector: LabelSelector | None = None


class BudgetStatus(Struct, frozen=True):
    """How many of them may go now."""

    disruptions_allowed: int = 0
    expected_pods: int = 0


class Budget(Struct, frozen=True):
    """policy/v1 PodDisruptionBudget."""

    metadata: Metadata = Metadata()
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()


class NodeStatus(Struct, frozen=True):
    """What a node has for pods."""

    allocatable: dict[str, Quantity] | None = None


class Node(Struct, frozen=True):
    """v1 Node."""

    metadata: Metadata = Metadata()
    status: NodeStatus = NodeStatus()


class Version(Struct, frozen=True):
    """What `/version` says."""

    git_version: str = ""
    major: str = ""
    minor: str = ""


PodMetrics = objects.PodMetrics
