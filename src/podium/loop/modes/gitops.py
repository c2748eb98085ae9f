"""What GitOps tools must leave alone: the fields that Podium writes, in the words of each tool. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from podium.loop.decide.table import Mode
from podium.loop.policy import ScalingPolicy

# The name of an HPA is not in a policy: those of the namespace are meant.
_HPA = ("autoscaling", "HorizontalPodAutoscaler")
_ARGOCD = """\
# Of an Application's spec. Podium writes as the field manager `podium`; these are its fields and no others.
"""
_FLUX = """\
# Of a HelmRelease's spec: helm-controller then does not put these back.
# A Kustomization knows no such list: kustomize-controller writes what lies in Git, every time. There leave
# spec.replicas of workloads in mode own out of the manifests, and take mode metric instead of floor: with
# minReplicas left out of Git, Kubernetes would write 1 where no floor stands.
"""
_NOTHING = "# No policy is in mode own or floor: Podium writes nothing that lies in Git.\n"


def argocd(policies: Iterable[ScalingPolicy], most: str) -> str:
    """`ignoreDifferences` and the option that makes a sync respect them."""
    ignored: list[dict[str, Any]] = []
    for group, kind, namespace, name, pointer in _fields(policies, most):
        about = {"group": group, "kind": kind, "namespace": namespace} | ({"name": name} if name else {})
        ignored.append({key: value for key, value in about.items() if value} | {"jsonPointers": [pointer]})
    if not ignored:
        return _NOTHING
    options = {"syncOptions": ["RespectIgnoreDifferences=true"]}
    return _ARGOCD + yaml.safe_dump({"ignoreDifferences": ignored, "syncPolicy": options}, sort_keys=False)


def flux(policies: Iterable[ScalingPolicy], most: str) -> str:
    """`driftDetection` of a HelmRelease."""
    ignored = []
    for _, kind, namespace, name, pointer in _fields(policies, most):
        target = {"kind": kind, "namespace": namespace} | ({"name": name} if name else {})
        ignored.append({"paths": [pointer], "target": target})
    if not ignored:
        return _NOTHING
    return _FLUX + yaml.safe_dump({"driftDetection": {"mode": "enabled", "ignore": ignored}}, sort_keys=False)


def _fields(policies: Iterable[ScalingPolicy], most: str) -> list[tuple[str, str, str, str, str]]:
    """(group, kind, namespace, name, JSON pointer) of every field, each once; "" for a name that is not known."""
    out: dict[tuple[str, str, str, str, str], None] = {}
    for policy in policies:
        mode, target = min(Mode[policy.spec.mode.upper()], Mode[most.upper()]), policy.spec.target_ref
        if mode is Mode.OWN:
            out[target.group, target.kind, policy.namespace, target.name, "/spec/replicas"] = None
        elif mode is Mode.FLOOR:
            out[(*_HPA, policy.namespace, "", "/spec/minReplicas")] = None
    return sorted(out)
