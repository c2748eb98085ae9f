"""What is said to others' autoscalers: the number in force, and nothing that is unknown, old or somebody else's."""

from __future__ import annotations

import numpy as np
import pytest

from podium.clients.kubernetes.selectors import parse
from podium.loop.modes.board import Absent, Board, Unasked, Wanted, said
from podium.model.arrays import UNKNOWN
from podium.model.decision import Decisions, Reason, Reasons
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
CART = WorkloadKey("local", "shop", "deployment", "apps", "cart")
OTHER_WEB = WorkloadKey("local", "lab", "deployment", "apps", "web")
NAMESAKE = WorkloadKey("local", "shop", "statefulset", "apps", "web")


class Clock:
    """Time that the test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    return Board(45.0, monotonic=clock, wall=lambda: 1_800_000_000.0)


def wanted(key: WorkloadKey, replicas: int) -> Wanted:
    return Wanted(key, replicas, 1_800_000_000.0)


def test_a_workload_is_found_by_its_namespace_and_name(board: Board) -> None:
    board.say({WEB: wanted(WEB, 7), CART: wanted(CART, 3), OTHER_WEB: wanted(OTHER_WEB, 9)})
    assert board.ask("shop", parse("workload=web")) == wanted(WEB, 7)
    assert board.ask("lab", parse("workload=web,kind=deployment")) == wanted(OTHER_WEB, 9)


def test_before_the_first_turn_nothing_is_said(board: Board) -> None:
    with pytest.raises(Absent, match="has decided nothing yet"):
        board.ask("shop", parse("workload=web"))


def test_what_was_said_long_ago_is_not_said_any_more(board: Board, clock: Clock) -> None:
    board.say({WEB: wanted(WEB, 7)})
    clock.now += 45.0
    assert board.ask("shop", parse("workload=web")).replicas == 7
    clock.now += 1.0
    with pytest.raises(Absent, match="has decided nothing for 46 s"):
        board.ask("shop", parse("workload=web"))


def test_who_leads_no_more_says_nothing(board: Board) -> None:
    board.say({WEB: wanted(WEB, 7)})
    board.clear()
    with pytest.raises(Absent, match="nothing yet"):
        board.ask("shop", parse("workload=web"))


def test_what_is_not_known_is_absent_with_its_reason(board: Board) -> None:
    board.say({WEB: "none of its signals is known"})
    with pytest.raises(Absent, match=r"local/shop/deployment\.apps/web: none of its signals is known"):
        board.ask("shop", parse("workload=web"))


def test_a_selector_that_names_two_is_refused_for_their_sum_is_nobodys_number(board: Board) -> None:
    board.say({WEB: wanted(WEB, 7), NAMESAKE: wanted(NAMESAKE, 2)})
    with pytest.raises(Unasked, match="names 2 workloads"):
        board.ask("shop", parse("workload=web"))
    assert board.ask("shop", parse("workload=web,kind=statefulset")).replicas == 2


def test_who_asks_for_what_is_not_there_learns_what_is(board: Board) -> None:
    board.say({WEB: wanted(WEB, 7), CART: wanted(CART, 1)})
    with pytest.raises(Unasked, match="there: cart, web"):
        board.ask("shop", parse("workload=wbe"))


def test_it_is_known_whether_anybody_asks(board: Board, clock: Clock) -> None:
    board.say({WEB: wanted(WEB, 7)})
    clock.now += 301.0
    assert board.unread(WEB, 300.0)
    board.say({WEB: wanted(WEB, 7)})
    board.ask("shop", parse("workload=web"))
    assert not board.unread(WEB, 300.0)


def decided(replicas: int, *codes: Reason) -> Decisions:
    size = len(codes)
    nothing = np.full(size, np.nan)
    reasons = Reasons(
        np.zeros(size, np.int32), np.array(codes, np.int16), np.full(size, UNKNOWN, np.int16), nothing, nothing, nothing
    )
    return Decisions(np.array([replicas]), reasons)


# (replicas there, wanted, reasons, what is said)
SAID = [
    (4, 7, [Reason.SIGNAL_PROPOSES], 7),
    (4, 2, [Reason.SIGNAL_PROPOSES], 2),
    (4, 4, [Reason.ALL_SIGNALS_MISSING], None),
    (4, UNKNOWN, [Reason.NOT_OBSERVED], None),
    (4, 4, [Reason.SIGNAL_MISSING], None),  # held, because something is unknown
    (4, 9, [Reason.SIGNAL_MISSING, Reason.SIGNAL_PROPOSES], 9),  # raised on what is known
    (4, 4, [Reason.SOURCE_SUSPECT], None),
    (4, 4, [Reason.SOURCE_FROZEN], None),
    (0, 0, [Reason.SCALED_TO_ZERO], None),
    (4, 4, [Reason.PAUSED_DOWN], 4),
]


@pytest.mark.parametrize(("there", "asked", "codes", "expected"), SAID)
def test_a_number_that_only_stands_because_podium_is_blind_is_not_said(
    there: int, asked: int, codes: list[Reason], expected: int | None
) -> None:
    fleet = Fleet().revised({WEB: "shop"})
    found = said(decided(asked, *codes), np.array([there]), [0], fleet, 5.0)[WEB]
    assert (found.replicas if isinstance(found, Wanted) else None) == expected
