"""Recorded answers of Kubernetes' own HPA controller (k8s.io/kubernetes v1.36.3), and the same questions as arrays.

`upstream.jsonl.gz` holds random states and timelines, a line each, with what upstream answered when it was driven under
virtual time: `NewReplicaCalculator` for states, the controller's own normalisation and scale events for timelines.
Times are seconds from the moment of the question.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.loop.decide import policies, trust
from podium.loop.decide.draft import Turn
from podium.loop.decide.metrics import Proposals, propose
from podium.loop.decide.state import empty_state
from podium.loop.decide.table import Guards, MetricGroup, MetricKind, PolicyTable, RateRules, Reactive, Select
from podium.model.arrays import UNKNOWN
from podium.model.forecast import Forecast
from podium.model.snapshot import Level, Phase, Pods, Ready, Samples, Snapshot, no_pods

RECORDED = Path(__file__).with_name("upstream.jsonl.gz")
NOW = 1_000_000_000.0
HPA = policies.ORDER[: policies.ORDER.index(trust.distrust)]  # what Kubernetes' own controller does

Line = dict[str, Any]
KINDS = {
    "utilization": MetricKind.UTILISATION,
    "averageResource": MetricKind.AVERAGE,
    "average": MetricKind.AVERAGE,
    "value": MetricKind.VALUE,
    "objectValue": MetricKind.VALUE,
    "averageValue": MetricKind.AVERAGE_VALUE,
    "objectAverageValue": MetricKind.AVERAGE_VALUE,
}


def recorded() -> tuple[list[Line], list[Line]]:
    """(states, timelines), each with its `answer`."""
    with gzip.open(RECORDED, "rt") as file:
        lines = [json.loads(line) for line in file]
    return [line for line in lines if "ticks" not in line], [line for line in lines if "ticks" in line]


def proposals(lines: Sequence[Line]) -> list[int | None]:
    """What each state's metric proposes; None where it is missing. One call per kind of metric and its resource."""
    answers: list[int | None] = [None] * len(lines)
    kinds = sorted({(line["kind"], line.get("resource", "")) for line in lines})
    for kind in kinds:
        rows = [number for number, line in enumerate(lines) if (line["kind"], line.get("resource", "")) == kind]
        answer = _proposed([lines[row] for row in rows], *kind)
        for row, replicas, known in zip(rows, answer.replicas.tolist(), answer.known.tolist(), strict=True):
            answers[row] = replicas if known else None
    return answers


def _proposed(lines: Sequence[Line], kind: str, resource: str) -> Proposals:
    size = len(lines)
    name = resource or "signal"
    everyone = np.arange(size, dtype=np.int32)
    group = MetricGroup(KINDS[kind], name, everyone, _ints(lines, "target"), np.zeros(size, np.int16))
    rules = dataclasses.replace(
        table(size),
        metrics=(group,),
        up=_rules(size, tolerance=np.array([line["up"] for line in lines])),
        down=_rules(size, tolerance=np.array([line["down"] for line in lines])),
    )
    value = np.array([line.get("value", 0) for line in lines]) / 1000
    seen = snapshot(_ints(lines, "current"), _pods(lines, name), {name: _level(value)}, status=_ints(lines, "status"))
    return propose(Turn(NOW, rules, seen, nothing_ahead(size), np.zeros(size), empty_state(size)), group)


def _ints(lines: Sequence[Line], name: str) -> NDArray[np.int64]:
    return np.array([line.get(name, 0) for line in lines], np.int64)


def _level(value: NDArray[np.float64]) -> Level:
    return Level(value, np.full(len(value), NOW), np.zeros(len(value), np.int32))


def _pods(lines: Sequence[Line], name: str) -> Pods:
    rows = [(slot, pod) for slot, line in enumerate(lines) for pod in _pod_rows(line)]
    samples = [pod["sample"] for _, pod in rows]
    return Pods(
        slot=np.array([slot for slot, _ in rows], np.int32),
        phase=np.array([Phase[pod["phase"].upper()] for _, pod in rows], np.int8),
        ready=np.array([Ready[(pod["ready"] or "absent").upper()] for _, pod in rows], np.int8),
        deleting=np.array([pod["deleting"] for _, pod in rows], np.bool_),
        start=np.array([np.nan if pod["start"] is None else NOW + pod["start"] for _, pod in rows], np.float64),
        transition=np.array([NOW + pod["transition"] if pod["ready"] else np.nan for _, pod in rows], np.float64),
        requests={name: np.array([pod["request"] for _, pod in rows], np.int64)},
        samples={
            name: Samples(
                np.array([one["milli"] if one else UNKNOWN for one in samples], np.int64),
                np.array([NOW + one["at"] if one else np.nan for one in samples], np.float64),
                np.array([one["window"] if one else np.nan for one in samples], np.float64),
            )
        },
    )


