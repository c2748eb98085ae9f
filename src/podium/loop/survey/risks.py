"""What will hurt, or hurts already, with what it is seen by."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence

from podium.loop.backtest.advice import Advice
from podium.loop.backtest.chart import percent
from podium.loop.survey import hpas, objects
from podium.loop.survey.finding import Finding, cores, counted, memory
from podium.loop.survey.rows import Fleet, Row

# How bad each is. What fails now comes before what cannot scale, that before what will not survive an ordinary day.
DOWN, STUCK, SHORT, FRAGILE = 4000.0, 3000.0, 2000.0, 1000.0
RECENT_SECONDS = 86_400.0  # a memory kill counts for a day
MANY_RESTARTS = 5  # of one container; fewer are what an ordinary month brings
NEAR_LIMIT = 0.9
OFTEN = 0.1  # of the CPU periods; from there on latency shows it


def risks(fleet: Fleet, advice: Mapping[str, Advice], now: float) -> list[Finding]:
    """The worst first. Of one workload several may be named: each has its own remedy."""
    found: list[Finding] = []
    for row in fleet.rows:
        found += [*_pods(row, now), *_scaling(row), *_use(row, fleet.window_seconds), *_drains(row)]
        if (known := advice.get(row.shown)) is not None:
            found += _replayed(row, known)
    found += [_targetless(hpa) for hpa in fleet.astray]
    return sorted(found, key=lambda one: (-one.weight, one.workload, one.code))


def _found(row: Row, code: str, weight: float, what: str, evidence: str, remedy: str) -> Finding:
    """Among equals, the larger workload first."""
    return Finding(code, row.shown, what, evidence, remedy, weight + min(len(row.pods) or row.replicas, 999))


def _pods(row: Row, now: float) -> Iterator[Finding]:
    """Pods that wait, die or crash."""
    waiting = [pod for pod in row.pods if pod.status.phase == "Pending"]
    refused = [one for pod in waiting for one in pod.status.conditions or () if one.reason == "Unschedulable"]
    if refused:
        why = " ".join(refused[0].message.split())[:160] or "nowhere to go"
        evidence = f"{len(refused)} of {counted(row.replicas, 'pod')} pending: {why}"
        yield _found(row, "pods-pending", DOWN, "pods find no node", evidence, "add nodes, or lower the requests")
    killed = [(pod, status, ended) for pod, status, ended in _ended(row.pods) if ended.reason == "OOMKilled"]
    lately = [one for one in killed if _age(one[2], now) <= RECENT_SECONDS]
    if lately:
        pod, status, ended = min(lately, key=lambda one: _age(one[2], now))
        limit = "" if row.limit.memory is None else f", limit {memory(row.limit.memory)}"
        count = len({one[0].metadata.name for one in lately})
        last = f"last {pod.metadata.name}/{status.name} {_ago(_age(ended, now))}"
        evidence = f"{counted(count, 'pod')} within a day; {last}{limit}"
        yield _found(
            row, "memory-killed", DOWN, "killed for its memory", evidence, "raise the memory limit, or find the leak"
        )
    crashing = [
        (pod, one) for pod in row.pods for one in pod.status.container_statuses or ()
        if (one.state.waiting is not None and one.state.waiting.reason == "CrashLoopBackOff")
    ]  # fmt: skip
    if crashing:
        pod, one = max(crashing, key=lambda pair: pair[1].restart_count)
        evidence = (
            f"{counted(len(crashing), 'container')}, {one.restart_count} restarts of {pod.metadata.name}/{one.name}"
        )
        yield _found(
            row, "crash-loop", DOWN, "crashes again and again", evidence, f"kubectl logs -p {pod.metadata.name}"
        )
        return
    restarts = [(one.restart_count, pod, one) for pod in row.pods for one in pod.status.container_statuses or ()]
    count, pod, one = max(restarts, key=lambda each: each[0], default=(0, objects.Pod(), objects.ContainerStatus()))
    if count >= MANY_RESTARTS and not lately:
        evidence = f"{pod.metadata.name}/{one.name} restarted {count} times"
        yield _found(row, "restarts", SHORT, "restarts often", evidence, "look at its last logs and its probes")


def _ended(
    pods: Sequence[objects.Pod],
) -> Iterator[tuple[objects.Pod, objects.ContainerStatus, objects.Terminated]]:
    for pod in pods:
        for status in pod.status.container_statuses or ():
            for state in (status.state, status.last_state):
                if state.terminated is not None:
                    yield pod, status, state.terminated


def _age(ended: objects.Terminated, now: float) -> float:
    when = ended.finished_at
    return 0.0 if when is None else now - when.replace(tzinfo=when.tzinfo or datetime.UTC).timestamp()


def _ago(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h ago" if seconds >= 5400 else f"{max(seconds, 0) / 60:.0f} min ago"


def _scaling(row: Row) -> Iterator[Finding]:
    """HPAs that cannot do what they are for."""
    if len(row.hpas) > 1:
        names = " and ".join(one.metadata.name for one in row.hpas)
        yield _found(
            row, "two-autoscalers", STUCK, "two HPAs on one workload", f"{names} write the same replicas in turn",
            "leave one",
        )  # fmt: skip
    for hpa in row.hpas:
        yield from _one_hpa(row, hpa)


def _one_hpa(row: Row, hpa: objects.Hpa) -> Iterator[Finding]:
    name, low, high = hpa.metadata.name, hpa.spec.minimum, hpa.spec.max_replicas
    if low == high:
        words = f"HPA {name}: minReplicas and maxReplicas are both {low}"
        yield _found(row, "hpa-fixed", STUCK, "its HPA has no room", words, "raise maxReplicas, or delete the HPA")
    if row.bare and (asked := _utilised(hpa, row.bare)):
        words = f"HPA {name} wants {asked}; {', '.join(row.bare)} requests no CPU"
        yield _found(row, "no-requests", STUCK, "its HPA cannot work", words, "set resources.requests.cpu")
        return
    active = hpa.condition("ScalingActive")
    if active.status == "False" and active.reason != "ScalingDisabled":
        words = f"HPA {name}: {active.reason}: {' '.join(active.message.split())[:160]}"
        yield _found(row, "metric-missing", STUCK, "its HPA has no metric", words, "bring the metric, or use another")
        return
    full = max(hpas.fullness(hpa), key=lambda pair: pair[1], default=None)
    limited = hpa.condition("ScalingLimited")
    pinned = limited.status == "True" and limited.reason == "TooManyReplicas"
    if low < high and hpa.status.current_replicas >= high and (pinned or (full is not None and full[1] > 1.1)):
        words = f"HPA {name} stands at its maximum of {high}"
        words += f"; {full[0]} is at {full[1]:.0%} of its target" if full is not None else f": {limited.reason}"
        yield _found(
            row, "pinned-at-maximum", STUCK, "cannot grow any more", words, "raise maxReplicas, after a look at quotas"
        )


def _utilised(hpa: objects.Hpa, bare: Sequence[str]) -> str:
    """The CPU metric of an HPA that needs the requests which are not there, in words."""
    for metric in hpas.metrics(hpa):
        for part in (metric.resource, metric.container_resource):
            whose = part is not None and (not part.container or part.container in bare)
            if part is not None and whose and part.name == "cpu" and part.target.type == "Utilization":
                return f"CPU at {part.target.average_utilization} % of the request"
    return ""


def _targetless(hpa: objects.Hpa) -> Finding:
    target = hpa.spec.scale_target_ref
    shown = f"{hpa.metadata.namespace}/{target.kind.lower()}/{target.name}"
    words = f"HPA {hpa.metadata.name} names {target.kind} {target.name}, which is not there"
    return Finding("target-missing", shown, "an HPA without a target", words, "delete it, or correct its target", STUCK)


def _use(row: Row, window: float) -> Iterator[Finding]:
    """Pods at their limits: throttled, or about to be killed."""
    over = f"in one reading of {window:.0f} s"
    limit, used = row.limit.memory, row.peak("memory")
    if limit and used is not None and used >= NEAR_LIMIT * limit:
        words = f"the fullest of {counted(len(row.used), 'pod')} uses {memory(used)} of {memory(limit)} {over}"
        yield _found(row, "memory-at-limit", SHORT, "about to be killed for memory", words, "raise the memory limit")
    if row.throttled is not None and row.throttled >= OFTEN:
        words = f"its worst pod was held back in {row.throttled:.0%} of its CPU periods"
        yield _found(row, "throttled", SHORT, "throttled", words, "raise the CPU limit, or take it away")
    limit, used = row.limit.cpu, row.peak("cpu")
    if row.throttled is None and limit and used is not None and used >= NEAR_LIMIT * limit:
        words = f"the fullest of {counted(len(row.used), 'pod')} uses {cores(used)} of {cores(limit)} {over}"
        yield _found(row, "cpu-at-limit", SHORT, "throttled", words, "raise the CPU limit, or add replicas")
    asked, used = row.request.memory, row.total("memory")
    if asked and used is not None and used > asked * len(row.used):
        words = f"{memory(used)} used by {counted(len(row.used), 'pod')}, which request {memory(asked * len(row.used))}"
        yield _found(
            row, "memory-above-request", FRAGILE, "first to go when a node is short", words, "raise the request"
        )


def _drains(row: Row) -> Iterator[Finding]:
    """What happens when a node is drained."""
    if row.replicas < 1 or row.budgets is None:
        return
    blocking = [one for one in row.budgets if one.status.expected_pods and not one.status.disruptions_allowed]
    healthy = all(pod.status.phase == "Running" for pod in row.pods)
    if row.replicas == 1 and not row.budgets:
        words = "one replica, and no PodDisruptionBudget: a drained node takes all of it"
        yield _found(
            row, "single-replica", FRAGILE, "one replica alone", words, "two replicas and a PodDisruptionBudget"
        )
    elif not row.budgets:
        words = f"{row.replicas} replicas, and no PodDisruptionBudget: a drain may take all at once"
        yield _found(
            row, "no-disruption-budget", FRAGILE - 900, "no disruption budget", words, "add a PodDisruptionBudget"
        )
    elif blocking and healthy and row.pods:
        names = ", ".join(one.metadata.name for one in blocking)
        words = f"PodDisruptionBudget {names} allows no disruption of {row.replicas} replicas: no node can be drained"
        yield _found(row, "drain-blocked", FRAGILE, "keeps nodes from being drained", words, "allow one disruption")


def _replayed(row: Row, known: Advice) -> Iterator[Finding]:
    """Load that found no capacity: it grew faster than replicas start."""
    if known.at_risk <= 0:
        return
    wait = known.replayed.case.startup_seconds
    words = (
        f"{percent(known.was.unserved_fraction)} of the load found no capacity in {known.was.violation_minutes} "
        f"minutes of {float(known.was.minutes.sum()) / 1440:.1f} days; a new replica takes {wait:.0f} s, "
        f"ahead of the load {percent(known.would.unserved_fraction)} would have"
    )
    yield _found(row, "slower-than-its-load", STUCK, "starts slower than its load grows", words, "podium adopt")
