"""Everything that `podium install` prints, in an order in which it can be applied and, backwards, taken away."""

from __future__ import annotations

from typing import Any

from podium import kinds
from podium.install import rbac, workload
from podium.install.plan import Plan

_RUNNING = {"ConfigMap", "PersistentVolumeClaim", "Service", "Deployment", "PodDisruptionBudget", "NetworkPolicy"}
_RUNNING |= {"APIService", "CronJob"}


def granting(plan: Plan) -> list[dict[str, Any]]:
    """What a Podium takes that runs elsewhere: the kinds, the account and its rights."""
    return [one for one in objects(plan) if one["kind"] not in _RUNNING]


def objects(plan: Plan) -> list[dict[str, Any]]:
    """The objects of an installation: the same for the same plan."""
    out = [workload.namespace(plan), *kinds.crds(), workload.account(plan), *rbac.objects(plan)]
    out.append(workload.config_map(plan))
    if not plan.database_secret:
        out.append(workload.claim(plan))
    out += [workload.service(plan), workload.deployment(plan), workload.disruption_budget(plan)]
    if plan.raises_floors:
        out.append(workload.floor_watch(plan))
    if plan.network_policy:
        out.append(workload.network_policy(plan))
    if plan.serves_metrics:
        out.append(workload.api_service(plan))
    return out
