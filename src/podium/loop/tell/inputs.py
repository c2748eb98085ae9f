"""What a decision saw of its workload, in words."""

from __future__ import annotations

import math

from podium.loop.prices.price import Price
from podium.loop.remember.record import Turn
from podium.loop.tabulate import Policies
from podium.loop.tell import spare, words
from podium.loop.tell.replicas import learned
from podium.model import clock
from podium.model.arrays import UNKNOWN
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Level


def inputs(turn: Turn, fleet: Fleet, policies: Policies, slot: int, price: Price | None = None) -> dict[str, str]:
    """What a decision saw: replicas, pods, each signal with its age, the lead time, the forecast, the reserve."""
    snapshot, key = turn.snapshot, fleet.slots[slot].key
    replicas = snapshot.replicas[slot]
    seen = {
        "replicas": "unknown" if replicas == UNKNOWN else f"{replicas} asked for, {max(turn.ready[slot], 0)} ready",
        "lead time": clock.duration(round(float(turn.lead[slot]))),
    }
    for name, level in snapshot.signals.items():
        if level.source[slot] == UNKNOWN:
            if not math.isnan(level.value[slot]):  # of no source: judged from the readings of another signal
                seen[name] = f"{level.value[slot]:.2f}, {_age(level, slot, snapshot.now)} old; from 0.5 on, an anomaly"
            continue
        source = snapshot.sources[level.source[slot]]
        if math.isnan(level.value[slot]):
            if source != snapshot.sources[-1] and not _named(policies, key, name):
                continue  # a Signal of its namespace that other workloads follow
            seen[name] = f"unknown (source {source})"
        else:
            value = words.measured(float(level.value[slot]), "" if key is None else policies.unit(key, name))
            seen[name] = f"{value} from {source}, {_age(level, slot, snapshot.now)} old"
    policy = policies.documents.get(key) if key is not None else None
    if key is not None and policy is not None and policy.spec.load is not None:
        unit = policies.unit(key, policy.spec.load.signal)
        if (told := learned(turn.learned, slot, policy.spec, unit)) is not None:
            seen["capacity"] = told.words
        if (kept := spare.told(turn, policy.spec, slot, price)) is not None:
            seen["reserve"] = kept
    coverage = float(turn.forecast.coverage[slot])
    standing = "trusted" if turn.forecast.trusted[slot] else "not trusted"
    seen["forecast"] = standing + ("" if math.isnan(coverage) else f", held in {100 * coverage:.1f} % of cases")
    seen["policy"] = turn.policies[:12]
    return seen


def _named(policies: Policies, key: WorkloadKey | None, signal: str) -> bool:
    """Whether a workload's policy speaks of a signal."""
    policy = policies.documents.get(key) if key is not None else None
    if policy is None:
        return False
    return signal in {name for _, name in policy.spec.signals} or any(signal in rule.when for rule in policy.spec.rules)


def _age(level: Level, slot: int, now: float) -> str:
    return clock.duration(round(max(now - float(level.at[slot]), 0.0)))
