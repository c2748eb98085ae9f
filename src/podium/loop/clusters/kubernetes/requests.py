"""What a pod requests, as the HPA adds it up (`calculateRequests` of upstream's replica calculator)."""

from __future__ import annotations

from collections.abc import Callable

from podium.clients.kubernetes.objects import Container, PodSpec

Quantity = str | int | float
Read = Callable[[Quantity], int]  # a quantity in thousandths; may raise ValueError


def requested(spec: PodSpec, resource: str, container: str, read: Read) -> int | None:
    """Thousandths of a resource that a pod, or one container of it (else ""), requests; None where it is not said.

    All of its containers must say it, unless the pod has requests of its own.
    """
    if not container and is_asked_as_a_whole(spec):
        return _effective(spec, resource, read)
    total = 0
    for one in counted_containers(spec):
        if container in ("", one.name):
            amount = _of(one, resource, read)
            if amount is None:
                return None
            if container:
                return amount
            total += amount
    return None if container else total


def counted_containers(spec: PodSpec) -> list[Container]:
    """The containers and the sidecars, which are init containers that always restart."""
    if not spec.init_containers:
        return spec.containers
    return [*spec.containers, *(one for one in spec.init_containers if one.restart_policy == "Always")]


def is_asked_as_a_whole(spec: PodSpec) -> bool:
    """Whether the pod itself, not its containers, says what it requests (KEP-2837)."""
    requests = spec.resources.requests if spec.resources is not None else None
    return any(_may_be_whole(name) for name in requests or ())


def _may_be_whole(resource: str) -> bool:
    return resource in ("cpu", "memory") or resource.startswith("hugepages-")


def _effective(spec: PodSpec, resource: str, read: Read) -> int | None:
    """A pod's own request; of what it does not name, the sum of its containers, or the largest of its inits."""
    own = (spec.resources.requests if spec.resources is not None else None) or {}
    if resource in own and _may_be_whole(resource):
        return read(own[resource])
    asked = [amount for one in spec.containers if (amount := _of(one, resource, read)) is not None]
    total, sidecars, largest, some = sum(asked), 0, 0, bool(asked)
    for one in spec.init_containers or ():
        amount = _of(one, resource, read)
        some |= amount is not None
        if one.restart_policy == "Always":
            total, sidecars = total + (amount or 0), sidecars + (amount or 0)
            largest = max(largest, sidecars)
        else:
            largest = max(largest, sidecars + (amount or 0))
    return max(total, largest) if some else None


def _of(container: Container, resource: str, read: Read) -> int | None:
    requests = container.resources.requests
    return None if requests is None or resource not in requests else read(requests[resource])
