"""The roles of an installation: exactly the rights that rights.py lists for its mode, and what serving takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from podium import kinds
from podium.install.plan import NAME, Plan
from podium.install.texts import named
from podium.loop.clusters.kubernetes import rights
from podium.loop.clusters.kubernetes.rights import Need
from podium.loop.policy import Mode

RBAC = "rbac.authorization.k8s.io"
READER = "extension-apiserver-authentication-reader"  # Kubernetes' own Role: who may ask an aggregated API
LEASES = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]}


def granted(plan: Plan) -> list[Need]:
    """The part of the one list that this installation takes."""
    return [need for part in _parts(plan) for need in part]


def _parts(plan: Plan) -> list[list[Need]]:
    """What every installation of a mode takes, then what was chosen beside it."""
    further = [one for one in plan.workloads if one not in rights.WORKLOADS]
    return [
        usual(plan.mode, tell=plan.tells, namespaced=bool(plan.namespaces)),
        *([list(rights.METRICS_APIS)] if plan.metrics_apis else []),
        *([need for need in rights.of_workload(one) if rights.within(need, plan.mode)] for one in further),
    ]


def usual(mode: Mode, *, tell: bool, namespaced: bool) -> list[Need]:
    """Of the usual workloads. A Role can grant `get` of its own namespace, and no list of namespaces."""
    every = rights.needs(mode, documents=[kind.plural for kind in kinds.KINDS.values()], tell=tell)
    if not namespaced:
        return list(every)
    return [dataclasses.replace(need, verbs=("get",)) if need.scope == "names" else need for need in every]


def rules(found: Iterable[Need]) -> list[dict[str, Any]]:
    """PolicyRules: one per group and verbs, in the order of the list."""
    merged: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for need in found:
        resources = merged.setdefault((need.group, need.verbs), [])
        resources += [one for one in need.resources if one not in resources]
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
        for (group, verbs), resources in merged.items()
    ]


def objects(plan: Plan) -> list[dict[str, Any]]:
    """Roles and their bindings: of the whole cluster, or one in each namespace."""
    every = [rule for part in _parts(plan) for rule in rules(part)]
    if plan.namespaces:
        out = [one for namespace in plan.namespaces for one in _pair(plan, "Role", every, namespace)]
    else:
        out = _pair(plan, "ClusterRole", every, "")
    if plan.replicas > 1:
        out += _pair(plan, "Role", [LEASES], plan.namespace, f"{NAME}-leases")
    if plan.serves_metrics:
        reader = {"apiGroup": RBAC, "kind": "Role", "name": READER}
        out.append(_binding(plan, "RoleBinding", f"{NAME}-{plan.namespace}-authentication", "kube-system", reader))
    return out


def _pair(
    plan: Plan, kind: str, granted: list[dict[str, Any]], namespace: str, name: str = NAME
) -> list[dict[str, Any]]:
    role = named(f"{RBAC}/v1", kind, name, namespace) | {"rules": granted}
    reference = {"apiGroup": RBAC, "kind": kind, "name": name}
    return [role, _binding(plan, f"{kind}Binding", name, namespace, reference)]


def _binding(plan: Plan, kind: str, name: str, namespace: str, role: dict[str, str]) -> dict[str, Any]:
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": plan.namespace}
    return named(f"{RBAC}/v1", kind, name, namespace) | {"roleRef": role, "subjects": [subject]}
