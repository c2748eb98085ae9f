"""Somebody else writes what Podium leads: noticed once, named, and yielded to after a few rounds."""

from __future__ import annotations

import numpy as np

from podium.loop.act.carry_out import Fate, Result
from podium.loop.modes.contest import Contest
from podium.loop.modes.settings import ContestSettings
from podium.model.arrays import UNKNOWN
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
FLEET = Fleet().revised({WEB: "shop"})
SETTINGS = ContestSettings(writes=3, window=900.0, rest=600.0)


def wrote(replicas: int, fate: Fate = Fate.WRITTEN) -> list[Result]:
    return [Result(Scale(slot=0, key=WEB, current=1, replicas=replicas, resource_version="1", epoch=1), fate)]


def test_a_write_that_stands_is_no_contest() -> None:
    contest = Contest(SETTINGS)
    contest.wrote(wrote(6))
    assert contest.overwritten(np.array([6]), ("2",), FLEET) == ()
    assert contest.overwritten(np.array([UNKNOWN]), ("",), FLEET) == ()


def test_a_write_that_somebody_changed_is_told_once() -> None:
    contest = Contest(SETTINGS)
    contest.wrote(wrote(6))
    assert contest.overwritten(np.array([2]), ("3",), FLEET) == (WEB,)
    assert contest.overwritten(np.array([2]), ("3",), FLEET) == ()


def test_a_reading_from_before_the_write_says_nothing_of_it() -> None:
    contest = Contest(SETTINGS)
    contest.wrote(wrote(6))
    assert contest.overwritten(np.array([2]), ("1",), FLEET) == ()
    assert contest.overwritten(np.array([2]), ("3",), FLEET) == (WEB,)


def test_what_was_never_written_cannot_be_overwritten() -> None:
    contest = Contest(SETTINGS)
    contest.wrote(wrote(6, Fate.REFUSED))
    assert contest.overwritten(np.array([2]), ("3",), FLEET) == ()


def test_after_three_lost_rounds_podium_yields_for_a_while_and_names_who() -> None:
    contest = Contest(SETTINGS)
    contest.lost({WEB: "HPA web"}, 0.0)
    contest.lost({WEB: "HPA web"}, 15.0)
    assert (contest.resting(15.0), contest.troubles(15.0)) == (
        frozenset(),
        {WEB: "HPA web overwrote what Podium had written, 2 times lately"},
    )
    contest.lost({WEB: ""}, 30.0)
    assert contest.resting(30.0) == contest.resting(629.0) == {WEB}
    assert contest.troubles(30.0)[WEB] == (
        "HPA web overwrites what Podium writes: Podium yields until 1970-01-01T00:10:30Z and writes nothing"
    )
    assert (contest.resting(630.0), contest.troubles(630.0)) == (frozenset(), {})


def test_rounds_that_lie_far_apart_are_no_fight() -> None:
    contest = Contest(SETTINGS)
    for at in (0.0, 600.0, 1200.0, 1800.0):
        contest.lost({WEB: "kubectl"}, at)
    assert contest.resting(1800.0) == frozenset()
