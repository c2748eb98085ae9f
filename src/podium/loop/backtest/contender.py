"""Who is compared: `podium`, `hpa:70`, `kpa`, `static:12`, `oracle`, each with the documents and policies behind it."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from podium.loop.backtest.alike import autoscale_by_minute, follow_alike
from podium.loop.backtest.foresee import Foreseen
from podium.loop.decide import horizontal
from podium.loop.decide.draft import Policy
from podium.loop.decide.policies import decide
from podium.loop.decide.state import State, empty_state
from podium.loop.decide.table import Guards, PolicyTable
from podium.loop.policy import ScalingPolicy
from podium.loop.remember.memory import AHEAD, LEVELS
from podium.loop.simulate import CPU, LOAD, REPLICA
from podium.loop.tabulate import Policies, tabulate
from podium.model.arrays import Float64s, Int64s
from podium.model.clock import duration
from podium.model.fleet import Fleet, Slot
from podium.model.forecast import Forecast
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Snapshot

Kind = Literal["podium", "hpa", "kpa", "static", "oracle", "recorded"]
EXPECTED = (
    "podium, podium:RISK (as podium:0.01), hpa:TARGET (per cent, as hpa:70), static:REPLICAS (as static:12) or oracle"
)

# One sync a minute stands for four: 4 pods or 100 % in 15 s, four times over, are 16 pods or 16 times the pods.
BEHAVIOR: dict[str, Any] = {
    "scaleUp": {"policies": [{"type": "Percent", "value": 1500, "periodSeconds": 60}]},
}
# The guard bounds a whole installation, and one workload is replayed: it stands for one of many, and is not bound.
ONE_OF_MANY = Guards(reduction_fraction=1.0)


class Unclear(ValueError):
    """A contender that cannot be read; the message says what was expected."""


@dataclasses.dataclass(frozen=True, slots=True)
class Contender:
    """One policy to compare. `number` is the risk, the target in per cent, or the replicas."""

    name: str  # as it was given
    kind: Kind
    number: float = math.nan

    @property
    def closed_loop(self) -> bool:
        """Whether it decides turn by turn; the others are known beforehand."""
        return self.kind in ("podium", "hpa", "kpa")


def parse(text: str, risk: float) -> Contender:
    """Read what `--policy` takes; `risk` is meant where `podium` names none. Raises Unclear."""
    kind, colon, number = text.partition(":")
    if text in ("oracle", "kpa"):
        return Contender(text, "oracle" if text == "oracle" else "kpa")
    if text == "podium":
        return Contender(text, "podium", risk)
    value = _number(number) if colon else math.nan
    if kind == "podium" and 0 < value < 1:
        return Contender(text, "podium", value)
    if kind == "hpa" and 1 <= value <= 1000 and value == int(value):
        return Contender(text, "hpa", value)
    if kind == "static" and 1 <= value <= 1_000_000 and value == int(value):
        return Contender(text, "static", value)
    raise Unclear(f"{text!r} is not a policy; expected {EXPECTED}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Fewest and most replicas of every contender that decides."""

    minimum: int = 1
    maximum: int = 1_000_000


def document(contender: Contender, number: int, limits: Limits, startup_seconds: float) -> ScalingPolicy:
    """The ScalingPolicy under which a contender's slot `number` is scaled: what a user would write for it."""
    spec: dict[str, Any] = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"slot-{number}"},
        "mode": "own",
        "replicas": {"min": limits.minimum, "max": limits.maximum},
    }
    if contender.kind == "hpa":
        spec["behavior"] = BEHAVIOR
        target = {"type": "Utilization", "averageUtilization": int(contender.number)}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": CPU, "target": target}}]
    elif contender.kind == "kpa":
        spec["load"] = {"signal": LOAD, "capacityPerReplica": REPLICA}
        spec["forecast"] = {"enabled": False}
    else:
        spec["load"] = {"signal": LOAD, "capacityPerReplica": REPLICA}
        spec["objective"] = {"unservedFraction": contender.number}
        spec["forecast"] = {"leadTime": duration(max(startup_seconds, 1.0))}
    whole = {
        "apiVersion": "podium.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": f"slot-{number}", "namespace": "backtest"},
        "spec": spec,
    }
    return ScalingPolicy.model_validate_json(json.dumps(whole))


def table(documents: Sequence[ScalingPolicy]) -> PolicyTable:
    """The policies of these documents as arrays, a slot each in their order."""
    keys = [WorkloadKey("backtest", "backtest", "deployment", "apps", one.spec.target_ref.name) for one in documents]
    fleet = Fleet(tuple(Slot(key, "backtest") for key in keys))
    return tabulate(Policies(dict(zip(keys, documents, strict=True)), ONE_OF_MANY), fleet)


class Ahead:
    """Podium as it runs: the whole order of policies, told what is foreseen."""

    def __init__(self, table: PolicyTable, foreseen: Foreseen, row: Int64s, column: Int64s) -> None:
        """Slot n lives through `foreseen` from `row[n]` on, under the load of `column[n]`."""
        self._table = table
        self._foreseen = foreseen
        self._row = row
        self._column = column
        self._state: State = empty_state(len(table))
        self._last = len(foreseen.trusted) - 1

    def __call__(self, number: int, snapshot: Snapshot, ready: Int64s) -> Int64s:
        """One turn."""
        del ready  # the load is enough
        rows = np.clip(self._row + number, 0, self._last)
        forecast = self._foreseen.at(snapshot.now, rows, self._column)
        self._state, decisions = decide(self._state, snapshot, forecast, self._table, self._table.lead)
        return decisions.replicas


class Reactive:
    """What looks at the present alone: Kubernetes' own HPA, or Knative's KPA, and nothing of Podium's."""

    def __init__(self, table: PolicyTable, kind: Kind) -> None:
        self._table = table
        self._kind = kind
        self._state: State = empty_state(len(table))
        self._no_lead: Float64s = np.zeros(len(table))

    def __call__(self, number: int, snapshot: Snapshot, ready: Int64s) -> Int64s:
        """One turn."""
        del number  # the present is enough
        order = _kpa(ready) if self._kind == "kpa" else _hpa(ready)
        forecast = no_forecast(snapshot.now, len(self._table))
        self._state, decisions = decide(self._state, snapshot, forecast, self._table, self._no_lead, order=order)
        return decisions.replicas


def _kpa(ready: Int64s) -> tuple[Policy, ...]:
    """The policies of Knative's own autoscaler (`loop.decide.policies.KPA`), for turns a minute apart."""
    return (
        horizontal.observed,
        horizontal.within_bounds,
        functools.partial(autoscale_by_minute, ready=ready),
        horizontal.within_limits,
    )


def _hpa(ready: Int64s) -> tuple[Policy, ...]:
    """The policies of ORDER that are the HPA's, for replicas that are all alike and of which so many serve."""
    return (
        horizontal.observed,
        horizontal.within_bounds,
        functools.partial(follow_alike, ready=ready),
        horizontal.stabilise,
        horizontal.limit_rate,
        horizontal.within_limits,
    )


def no_forecast(now: float, size: int) -> Forecast:
    """Nothing is expected."""
    nothing = np.empty((len(LEVELS), 0, size), np.float32)
    unknown = np.full(size, np.nan, np.float32)
    return Forecast(now, LEVELS, AHEAD[:0], nothing, unknown, np.zeros(size, np.bool_))
