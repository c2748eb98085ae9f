"""Floors: when an HPA's minimum is raised, kept and given back, and what makes Podium leave it alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from podium.documents.kubernetes import TargetRef
from podium.loop.modes.floors import Planned, Terms, plan
from podium.loop.modes.surroundings import Around, Autoscaler, Noted, SetFloor
from podium.loop.policy import Replicas, ScalingPolicy, ScalingPolicySpec
from podium.loop.tabulate import Policies, tabulate
from podium.model.arrays import UNKNOWN
from podium.model.decision import Decisions, Reason, Reasons
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
CART = WorkloadKey("local", "shop", "deployment", "apps", "cart")
NOW = 1_800_000_000.0
LIFE = 1800.0


def policy(key: WorkloadKey, **fields: Any) -> ScalingPolicy:
    target = TargetRef(api_version="apps/v1", kind="Deployment", name=key.name)
    spec = ScalingPolicySpec(target_ref=target, replicas=Replicas(min=1, max=50), **{"mode": "floor", **fields})
    return ScalingPolicy.model_validate(
        {"apiVersion": "podium.dev/v1alpha1", "kind": "ScalingPolicy",
         "metadata": {"name": key.name, "namespace": key.namespace},
         "spec": spec.model_dump(mode="json", by_alias=True, exclude_unset=True)}
    )  # fmt: skip


def hpa(minimum: int = 2, maximum: int = 30, *, floor: Noted | None = None, owner: str = "", name: str = "web") -> Any:
    return Autoscaler(
        namespace="shop", name=name, target=WEB, minimum=minimum, maximum=maximum, resource_version="5", epoch=3,
        floor=floor, owner=owner,
    )  # fmt: skip


def noted(raised: int, *, original: int = 2, left: float = LIFE) -> Noted:
    return Noted(original=original, raised=raised, until=NOW + left)


def planned(
    wanted: int, *hpas: Autoscaler, there: int = 4, codes: tuple[Reason, ...] = (), budget: int = 100,
    resting: bool = False, troubles: dict[str, str] | None = None, **fields: Any,
) -> Planned:  # fmt: skip
    fleet = Fleet().revised({WEB: "shop"})
    table = tabulate(Policies({WEB: policy(WEB, **fields)}), fleet)
    size, none = len(codes), np.full(len(codes), np.nan)
    rows = Reasons(np.zeros(size, np.int32), np.array(codes, np.int16), np.zeros(size, np.int16), none, none, none)
    terms = Terms(epoch=3, now=NOW, expires_seconds=LIFE, budget=budget, resting=frozenset({WEB} if resting else ()))
    around = Around({WEB: hpas} if hpas else {}, troubles or {})
    return plan(Decisions(np.array([wanted]), rows), np.array([there]), fleet, table, around, terms)


def command(current: int, minimum: int, note: Noted | None) -> SetFloor:
    return SetFloor(
        key=WEB, autoscaler="web", current=current, minimum=minimum, note=note, resource_version="5", epoch=3
    )


# (what stands there, what is wanted, the command)
COURSE = [
    (hpa(2), 9, command(2, 9, noted(9))),  # raised
    (hpa(2), 2, None),
    (hpa(2), 1, None),  # never under the original
    (hpa(2), 99, command(2, 30, noted(30))),  # never over maxReplicas
    (hpa(9, floor=noted(9)), 9, None),
    (hpa(9, floor=noted(9, left=800.0)), 9, command(9, 9, noted(9))),  # renewed at half its life
    (hpa(9, floor=noted(9)), 6, command(9, 6, noted(6))),
    (hpa(9, floor=noted(9)), 2, command(9, 2, None)),  # given back
    (hpa(9, floor=noted(9, left=-5.0)), 9, command(9, 9, noted(9))),  # ran out while nobody renewed it, and is wanted
]


@pytest.mark.parametrize(("there", "wanted", "expected"), COURSE)
def test_the_minimum_follows_what_is_wanted(there: Autoscaler, wanted: int, expected: SetFloor | None) -> None:
    assert planned(wanted, there).commands == (() if expected is None else (expected,))


def test_who_writes_another_minimum_has_the_last_word() -> None:
    found = planned(9, hpa(5, floor=noted(9)))
    assert (found.commands, found.overwritten) == ((command(5, 5, None),), (WEB,))
    assert planned(9, hpa(5)).commands == (command(5, 9, noted(9, original=5)),)  # theirs is the original then


BLIND = (Reason.ALL_SIGNALS_MISSING, Reason.SIGNAL_MISSING, Reason.SOURCE_SUSPECT)


@pytest.mark.parametrize("code", BLIND)
def test_in_the_dark_a_floor_is_neither_raised_nor_lowered_but_renewed(code: Reason) -> None:
    assert planned(4, hpa(2), codes=(code,)).commands == ()
    assert planned(4, hpa(9, floor=noted(9)), codes=(code,)).commands == ()
    assert planned(4, hpa(9, floor=noted(9, left=800.0)), codes=(code,)).commands == (command(9, 9, noted(9)),)


def test_a_floor_that_ran_out_is_given_back_when_nothing_is_known() -> None:
    there = hpa(9, floor=noted(9, left=-5.0))
    assert planned(4, there, codes=(Reason.ALL_SIGNALS_MISSING,)).commands == (command(9, 2, None),)


# (pause, floor there, wanted, minimum written; None: nothing)
PAUSED = [("up", 4, 9, None), ("up", 4, 3, 3), ("down", 4, 3, None), ("down", 4, 9, 9), ("both", 4, 9, None),
          ("both", 4, 3, None)]  # fmt: skip


@pytest.mark.parametrize(("pause", "there", "wanted", "written"), PAUSED)
def test_a_paused_direction_is_not_taken(pause: str, there: int, wanted: int, written: int | None) -> None:
    found = planned(wanted, hpa(there, floor=noted(there)), pause=pause).commands
    assert [one.minimum for one in found] == ([] if written is None else [written])


def test_floors_are_lowered_no_faster_than_the_fleet_may_shrink() -> None:
    found = planned(2, hpa(12, floor=noted(12)), budget=3)
    assert ([one.minimum for one in found.commands], found.taken) == ([9], 3)


def test_where_podium_yields_the_original_is_given_back() -> None:
    assert planned(9, hpa(9, floor=noted(9)), resting=True).commands == (command(9, 2, None),)
    assert planned(9, hpa(2), resting=True).commands == ()


def test_a_workload_that_is_not_in_mode_floor_any_more_gives_its_floor_back() -> None:
    assert planned(9, hpa(9, floor=noted(9)), mode="own").commands == (command(9, 2, None),)
    assert planned(9, hpa(9), mode="own").commands == ()


# (HPAs, troubles of namespaces, words)
UNUSABLE: list[tuple[list[Autoscaler], dict[str, str], str]] = [
    ([], {}, "no HorizontalPodAutoscaler targets it"),
    ([hpa(), dataclasses.replace(hpa(), name="other")], {}, r"2 HPAs target it \(web, other\)"),
    ([hpa(owner="ScaledObject web")], {}, "its HPA web of ScaledObject web takes its minimum from there"),
    ([hpa()], {"shop": "forbidden"}, "its HPA cannot be read: forbidden"),
]


@pytest.mark.parametrize(("hpas", "troubles", "words"), UNUSABLE)
def test_what_stands_in_the_way_of_a_floor_is_named(
    hpas: list[Autoscaler], troubles: dict[str, str], words: str
) -> None:
    found = planned(9, *hpas, troubles=troubles)
    assert found.commands == ()
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(found.troubles[WEB])


def test_what_was_read_and_intended_is_kept_for_the_record() -> None:
    floors = planned(9, hpa(9, floor=noted(9)), there=9).floors
    columns = [getattr(floors, one).tolist() for one in ("slots", "minimum", "maximum", "original", "planned")]
    assert columns == [[0], [9], [30], [2], [UNKNOWN]]


WORDS = [
    (command(2, 9, noted(9)), "minReplicas of HPA web 2 -> 9 (its own: 2)"),
    (command(9, 9, noted(9)), "minReplicas of HPA web stays 9 (its own: 2), renewed"),
    (command(9, 2, None), "minReplicas of HPA web 9 -> 2, given back"),
    (command(5, 5, None), "minReplicas of HPA web is left at 5, which somebody else wrote"),
]


@pytest.mark.parametrize(("made", "words"), WORDS)
def test_a_command_says_what_it_does(made: SetFloor, words: str) -> None:
    assert made.words == words
