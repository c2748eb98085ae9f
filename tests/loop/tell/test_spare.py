"""The burst reserve in words."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from tests.loop.decide.fleets import expected
from tests.loop.scenes import policies, seen

from podium.loop.policy import ScalingPolicy
from podium.loop.prices.price import Price
from podium.loop.remember.record import Turn
from podium.loop.tell.spare import told
from podium.model.capacity import nothing_learned
from podium.model.snapshot import Phase

PRICE = Price("USD", 40_000, 5_000, "made")


def turn(given: int, *, floor: float, foreseen: float, requests: dict[str, Any] | None = None) -> Turn:
    """One turn's parts that a reserve is read from: a load of 85 is a replica."""
    one = np.full(1, floor, np.float32), np.full(1, foreseen, np.float32)
    forecast = dataclasses.replace(expected(1, 0.0), floor=one[0], expected=one[1])
    snapshot = seen(0.0, given, 85.0)
    if requests is not None:
        pods = SimpleNamespace(
            slot=np.zeros(1, np.int32), phase=np.full(1, Phase.RUNNING, np.int8), requests=requests
        )  # fmt: skip
        snapshot = dataclasses.replace(snapshot, pods=cast("Any", pods))
    decisions = SimpleNamespace(replicas=np.array([given]))
    parts = {"snapshot": snapshot, "forecast": forecast, "decisions": decisions, "learned": nothing_learned()}
    return cast("Turn", SimpleNamespace(**parts, ready=np.array([given])))


def said(one: Turn, price: Price | None = None, spec: str = "  mode: own\n") -> str | None:
    (document,) = policies(spec).documents.values()
    assert isinstance(document, ScalingPolicy)
    return told(one, document.spec, 0, price)


def test_a_reserve_is_told_in_replicas_loads_and_money() -> None:
    requests = {"cpu": np.array([1000]), "memory": np.array([2 * 2**30 * 1000])}
    assert said(turn(14, floor=1190.0, foreseen=935.0)) == (
        "3 of 14 replicas, for what nobody could foresee: loads from 935 to 1190"
    )
    told = said(turn(14, floor=1190.0, foreseen=935.0, requests=requests), PRICE)
    assert told is not None
    assert told.endswith("; 0.15 USD an hour")  # 3 x (0.04 + 0.01)
    assert said(turn(14, floor=1190.0, foreseen=935.0), PRICE) == said(turn(14, floor=1190.0, foreseen=935.0))


@pytest.mark.parametrize(
    ("floor", "foreseen", "spec", "words"),
    [
        (935.0, 935.0, "", "none of 14 replicas"),
        (np.nan, 935.0, "", None),
        (1190.0, 935.0, "  forecast: {enabled: false}\n", None),
    ],
)
def test_there_is_none_where_nothing_is_kept_or_known(
    floor: float, foreseen: float, spec: str, words: str | None
) -> None:
    assert said(turn(14, floor=floor, foreseen=foreseen), spec="  mode: own\n" + spec) == words
