"""Who is compared: `podium`, `hpa:70`, `kpa`, `keda:80`, `fft`, `static:12`, `oracle`.

Each comes with the documents and the policies behind it.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Mapping, Sequence
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

Kind = Literal["podium", "hpa", "kpa", "keda", "fft", "static", "oracle", "recorded"]
EXPECTED = (
    "podium, podium:RISK (as podium:0.01), hpa:TARGET (per cent, as hpa:70), kpa, keda:LAG (per cent of what a replica "
    "serves, as keda:80), fft, fft:TARGET (as fft:70), static:REPLICAS (as static:12) or oracle"
)
FORESEEN = "foreseen"  # the signal that `fft` scales by beside the load
FFT_TARGET = 70.0  # per cent

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
    spec: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # of the policy, beside what the kind says

    @property
    def closed_loop(self) -> bool:
        """Whether it decides turn by turn; the others are known beforehand."""
        return self.kind in ("podium", "hpa", "kpa", "keda", "fft")

    @property
    def share(self) -> float:
        """How full a replica is meant to be: 1 where nobody says."""
        return self.number / 100 if self.kind in ("hpa", "keda", "fft") else 1.0


def parse(text: str, risk: float) -> Contender:
    """Read what `--policy` takes; `risk` is meant where `podium` names none. Raises Unclear."""
    kind, colon, number = text.partition(":")
    if text in ("oracle", "kpa"):
        return Contender(text, "oracle" if text == "oracle" else "kpa")
    if text == "podium":
        return Contender(text, "podium", risk)
    if text == "fft":
        return Contender(text, "fft", FFT_TARGET)
    value = _number(number) if colon else math.nan
    if kind in ("keda", "fft") and 1 <= value <= 1000:
        return Contender(text, "keda" if kind == "keda" else "fft", value)
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
    elif contender.kind in ("keda", "fft"):
        spec["behavior"] = BEHAVIOR
        names = (LOAD, FORESEEN) if contender.kind == "fft" else (LOAD,)
        spec["metrics"] = [_per_replica(name, contender.share) for name in names]
    elif contender.kind == "kpa":
        spec["load"] = {"signal": LOAD, "capacityPerReplica": REPLICA}
        spec["forecast"] = {"enabled": False}
    else:
        spec["load"] = {"signal": LOAD, "capacityPerReplica": REPLICA}
        spec["objective"] = {"unservedFraction": contender.number}
        spec["forecast"] = {"leadTime": duration(max(startup_seconds, 1.0))}
    spec |= contender.spec
    whole = {
        "apiVersion": "podium.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": f"slot-{number}", "namespace": "backtest"},
        "spec": spec,
    }
    return ScalingPolicy.model_validate_json(json.dumps(whole))


def _per_replica(signal: str, share: float) -> dict[str, Any]:
    """A metric as KEDA hands it to its HPA: so much of a load per replica, whoever of them is ready."""
    target = {"type": "AverageValue", "averageValue": f"{round(share * REPLICA)}"}
    return {"type": "External", "external": {"metric": {"name": signal}, "target": target}}


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
    """What looks at the present alone: Kubernetes' own HPA, KEDA's, or Knative's KPA, and nothing of Podium's."""

    def __init__(self, table: PolicyTable, kind: Kind) -> None:
        self._table = table
        self._kind = kind
        self._state: State = empty_state(len(table))
        self._no_lead: Float64s = np.zeros(len(table))

    def __call__(self, number: int, snapshot: Snapshot, ready: Int64s) -> Int64s:
        """One turn."""
        del number  # the present is enough
        forecast = no_forecast(snapshot.now, len(self._table))
        order = {"kpa": _kpa, "keda": _keda, "fft": _keda}.get(self._kind, _hpa)(ready)
        self._state, decisions = decide(self._state, snapshot, forecast, self._table, self._no_lead, order=order)
        return decisions.replicas


class Foretold:
    """An HPA that sees a forecast beside the load, as crane's EHPA does: the larger of the two counts."""

    def __init__(self, table: PolicyTable, peaks: Float64s, row: Int64s, column: Int64s) -> None:
        """Slot n lives through `peaks` [t, m] from `row[n]` on, under the load of `column[n]`."""
        self._reactive = Reactive(table, "fft")
        self._peaks, self._row, self._column = peaks, row, column

    def __call__(self, number: int, snapshot: Snapshot, ready: Int64s) -> Int64s:
        """One turn. Without a forecast the load alone counts."""
        load = snapshot.signals[LOAD]
        rows = np.clip(self._row + number, 0, len(self._peaks) - 1)
        expected = self._peaks[rows, self._column]
        value = np.where(np.isnan(expected), load.value, expected)
        seen = dataclasses.replace(
            snapshot, signals={**snapshot.signals, FORESEEN: dataclasses.replace(load, value=value)}
        )
        return self._reactive(number, seen, ready)


def _kpa(ready: Int64s) -> tuple[Policy, ...]:
    """The policies of Knative's own autoscaler (`loop.decide.policies.KPA`), for turns a minute apart."""
    return (
        horizontal.observed,
        horizontal.within_bounds,
        functools.partial(autoscale_by_minute, ready=ready),
        horizontal.within_limits,
    )


def _keda(_ready: Int64s) -> tuple[Policy, ...]:
    """The policies of the HPA that KEDA drives: a load of the whole workload, not of its pods."""
    return (
        horizontal.observed,
        horizontal.within_bounds,
        horizontal.follow_metrics,
        horizontal.stabilise,
        horizontal.limit_rate,
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
