"""What of a turn is worth an Event in the cluster: scalings, and what began or ended at a workload."""

from __future__ import annotations

from collections.abc import Iterator

from podium.loop.act.carry_out import Fate, Result
from podium.loop.clusters.kubernetes.events import Happened
from podium.loop.cycle import Turned
from podium.model.events import Event
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.verdict import Outcome, Verdict

_FINE = ("forecast.promoted", "forecast.demoted")  # neither is anybody's trouble


def of(turned: Turned, fleet: Fleet) -> Iterator[Happened]:
    """In the order of the turn. What is said of sources and of the fleet belongs to no object, and is left out."""
    for result in turned.results:
        if result.fate is not Fate.WITHHELD:
            yield _scaled(result)
    for verdict in turned.verdicts:
        if verdict.outcome is not Outcome.REACHED:
            yield _late(verdict)
    keys = {str(key): key for key in fleet.index} if turned.events else {}
    for event in turned.events:
        if (key := keys.get(event.subject)) is not None:
            yield _event(key, event)


def _scaled(result: Result) -> Happened:
    command = result.command
    words = f"from {command.current} to {command.replicas} replicas"
    if result.fate is Fate.WRITTEN:
        return _about(command.key, "Scaled", f"Podium scaled it {words}", right=True)
    return _about(command.key, "NotScaled", f"Podium could not scale it {words}: {result.words}", right=False)


def _late(verdict: Verdict) -> Happened:
    expected = verdict.expectation
    words = f"{verdict.ready} of {expected.replicas} replicas are ready, later than its starts usually take"
    return _about(expected.key, "Late", words, right=False)


def _event(key: WorkloadKey, event: Event) -> Happened:
    reason = "".join(part.capitalize() for part in event.type.replace("_", ".").split("."))
    right = event.type.endswith(".ended") or event.type in _FINE
    return _about(key, reason, str(event.data.get("words") or event.type.replace(".", " ")), right=right)


def _about(key: WorkloadKey, reason: str, note: str, *, right: bool) -> Happened:
    return Happened(key.group, key.kind, key.namespace, key.name, right, reason, note)
