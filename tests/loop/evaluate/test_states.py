"""What lies between a line and its answer: arrays of exact numbers."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
from tests.loop.evaluate.worlds import line, loads, pods, resource, spec

from podium.loop.decide import metrics
from podium.loop.decide.draft import Turn
from podium.loop.decide.state import empty_state
from podium.loop.evaluate import cases, fleet, states
from podium.loop.evaluate.admission import admit
from podium.loop.evaluate.rules import Settings

SETTINGS = Settings.of("5m", 0.1, "5m", "30s")


def test_every_number_on_the_way_to_a_proposal_is_int64_or_float64() -> None:
    case = line(
        spec(resource("cpu", averageUtilization=50)), pods=pods(4, cpu="1"), metrics={"pods": loads(3, cpu="100m")}
    )
    asking = states.asking(admit(cases.read(json.dumps(case).encode())), SETTINGS)
    table = fleet.table([asking.ruled], SETTINGS, [True])
    replicas = np.array([4], np.int64)
    seen = fleet.snapshot(states.ZERO, [asking.rows], replicas, replicas)
    turn = Turn(states.ZERO, table, seen, fleet.nothing_ahead(1, states.ZERO), np.zeros(1), empty_state(1))
    proposed = metrics.propose(turn, table.metrics[0])
    kinds = {field.name: getattr(proposed, field.name).dtype for field in dataclasses.fields(proposed)}
    assert kinds.pop("trouble") == np.int8
    assert set(kinds.values()) == {np.dtype(np.int64), np.dtype(np.float64)}


def test_values_beyond_what_a_float_holds_are_exact() -> None:
    case = line(
        spec(
            {
                "type": "External",
                "external": {"metric": {"name": "q"}, "target": {"type": "AverageValue", "averageValue": "1"}},
            }
        ),
        statusReplicas=1,
        metrics={"external": [{"metricName": "q", "value": "9007199254740993m"}]},
    )
    asking = states.asking(admit(cases.read(json.dumps(case).encode())), SETTINGS)
    assert asking.rows.values == {"value.0": 2**53 + 1}
