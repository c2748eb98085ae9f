"""PromQL written from parts: one query for the whole fleet, aggregated by namespace and whom each series measures.

Nothing here knows a metric by name; `presets.py` does.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Literal, TypeAlias

from podium.model.clock import duration

Owners: TypeAlias = Literal["none", "recorded", "kube-state-metrics"]

METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MATCHER = rf'{LABEL.pattern}\s*(?:=~|!~|!=|=)\s*"(?:[^"\\\n]|\\.)*"'
MATCHERS = re.compile(rf"\s*{_MATCHER}(?:\s*,\s*{_MATCHER})*\s*")

RECORDED_OWNERS = "namespace_workload_pod:kube_pod_owner:relabel"  # kubernetes-mixin's recording rule


@dataclasses.dataclass(frozen=True, slots=True)
class Whom:
    """Which labels of a series name whom it measures."""

    namespace: str = ""  # the label that holds the namespace
    kind: str = ""  # pod, deployment, statefulset, replicaset or workload
    label: str = ""  # the label that holds its name
    constant: tuple[str, str] | None = None  # (namespace, workload) where no label says so: all series are of it


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """A metric's series that match, by whom they measure; pods are joined to their workloads by `owners`."""

    metric: str
    selector: str
    whom: Whom
    owners: Owners = "none"

    def narrowed(self, further: str) -> Series:
        """The same with further matchers."""
        return dataclasses.replace(self, selector=matchers(self.selector, further))

    def text(self, suffix: str = "") -> str:
        """The selector itself, as in `up{job="web"}`."""
        return f"{self.metric}{suffix}{{{self.selector}}}" if self.selector else f"{self.metric}{suffix}"

    def rate(self, window_seconds: float, *, suffix: str = "", keep: str = "") -> str:
        """Per second over the window, summed by what its own labels name (and by the label `keep`)."""
        return self.summed("sum", f"rate({self.text(suffix)}[{duration(window_seconds)}])", keep)

    def summed(self, aggregate: str, inner: str, keep: str = "") -> str:
        """`inner` aggregated by what its own labels name."""
        kept = [keep] if keep else []
        if self.whom.constant is not None:
            return f"{aggregate} by ({keep}) ({inner})" if keep else f"{aggregate}({inner})"
        return f"{aggregate} by ({', '.join([self.whom.namespace, self.whom.label, *kept])}) ({inner})"

    def lifted(self, aggregate: str, by_pod: str, keep: str = "") -> str:
        """What was summed by pod, aggregated by workload where `owners` knows whose the pods are; else as it was."""
        if not self._joins:
            return by_pod
        owned = f"{named(by_pod, self.whom)} * on (namespace, pod) group_left (workload, workload_type) "
        keys = ", ".join(["namespace", "workload", "workload_type", *([keep] if keep else [])])
        return f"{aggregate} by ({keys}) ({owned}{owners_of_pods(self.owners)})"

    def named(self, query: str) -> str:
        """`query`, aggregated as above, under the labels that Podium reads."""
        return query if self._joins else named(query, self.whom)

    @property
    def _joins(self) -> bool:
        return self.owners != "none" and self.whom.kind == "pod" and self.whom.constant is None


def matchers(*parts: str) -> str:
    """Several lists of label matchers as one."""
    return ",".join(part.strip() for part in parts if part.strip())


def named(query: str, whom: Whom) -> str:
    """`query` with its subject under the labels `namespace` and `pod`, `deployment` …"""
    if whom.constant is not None:
        namespace, workload = whom.constant
        return _labelled(_labelled(query, "namespace", namespace), "workload", workload)
    for wanted, there in (("namespace", whom.namespace), (whom.kind, whom.label)):
        if wanted != there:
            query = f'label_replace({query}, "{wanted}", "$1", "{there}", "(.+)")'
    return query


def owners_of_pods(owners: Owners) -> str:
    """A series of 1 per pod with the labels `namespace`, `pod`, `workload` and `workload_type`.

    `recorded`: what kubernetes-mixin's rule has stored. `kube-state-metrics`: the same, worked out in the query: the
    owner of a pod is its StatefulSet, DaemonSet or Job, or the Deployment behind its ReplicaSet.
    """
    if owners == "recorded":
        return f"max by (namespace, pod, workload, workload_type) ({RECORDED_OWNERS})"
    of_sets = _copied(
        'max by (namespace, pod, owner_name) (kube_pod_owner{owner_kind="ReplicaSet"})', "replicaset", "owner_name"
    )
    of_deployments = _copied(
        'max by (namespace, replicaset, owner_name) (kube_replicaset_owner{owner_kind="Deployment"})',
        "workload",
        "owner_name",
    )
    through_sets = (
        f"max by (namespace, pod, workload) ({of_sets} * on (namespace, replicaset) group_left (workload) "
        f"max by (namespace, replicaset, workload) ({of_deployments}))"
    )
    direct = _copied(
        _copied('kube_pod_owner{owner_kind=~"StatefulSet|DaemonSet|Job"}', "workload", "owner_name"),
        "workload_type",
        "owner_kind",
    )
    return (
        f"max by (namespace, pod, workload, workload_type) "
        f"({_labelled(through_sets, 'workload_type', 'deployment')} or {direct})"
    )


def _labelled(query: str, label: str, value: str) -> str:
    return f'label_replace({query}, "{label}", "{value}", "", "")'


def _copied(query: str, label: str, source: str) -> str:
    return f'label_replace({query}, "{label}", "$1", "{source}", "(.+)")'
