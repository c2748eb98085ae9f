"""What must hold between policies, and between policies and signals."""

from __future__ import annotations

import collections
from collections.abc import Iterator

from podium.documents import cel
from podium.documents.collection import Documents
from podium.documents.problem import Problem, nearest
from podium.loop import apimetrics, conditions
from podium.loop.calendar.document import Calendar
from podium.loop.conditions import KNOWN, RESOURCES
from podium.loop.policy import ScalingPolicy
from podium.loop.rules.trial import trial
from podium.signals.signal import Signal


def named_signals_exist(documents: Documents) -> Iterator[Problem]:
    """Every signal that a policy names is a Signal of its own namespace; a metric may be of the cluster's own APIs."""
    for policy in documents.of(ScalingPolicy):
        known = [signal.metadata.name for signal in documents.of(Signal) if signal.namespace == policy.namespace]
        for path, name in policy.spec.signals:
            if name not in known and (path[1] != "metrics" or nearest(name, known)):
                expected = f"the name of a Signal in namespace {policy.namespace}{nearest(name, known)}"
                yield Problem.at(policy.source, path, expected, name)


def anomalies_are_of_measured_signals(documents: Documents) -> Iterator[Problem]:
    """Every anomaly judges a Signal of its own namespace that is measured: a score of scores says nothing."""
    for signal in documents.of(Signal):
        if signal.spec.anomaly is None:
            continue
        of = signal.spec.anomaly.of
        others = {one.metadata.name: one for one in documents.of(Signal) if one.namespace == signal.namespace}
        measured = [name for name, one in others.items() if one.spec.anomaly is None]
        if of not in measured:
            expected = f"the name of a measured Signal in namespace {signal.namespace}{nearest(of, measured)}"
            got = f"{of}, which is an anomaly" if of in others else of
            yield Problem.at(signal.source, ("spec", "anomaly", "of"), expected, got)


def pods_have_no_score(documents: Documents) -> Iterator[Problem]:
    """A metric of pods needs a sample of each, and an anomaly has one value per workload."""
    scores = {(one.namespace, one.metadata.name) for one in documents.of(Signal) if one.spec.anomaly is not None}
    for policy in documents.of(ScalingPolicy):
        for number, metric in enumerate(policy.spec.metrics):
            if metric.pods is not None and (policy.namespace, metric.pods.metric.name) in scores:
                path = ("spec", "metrics", number, "pods", "metric", "name")
                expected = "a Signal that is measured pod by pod; use an anomaly in a metric of type External"
                yield Problem.at(policy.source, path, expected, metric.pods.metric.name)


def signals_select_by_themselves(documents: Documents) -> Iterator[Problem]:
    """Beside a Signal a metric has no selector of its own: which series count is what the Signal's query says."""
    signals = {(one.namespace, one.metadata.name) for one in documents.of(Signal)}
    for policy in documents.of(ScalingPolicy):
        for number, metric in enumerate(policy.spec.metrics):
            name = metric.identifier.name if metric.identifier is not None else ""
            if (policy.namespace, name) not in signals:
                continue
            if metric.identifier is not None and metric.identifier.selector is not None:
                part = metric.type[0].lower() + metric.type[1:]
                path = ("spec", "metrics", number, part, "metric", "selector")
                expected = f"nothing here: which series count is said by the query of the Signal {name}"
                yield Problem.at(policy.source, path, expected, "a selector")


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


def rules_are_conditions(documents: Documents) -> Iterator[Problem]:
    """Every rule is CEL over names that there are, is true or false, and is answered at once."""
    known: dict[str, list[str]] = collections.defaultdict(list)
    for signal in documents.of(Signal):
        known[signal.namespace].append(signal.metadata.name)
    asked: dict[str, tuple[str, ...]] = {}
    rules = [
        (policy, ("spec", "rules", number, "when"), rule.when)
        for policy in documents.of(ScalingPolicy)
        for number, rule in enumerate(policy.spec.rules)
    ]
    strange = set()
    for policy, path, text in rules:
        names = {*cel.spoken([*RESOURCES, *known[policy.namespace]]), *KNOWN}
        read = cel.free(text)
        asked[text] = tuple(word for word in read if word in names)
        for word in read:
            if word not in names:
                strange.add(text)
                expected = f"a Signal of namespace {policy.namespace}, or one of {', '.join(KNOWN)}"
                yield Problem.at(policy.source, path, expected + nearest(word, sorted(names)), word)
    wrong = trial({text: names for text, names in asked.items() if text not in strange})
    for policy, path, text in rules:
        if text in wrong:
            yield Problem.at(policy.source, path, wrong[text], text)


def calendars_speak_of_somebody(documents: Documents) -> Iterator[Problem]:
    """Every calendar names workloads of its own namespace that are forecast, or nothing would come of it."""
    for calendar in documents.of(Calendar):
        policies = [one for one in documents.of(ScalingPolicy) if one.namespace == calendar.namespace]
        meant = [one for one in policies if calendar.means(one.namespace, one.spec.target_ref, one.metadata.labels)]
        target = calendar.spec.target_ref
        if not meant and target is not None:
            known = [one.spec.target_ref.name for one in policies]
            expected = f"a workload with a ScalingPolicy in namespace {calendar.namespace}{nearest(target.name, known)}"
            yield Problem.at(calendar.source, ("spec", "targetRef", "name"), expected, target.name)
        elif not meant:
            path = ("spec",) if calendar.spec.selector is None else ("spec", "selector")
            expected = f"to match a ScalingPolicy in namespace {calendar.namespace}"
            yield Problem.at(calendar.source, path, expected, "none that matches")
        elif not any(one.spec.load is not None and one.spec.forecast.enabled for one in meant):
            expected = "a workload whose policy has a load and a forecast"
            yield Problem.at(calendar.source, ("spec",), expected, ", ".join(one.metadata.name for one in meant))


def dependencies_are_seen(documents: Documents) -> Iterator[Problem]:
    """Every workload that another leans on has a policy, or nobody looks at it; and none leans on itself."""
    workloads = {policy.workload("any") for policy in documents.of(ScalingPolicy)}
    for policy in documents.of(ScalingPolicy):
        own = policy.workload("any")
        for number, one in enumerate(policy.spec.dependencies):
            if one.target_ref is None:
                continue
            path, meant = ("spec", "dependencies", number, "targetRef"), conditions.target(own, one.target_ref)
            got = f"{one.target_ref.kind} {one.target_ref.name}"
            if meant == own:
                yield Problem.at(policy.source, path, "another workload than the policy's own", got)
            elif meant not in workloads:
                known = [key.name for key in workloads if key.namespace == own.namespace]
                expected = f"a workload with a ScalingPolicy in namespace {own.namespace}"
                yield Problem.at(policy.source, path, expected + nearest(one.target_ref.name, known), got)


CHECKS = (
    calendars_speak_of_somebody,
    dependencies_are_seen,
    named_signals_exist,
    anomalies_are_of_measured_signals,
    pods_have_no_score,
    signals_select_by_themselves,
    apimetrics.told_apart,
    one_policy_per_workload,
    rules_are_conditions,
)
