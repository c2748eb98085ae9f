"""Expectations and their verdicts: pure. A scale-up is reached when as many pods are ready as were asked for."""

from __future__ import annotations

from collections.abc import Mapping

from podium.model.command import Scale
from podium.model.identity import WorkloadKey
from podium.model.verdict import Expectation, Outcome, Verdict

PATIENCE = 3.0  # times the lead time: slower than three ordinary starts is late
LEAST_SECONDS = 300.0  # and no deadline is nearer than an HPA's own patience

Expectations = Mapping[WorkloadKey, Expectation]


def expect(command: Scale, at: float, lead_seconds: float) -> Expectation:
    """What a command that was just written should bring about."""
    return Expectation(
        key=command.key,
        replicas=command.replicas,
        before=command.current,
        since=at,
        deadline=at + max(PATIENCE * lead_seconds, LEAST_SECONDS),
    )


def judge(pending: Expectations, ready: Mapping[WorkloadKey, int], now: float) -> tuple[Verdict, ...]:
    """The expectations that ended: reached, or late. A workload that was not observed is not judged."""
    verdicts = []
    for key, expectation in pending.items():
        seen = ready.get(key)
        if seen is None:
            continue
        growing = expectation.replicas > expectation.before
        reached = seen >= expectation.replicas if growing else seen <= expectation.replicas
        if reached or now >= expectation.deadline:
            outcome = Outcome.REACHED if reached else Outcome.LATE
            verdicts.append(Verdict(expectation=expectation, outcome=outcome, at=now, ready=seen))
    return tuple(verdicts)
