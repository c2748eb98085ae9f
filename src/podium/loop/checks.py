"""What must hold between policies, and between policies and signals."""

from __future__ import annotations

from collections.abc import Iterator

from podium.documents.collection import Documents
from podium.documents.problem import Problem, nearest
from podium.loop.policy import ScalingPolicy
from podium.signals.signal import Signal


def named_signals_exist(documents: Documents) -> Iterator[Problem]:
    """Every signal that a policy names is a Signal of its own namespace."""
    for policy in documents.of(ScalingPolicy):
        known = [signal.metadata.name for signal in documents.of(Signal) if signal.namespace == policy.namespace]
        for path, name in policy.spec.signals:
            if name not in known:
                expected = f"the name of a Signal in namespace {policy.namespace}{nearest(name, known)}"
                yield Problem.at(policy.source, path, expected, name)


def one_policy_per_workload(documents: Documents) -> Iterator[Problem]:
    """No two policies speak of the same workload: they would undo each other's work."""
    first: dict[str, ScalingPolicy] = {}
    for policy in documents.of(ScalingPolicy):
        workload = str(policy.workload("any"))
        earlier = first.setdefault(workload, policy)
        if earlier is not policy:
            target = policy.spec.target_ref
            yield Problem.at(
                policy.source,
                ("spec", "targetRef"),
                "a workload without another policy",
                f"{target.kind} {target.name}, which has {earlier.metadata.name} ({earlier.source})",
            )


CHECKS = (named_signals_exist, one_policy_per_workload)