def _pod_rows(line: Line) -> Iterator[Line]:
    yield from line.get("pods") or ()
    for sample in line.get("gone") or ():
        yield {
            "phase": "gone",
            "ready": "",
            "deleting": False,
            "start": None,
            "transition": 0,
            "request": UNKNOWN,
            "sample": sample,
        }


def _rules(size: int, *, tolerance: NDArray[np.float64] | None = None, written: Line | None = None) -> RateRules:
    """One direction for every slot: as a timeline's line writes it, else without a window or a rate."""
    policies = written["rules"] if written else []
    count = len(policies)
    return RateRules(
        window=np.full(size, float(written["window"]) if written else 0.0),
        select=np.full(size, Select[written["select"].upper()] if written else Select.MAX, np.int8),
        tolerance=np.full(size, 0.1) if tolerance is None else tolerance,
        slots=np.repeat(np.arange(size, dtype=np.int32), count),
        percent=np.tile(np.array([one["type"] == "Percent" for one in policies], np.bool_), size),
        value=np.tile(np.array([one["value"] for one in policies], np.int64), size),
        period=np.tile(np.array([one["period"] for one in policies], np.float64), size),
        longest=np.full(size, max((one["period"] for one in policies), default=0), np.float64),
    )


def table(size: int) -> PolicyTable:
    """Everything open: limits far away, guards wide, one unit of load per replica."""
    return PolicyTable(
        digest="",
        mode=np.full(size, 3, np.int8),
        minimum=np.ones(size, np.int64),
        maximum=np.full(size, 2**31 - 1, np.int64),
        pause_up=np.zeros(size, np.bool_),
        pause_down=np.zeros(size, np.bool_),
        metrics=(),
        behaved=np.zeros(size, np.bool_),
        up=_rules(size),
        down=_rules(size),
        load=("",) * size,
        capacity=np.full(size, np.nan),
        level=np.full(size, 0.99),
        forecast=np.zeros(size, np.bool_),
        lead=np.full(size, np.nan),
        reactive=Reactive(),
        guards=Guards(reduction_fraction=1.0),
    )


def timeline_table(line: Line) -> PolicyTable:
    """The one slot of a timeline: its load is the number of replicas that its metrics ask for."""
    behaved = line.get("scaleUp") is not None
    return dataclasses.replace(
        table(1),
        minimum=np.array([line["min"]], np.int64),
        maximum=np.array([line["max"]], np.int64),
        metrics=(
            MetricGroup(
                MetricKind.LOAD, "asked", np.zeros(1, np.int32), np.array([1000], np.int64), np.zeros(1, np.int16)
            ),
        ),
        behaved=np.array([behaved]),
        up=_rules(1, written=line.get("scaleUp")),
        down=_rules(1, written=line.get("scaleDown")),
        reactive=Reactive(downscale_stabilization=float(line["stabilization"])),
    )


def snapshot(
    replicas: NDArray[np.int64],
    pods: Pods,
    signals: dict[str, Level],
    *,
    at: float = NOW,
    status: NDArray[np.int64] | None = None,
    written: NDArray[np.int64] | None = None,
    written_from: NDArray[np.int64] | None = None,
    sources: tuple[str, ...] = ("source",),
) -> Snapshot:
    """A fleet as observed at `at`."""
    nothing = np.full(len(replicas), UNKNOWN, np.int64)
    return Snapshot(
        now=at,
        sources=sources,
        answered=np.ones(len(sources), np.bool_),
        replicas=replicas,
        status_replicas=replicas if status is None else status,
        written=nothing if written is None else written,
        written_from=nothing if written_from is None else written_from,
        pods=pods,
        signals=signals,
    )


def nothing_ahead(size: int) -> Forecast:
    """No forecast for anybody."""
    return Forecast(
        NOW,
        np.array([0.99]),
        np.array([60.0]),
        np.full((1, 1, size), np.nan, np.float32),
        np.full(size, np.nan, np.float32),
        np.zeros(size, np.bool_),
    )


def replay(line: Line) -> list[int]:
    """The size after each tick of a timeline, as Podium's reactive policies write it."""
    rules, state, size, out = timeline_table(line), empty_state(1), 0, []
    written = written_from = None
    for tick in line["ticks"]:
        at = NOW + tick["at"]
        size = tick.get("current", size)
        asked = tick.get("proposal")
        level = Level(np.array([np.nan if asked is None else float(asked)]), np.array([at]), np.zeros(1, np.int32))
        seen = snapshot(
            np.array([size], np.int64), no_pods(), {"asked": level}, at=at, written=written, written_from=written_from
        )
        state, decisions = policies.decide(state, seen, nothing_ahead(1), rules, np.zeros(1), order=HPA)
        wanted = int(decisions.replicas[0])
        moved = wanted != size
        written = np.array([wanted if moved else UNKNOWN], np.int64)
        written_from = np.array([size if moved else UNKNOWN], np.int64)
        out.append(wanted)
        size = wanted
    return out
