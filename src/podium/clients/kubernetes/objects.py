"""The fields of the API's objects that Podium reads; the rest of the JSON is skipped, which is most of the time saved.

Field names follow the API. `gc=False`: none of these can take part in a cycle.
"""

from __future__ import annotations

import datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")


class Struct(msgspec.Struct, gc=False, rename="camel", frozen=True):
    """The base of all: camel case on the wire."""


class Metadata(Struct, frozen=True):
    """metav1.ObjectMeta."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    deletion_timestamp: datetime.datetime | None = None


class ListMetadata(Struct, frozen=True):
    """metav1.ListMeta."""

    resource_version: str = ""
    next_page: str = msgspec.field(name="continue", default="")


class Page(Struct, Generic[T], frozen=True):
    """One page of a list."""

    metadata: ListMetadata = ListMetadata()
    items: list[T] | None = None  # Go writes null for none


class Object(Struct, frozen=True):
    """Any object, by its metadata alone (metav1.PartialObjectMetadata)."""

    metadata: Metadata


class Failure(Struct, frozen=True):
    """metav1.Status: why a request failed."""

    message: str = ""
    reason: str = ""
    code: int = 0  # as of HTTP


class WatchEvent(Struct, frozen=True):
    """metav1.WatchEvent; `object` is not decoded yet."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
    object: msgspec.Raw


class Generation(Struct, frozen=True):
    """The generation that a controller has seen."""

    observed_generation: int | None = None


class Controlled(Struct, frozen=True):
    """Any object, by whether its controller is up to date."""

    metadata: Metadata
    status: Generation | None = None


class ScaleSpec(Struct, frozen=True):
    """How many replicas are wanted. Go leaves zero out."""

    replicas: int = 0


class ScaleStatus(Struct, frozen=True):
    """How many there are, and the label selector of their pods, as text."""

    replicas: int = 0
    selector: str = ""


class Scale(Struct, frozen=True):
    """autoscaling/v1 Scale: the part that all scalable kinds have in common."""

    metadata: Metadata
    spec: ScaleSpec = ScaleSpec()
    status: ScaleStatus = ScaleStatus()


class Requirement(Struct, frozen=True):
    """One matchExpressions entry of metav1.LabelSelector."""

    key: str
    operator: str
    values: list[str] | None = None


class LabelSelector(Struct, frozen=True):
    """metav1.LabelSelector."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[Requirement] | None = None


class WorkloadSpec(Struct, frozen=True):
    """Of Deployment, StatefulSet and ReplicaSet. The API server writes the default 1 where nobody gave replicas."""

    replicas: int = 1
    selector: LabelSelector = LabelSelector()


class WorkloadStatus(Struct, frozen=True):
    """Replicas that exist, ready or not."""

    replicas: int = 0


class Workload(Struct, frozen=True):
    """apps/v1 Deployment, StatefulSet or ReplicaSet."""

    metadata: Metadata
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class Resources(Struct, frozen=True):
    """Requests as quantities, by resource."""

    requests: dict[str, str | int | float] | None = None


class Container(Struct, frozen=True):
    """One container of a pod; a sidecar is an init container with restartPolicy Always."""

    name: str = ""
    restart_policy: str = ""
    resources: Resources = Resources()


class PodSpec(Struct, frozen=True):
    """What a pod asks for. `resources` is there where pod-level requests are set (KEP-2837)."""

    containers: list[Container] = []
    init_containers: list[Container] | None = None
    resources: Resources | None = None


class Condition(Struct, frozen=True):
    """One condition of a pod."""

    type: str
    status: str
    last_transition_time: datetime.datetime | None = None


class PodStatus(Struct, frozen=True):
    """How a pod is."""

    phase: str = ""
    start_time: datetime.datetime | None = None
    conditions: list[Condition] | None = None


class Pod(Struct, frozen=True):
    """v1 Pod."""

    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ContainerUsage(Struct, frozen=True):
    """What one container used."""

    name: str = ""
    usage: dict[str, str | int | float] | None = None


class PodMetrics(Struct, frozen=True):
    """metrics.k8s.io/v1beta1 PodMetrics: usage over `window` (a Go duration) up to `timestamp`."""

    metadata: Metadata
    timestamp: datetime.datetime | None = None
    window: str = ""
    containers: list[ContainerUsage] | None = None


class QuotaSpec(Struct, frozen=True):
    """Which pods a quota holds for; all, where nothing is said."""

    scopes: list[str] | None = None
    scope_selector: dict[str, Any] | None = None


class QuotaStatus(Struct, frozen=True):
    """Amounts by resource: allowed, and in use."""

    hard: dict[str, str | int | float] | None = None
    used: dict[str, str | int | float] | None = None


class ResourceQuota(Struct, frozen=True):
    """v1 ResourceQuota."""

    metadata: Metadata
    spec: QuotaSpec = QuotaSpec()
    status: QuotaStatus = QuotaStatus()


class BudgetSpec(Struct, frozen=True):
    """How many pods are to be available: a number, or a share as text."""

    min_available: int | str | None = None
    selector: LabelSelector | None = None


class PodDisruptionBudget(Struct, frozen=True):
    """policy/v1 PodDisruptionBudget."""

    metadata: Metadata
    spec: BudgetSpec = BudgetSpec()


class GroupVersion(Struct, frozen=True):
    """One version of a group, as `group/version`."""

    group_version: str
    version: str


class Group(Struct, frozen=True):
    """An API group and its versions, the preferred one apart."""

    preferred_version: GroupVersion
    versions: list[GroupVersion]


class Resource(Struct, frozen=True):
    """One resource or subresource (`deployments/scale`) of a group version."""

    name: str
    kind: str
    namespaced: bool = True


class ResourceList(Struct, frozen=True):
    """metav1.APIResourceList."""

    resources: list[Resource] = []
