"""Short names of workloads: any run of a key's parts from the right, as long as it means one workload."""

from __future__ import annotations

from collections.abc import Iterable

from podium.cli.outcome import BadInput
from podium.documents.problem import nearest
from podium.model.identity import WorkloadKey

_MOST_LISTED = 20


def resolve(text: str, known: Iterable[WorkloadKey]) -> WorkloadKey:
    """The workload that `web`, `shop/web`, `deployment/web` or a whole key means.

    Raises BadInput with the candidates when it is none of `known`, or several.
    """
    every = sorted(known)
    found = [key for key in every if _means(text, key)]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(f"{text!r} means {len(found)} workloads; say which:{_listed(found)}")
    names = sorted({key.name for key in every} | {f"{key.namespace}/{key.name}" for key in every})
    hint = nearest(text, names)
    raise BadInput(f"no workload {text!r}{hint or ''}; known are:{_listed(every)}" if every else "no workload is known")


def _means(text: str, key: WorkloadKey) -> bool:
    kind = f"{key.kind}.{key.group}" if key.group else key.kind
    head, _, name = text.casefold().rpartition("/")
    if name != key.name:
        return False
    forms = {""}
    for shown in (kind, key.kind):
        forms |= {shown, f"{key.namespace}/{shown}", f"{key.cluster}/{key.namespace}/{shown}"}
    return head in forms | {key.namespace, f"{key.cluster}/{key.namespace}"}


def _listed(keys: list[WorkloadKey]) -> str:
    more = len(keys) - _MOST_LISTED
    lines = [f"\n  {key}" for key in keys[:_MOST_LISTED]]
    return "".join([*lines, f"\n  … and {more} more"] if more > 0 else lines)
