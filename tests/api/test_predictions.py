"""The doors that say what scaling will need."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api.fakes import WEB, FakeView, ask, visited, workload

ONE = f"/api/v1/workloads/{WEB}/prediction"


async def test_one_workload_is_answered_with_the_quantiles_behind_it() -> None:
    async with visited() as client:
        told = (await ask(client.get(ONE, params={"horizon": "30m", "confidence": "0.9"}))).json()
    assert (told["should_scale_up"], told["scale_factor"]) == (False, 1.0)
    assert told["quantiles"] == {"0.5": 300.0, "0.95": 450.0}
    assert (told["replicas"], told["horizon_seconds"], told["confidence_threshold"]) == (4, 1800.0, 0.9)
    assert 0.3 < told["confidence"] < 0.5  # four replicas serve 340


async def test_all_workloads_are_answered_together() -> None:
    view = FakeView()
    view.rows = (
        workload(),
        workload("local/shop/deployment.apps/jobs", replicas=2),
        workload("local/x/job/y", load=None),
    )
    async with visited(view) as client:
        told = (await ask(client.get("/api/v1/prediction"))).json()
    assert (told["should_scale_up"], told["workloads"]) == (True, 3)
    assert [one["key"].rpartition("/")[2] for one in told["items"]] == ["jobs"]
    assert told["scale_factor"] > 1


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"horizon": "2h"}, "query.horizon"),
        ({"horizon": "soon"}, "query.horizon"),
        ({"horizon": "nan"}, "query.horizon"),
        ({"confidence": "1"}, "query.confidence"),
        ({"confidence": "nan"}, "query.confidence"),
        ({"time_horizon": "30m"}, "query.time_horizon"),
    ],
)
@pytest.mark.parametrize("door", [ONE, "/api/v1/prediction"])
async def test_what_cannot_be_asked_is_a_problem_that_names_it(door: str, params: dict[str, Any], path: str) -> None:
    async with visited() as client:
        answer = await ask(client.get(door, params=params))
    assert answer.status == 400
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


async def test_a_workload_that_nobody_knows_is_not_there() -> None:
    async with visited() as client:
        assert (await ask(client.get("/api/v1/workloads/a/b/c/d/prediction"))).status == 404
