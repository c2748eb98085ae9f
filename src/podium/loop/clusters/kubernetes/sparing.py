"""Who may go first when a workload shrinks: its least busy pods, by `controller.kubernetes.io/pod-deletion-cost`.

A ReplicaSet removes pods that are not ready first, then those of the lowest cost, then the youngest (the controller's
own order, KEP-2255). So before replicas are taken away the ready pods that use the least CPU are marked, as many as are
to go. A cost that somebody else gave a pod of the workload says that its owner decides that: then nothing is marked.
It is a hint: where it cannot be given, the workload shrinks without it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from podium.loop.clusters.kubernetes import kept
from podium.model.snapshot import Phase, Ready

OURS = "-1000"  # below the 0 of whoever has none
KINDS = frozenset({("apps", "deployment"), ("apps", "replicaset"), ("argoproj.io", "rollout")})  # over ReplicaSets
MOST = 64  # pods marked for one write: a controller that is asked not to flood the API server keeps to that itself


@dataclasses.dataclass(frozen=True, slots=True)
class Marks:
    """Names of pods whose cost is to be written, and of those that bear ours and are not to go now."""

    mark: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()


def first_to_go(pods: Sequence[kept.Pod], cpu: Mapping[str, float], fewer: int) -> Marks:
    """Which `fewer` of a workload's pods may go; `cpu` is what each uses, as far as it is known.

    A pod that nobody measured is not known to be idle. Pods that are not ready go first in any case.
    """
    there = [pod for pod in pods if not pod.deleting and pod.phase in (Phase.PENDING, Phase.RUNNING)]
    if any(pod.cost not in ("", OURS) for pod in there):
        return Marks()
    ready = [pod for pod in there if pod.phase == Phase.RUNNING and pod.ready == Ready.TRUE]
    count = min(fewer - (len(there) - len(ready)), MOST)
    idle = sorted((cpu[pod.name], pod.name) for pod in ready if pod.name in cpu)[: max(count, 0)]
    going, marked = {name for _, name in idle}, {pod.name for pod in there if pod.cost == OURS}
    return Marks(tuple(name for _, name in idle if name not in marked), tuple(sorted(marked - going)))
