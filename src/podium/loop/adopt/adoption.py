"""What is adopted together: one workload, whatever scales it now, and the policy that says the same.

Two that contradict each other are named, never chosen between.
"""

from __future__ import annotations

import collections
import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from podium.documents import checking
from podium.documents.document import API_VERSION
from podium.loop.adopt import hpas, keda, shapes, vpa
from podium.loop.adopt.draft import Draft, Lost
from podium.loop.adopt.original import HPA, SCALED, VPA, Original
from podium.loop.policy import HOMES, ScalingPolicy, ScalingPolicySpec
from podium.model.identity import WorkloadKey
from podium.model.quantities import parse_milli

FROM = "podium.dev/adopted-from"  # annotation of a policy: which objects it was made from
SHORT = {HPA: "HPA", VPA: "VPA", SCALED: "ScaledObject"}
SOURCES = Literal["cluster", "prometheus"]

Workload = tuple[str, str, str]  # namespace, kind in lower case, name


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """How policies are made."""

    forecast: bool = True
    source: SOURCES = "cluster"  # of the load that is forecast: what measures CPU
    signals: Mapping[str, Collection[str]] = dataclasses.field(default_factory=dict)  # namespace -> Signals there are


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """What is known of a workload in the cluster."""

    there: bool
    replicas: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Adoption:
    """One workload. `refused` says why it gets no policy; then `documents` is empty."""

    workload: Workload
    originals: tuple[Original, ...]
    documents: tuple[dict[str, Any], ...]  # Signals first, then the policy
    origins: Mapping[tuple[str | int, ...], str]  # path in the policy's spec -> where it comes from
    lost: tuple[tuple[Original, Lost], ...]
    notes: tuple[str, ...]
    refused: str = ""

    @property
    def shown(self) -> str:
        """`shop/deployment/web`."""
        return "/".join(self.workload)

    @property
    def policy(self) -> dict[str, Any]:
        """The policy as it will be written."""
        return self.documents[-1]

    @property
    def held_back(self) -> tuple[str, ...]:
        """Why it cannot be handed over: fields without which other replicas might be decided."""
        return tuple(f"{SHORT[one.kind]} {one.name} {lost}" for one, lost in self.lost if lost.decides)

    @property
    def handed(self) -> tuple[Original, ...]:
        """The originals that give way when Podium takes over; a VPA stays as it is."""
        return tuple(one for one in self.originals if one.kind != VPA)

    def key(self, cluster: str) -> WorkloadKey:
        """The workload in `cluster`."""
        return policy_of(self).workload(cluster)

    def as_json(self) -> dict[str, Any]:
        """Everything that is said of it."""
        return {
            "workload": self.shown,
            "from": [one.key for one in self.originals],
            "refused": self.refused or None,
            "documents": list(self.documents),
            "origins": {_dotted(path): words for path, words in self.origins.items()},
            "lost": [
                {"object": one.key, "field": lost.field, "words": lost.words, "decides": lost.decides}
                for one, lost in self.lost
            ],
            "notes": list(self.notes),
            "handed_over": [one.key for one in self.originals if one.record is not None],
        }


def adoptions(originals: Sequence[Original], wish: Wish, targets: Mapping[Workload, Target]) -> tuple[Adoption, ...]:
    """One for each workload that something scales, in the order of their names. Pure."""
    groups: dict[Workload, list[Original]] = collections.defaultdict(list)
    for one in originals:
        if not one.made_by_keda:
            groups[workload_of(one)].append(one)
    return tuple(_adoption(name, groups[name], wish, targets.get(name)) for name in sorted(groups))


def policy_of(one: Adoption) -> ScalingPolicy:
    """The policy as the loop reads it."""
    return ScalingPolicy.model_validate_json(json.dumps(one.policy))


def workload_of(one: Original) -> Workload:
    """What it scales."""
    kind = str(one.target.get("kind") or ("Deployment" if one.kind == SCALED else ""))
    return one.namespace, kind.lower(), str(one.target.get("name", ""))


def _adoption(name: Workload, group: Sequence[Original], wish: Wish, known: Target | None) -> Adoption:
    refused = _refused(name, group, known)
    if refused:
        return Adoption(name, tuple(group), (), {}, (), (), refused)
    draft, lost = Draft(), list[tuple[Original, Lost]]()
    notes = [] if known is not None else ["whether its target is there was not looked at"]
    for one in sorted(group, key=lambda each: each.kind == VPA):
        before = len(draft.lost)
        if one.kind == HPA:
            hpas.translate(one, wish.signals.get(one.namespace, ()), draft)
        elif one.kind == SCALED:
            keda.translate(one, draft)
        else:
            notes += _vertical(one, group, known, draft)
        lost += [(one, each) for each in draft.lost[before:]]
    notes += _load(draft, name, wish) if wish.forecast else ["nothing is forecast: --no-forecast"]
    if not wish.forecast:
        draft.put(("forecast", "enabled"), False, "--no-forecast")
    documents = _documents(name, group, draft)
    found = checking.check(ScalingPolicy, documents[-1])
    if isinstance(found, list):
        words = "; ".join(f"{_dotted(one.path)}: expected {one.expected}; got {one.got}" for one in found)
        return Adoption(name, tuple(group), (), {}, tuple(lost), tuple(notes), f"no policy can say this: {words}")
    return Adoption(name, tuple(group), documents, dict(draft.origins), tuple(lost), tuple(notes))


