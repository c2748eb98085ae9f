"""What is kept of each object between two turns: the few fields that decisions need. Pure.

A fleet's pods are alike: what they request and how they are labelled is the same object for all that say the same.
"""

from __future__ import annotations

import datetime
import functools
import math
import sys

import msgspec

from podium.clients.kubernetes import errors, objects, selectors
from podium.clients.kubernetes.selectors import Selector
from podium.model.snapshot import Phase, Ready

EPOCH = "podium.dev/epoch"
COST = "controller.kubernetes.io/pod-deletion-cost"
MARKS = "podium.dev/"  # annotations that begin so are kept
_ALIKE = 65_536  # different requests and labels that are remembered as shared; more are kept apart

_PHASES = {phase.name.capitalize(): phase for phase in Phase if phase is not Phase.GONE}
_READY = {"True": Ready.TRUE, "False": Ready.FALSE}


class Pod(msgspec.Struct, gc=False, frozen=True):
    """One pod. Times are Unix seconds, NaN where there is none."""

    name: str
    labels: dict[str, str]  # shared
    spec: objects.PodSpec  # shared
    phase: int
    ready: int
    deleting: bool
    start: float
    transition: float  # of the Ready condition
    unplaced: float  # since when the scheduler finds no room for it
    cost: str = ""  # its annotation pod-deletion-cost


class Workload(msgspec.Struct, gc=False, frozen=True):
    """One workload as it was read, in one version."""

    replicas: int
    status_replicas: int
    version: str
    epoch: int
    selector: Selector
    marks: dict[str, str]


class Marked(msgspec.Struct, gc=False, frozen=True):
    """The metadata of a workload whose replicas only its scale tells."""

    version: str
    epoch: int
    marks: dict[str, str]


class Unreadable(msgspec.Struct, gc=False, frozen=True):
    """An object that says something that cannot be."""

    version: str
    failure: errors.Permanent


def pod(one: objects.Pod) -> Pod:
    """A pod, as far as it is kept."""
    conditions = {condition.type: condition for condition in one.status.conditions or ()}
    ready, placed = conditions.get("Ready"), conditions.get("PodScheduled")
    return Pod(
        name=one.metadata.name,
        labels=_labels(msgspec.json.encode(one.metadata.labels or {})),
        spec=_spec(msgspec.json.encode(one.spec)),
        phase=int(_PHASES.get(one.status.phase, Phase.UNKNOWN)),
        ready=int(Ready.ABSENT if ready is None else _READY.get(ready.status, Ready.UNKNOWN)),
        deleting=one.metadata.deletion_timestamp is not None,
        start=_seconds(one.status.start_time),
        transition=_seconds(ready.last_transition_time if ready else None),
        unplaced=_seconds(placed.last_transition_time if placed and placed.status == "False" else None),
        cost=(one.metadata.annotations or {}).get(COST, ""),
    )


def workload(one: objects.Workload) -> Workload | Unreadable:
    """A Deployment, StatefulSet or ReplicaSet."""
    found = marked(objects.Object(one.metadata))
    if isinstance(found, Unreadable):
        return found
    return Workload(
        replicas=one.spec.replicas,
        status_replicas=one.status.replicas,
        version=found.version,
        epoch=found.epoch,
        selector=selectors.of(one.spec.selector),
        marks=found.marks,
    )


def marked(one: objects.Object) -> Marked | Unreadable:
    """Any object, by its metadata."""
    version = one.metadata.resource_version
    try:
        claimed = epoch(one.metadata)
    except errors.Permanent as error:
        return Unreadable(version, error)
    annotations = (one.metadata.annotations or {}).items()
    return Marked(version, claimed, {sys.intern(name): text for name, text in annotations if name.startswith(MARKS)})


def scaled(scale: objects.Scale, claimed: int, marks: dict[str, str]) -> Workload:
    """A workload of any kind, by its scale. Raises Permanent where that does not say which pods are its own."""
    if not scale.status.selector:
        raise errors.Permanent("its scale names no selector, so its pods are not known")
    try:
        selector = selectors.parse(scale.status.selector)
    except ValueError as error:
        raise errors.Permanent(str(error)) from error
    version = scale.metadata.resource_version
    return Workload(scale.spec.replicas, scale.status.replicas, version, claimed, selector, marks)


def epoch(metadata: objects.Metadata) -> int:
    """The claim that a workload carries. Raises Permanent when somebody wrote something else there."""
    text = (metadata.annotations or {}).get(EPOCH, "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):  # int64
        raise errors.Permanent(f"its annotation {EPOCH} is {text!r}; expected a whole number of at most 18 digits")
    return int(text)


def is_at_least(version: str, other: str) -> bool:
    """Whether a resource version is as new as another of the same resource (KEP-5504: they are numbers that grow)."""
    if version.isdecimal() and other.isdecimal():
        return int(version) >= int(other)
    return version == other


@functools.lru_cache(_ALIKE)
def _labels(encoded: bytes) -> dict[str, str]:
    return msgspec.json.decode(encoded, type=dict[str, str])


@functools.lru_cache(_ALIKE)
def _spec(encoded: bytes) -> objects.PodSpec:
    return msgspec.json.decode(encoded, type=objects.PodSpec)


def _seconds(time: datetime.datetime | None) -> float:
    return math.nan if time is None else time.timestamp()