def _refused(name: Workload, group: Sequence[Original], known: Target | None) -> str:
    """Why nothing is adopted; "" where something may be."""
    namespace, kind, target = name
    for one in group:
        if wrong := shapes.problem(one):
            return f"{SHORT[one.kind]} {one.name}: {wrong}"
    if not kind or not target:
        return f"{_named(group)} names no target"
    if known is not None and not known.there:
        return f"{_named(group)} names {kind} {namespace}/{target}, which is not there"
    across = [one for one in group if one.kind != VPA]
    if len(across) > 1:
        return f"{_named(across)} scale it in turn: nothing is adopted until one alone does"
    groups = {str(one.target.get("apiVersion", "")).partition("/")[0] for one in group} - {""}
    if len(groups) > 1 and not HOMES.get(kind):
        return f"{_named(group)} name it in different API groups: {', '.join(sorted(groups))}"
    if len(group) - len(across) > 1:
        return f"{_named([one for one in group if one.kind == VPA])} size its pods in turn"
    if not across and (known is None or known.replicas is None):
        return f"{_named(group)} says nothing of replicas, and how many there are was not seen"
    return ""


def _named(group: Sequence[Original]) -> str:
    return " and ".join(f"{SHORT[one.kind]} {one.name}" for one in group)


def _vertical(one: Original, group: Sequence[Original], known: Target | None, draft: Draft) -> list[str]:
    """The requests of a policy; beside something that scales by the same resource they are left alone, and said."""
    across = [other for other in group if other.kind != VPA]
    if not across:
        hpas.target(one.target, draft, f"VPA {one.name}")
        count = max((known.replicas if known is not None else None) or 1, 1)
        draft.put(("replicas", "min"), count, "as many as there are: a VPA says nothing of replicas")
        draft.put(("replicas", "max"), count, "as many as there are: a VPA says nothing of replicas")
    metrics = draft.spec.get("metrics", [])
    used = {part["name"] for metric in metrics for part in metric.values() if isinstance(part, dict) and "name" in part}
    both = sorted(used & vpa.resources(one)) if vpa.writes(one) else []
    if both:
        words = f"VPA {one.name} changes the requests of {', '.join(both)}, by which {_named(across)} scales"
        draft.lose("spec", f"{words}: it stays as it is, and is not part of the policy", decides=True)
        return [f"{words}: each undoes the other's work; set its updateMode to Off, or scale by another metric"]
    vpa.translate(one, draft)
    return []


def _load(draft: Draft, name: Workload, wish: Wish) -> list[str]:
    """What is forecast: the query that a replica serves so much of, else the CPU that pods use."""
    for metric in draft.spec.get("metrics", []):
        part = metric.get("external")
        if part is not None and part["metric"]["name"] in draft.signals and part["target"]["type"] == "AverageValue":
            signal, share = part["metric"]["name"], _number(part["target"]["averageValue"])
            if share is not None:
                draft.put(("load",), {"signal": signal, "capacityPerReplica": share}, "the trigger and its threshold")
                return []
    resources = [metric["resource"] for metric in draft.spec.get("metrics", []) if "resource" in metric]
    if any(one["name"] == "cpu" and one["target"]["type"] == "Utilization" for one in resources):
        signal = f"{name[2][:240]}-cpu"
        origin = {"prometheus": {"preset": "cpu"}}
        measured = {"unit": "cores", "cluster": {"resource": "cpu"}}
        draft.signals[signal] = measured if wish.source == "cluster" else origin
        draft.put(
            ("load",), {"signal": signal}, "the CPU that its pods use; what a replica serves is learned from the target"
        )
        return []
    draft.put(("forecast", "enabled"), False, "none of its metrics tells a load")
    return ["nothing is forecast: none of its metrics tells a load; `load` in the policy names one"]


def _number(text: Any) -> float | None:
    try:
        return parse_milli(str(text)) / 1000
    except ValueError:
        return None


def _documents(name: Workload, group: Sequence[Original], draft: Draft) -> tuple[dict[str, Any], ...]:
    namespace, _, target = name
    signals = [
        {
            "apiVersion": API_VERSION,
            "kind": "Signal",
            "metadata": {"name": signal, "namespace": namespace, "annotations": {FROM: _from(group)}},
            "spec": spec,
        }
        for signal, spec in draft.signals.items()
    ]
    spec = {field: draft.spec[field] for field in _in_order(draft.spec)}
    spec = {"targetRef": spec.pop("targetRef"), "mode": "recommend"} | spec
    metadata = {"name": target, "namespace": namespace, "annotations": {FROM: _from(group)}}
    policy = {"apiVersion": API_VERSION, "kind": "ScalingPolicy", "metadata": metadata, "spec": spec}
    return (*signals, policy)


def _from(group: Sequence[Original]) -> str:
    return ",".join(one.key for one in group)


def _in_order(spec: Mapping[str, Any]) -> Iterator[str]:
    """As the model has its fields."""
    names = checking.field_names(ScalingPolicySpec)
    yield from (name for name in names if name in spec)


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(map(str, path))
