import numpy as np
import pytest
from tests.signals.fakes import values

from podium.model.arrays import Float64s
from podium.signals.history import History, Step

nan = float("nan")


def told(steps: list[Step]) -> list[tuple[float, list[float | None]]]:
    return [(step.at, values(step.values)) for step in steps]


def of(*numbers: float) -> Float64s:
    return np.array(numbers)


def test_a_step_is_the_mean_of_its_ticks_and_closes_with_the_first_tick_after_it() -> None:
    history = History(60, 10, 2)

    closed = [told(history.push(now, row)) for now, row in ((0, of(1, 5)), (30, of(3, nan)), (60, of(9, nan)))]

    assert closed == [[], [], [(60, [2, 5])]]
    assert told(history.push(120, of(0, 0))) == [(120, [9, None])]


def test_a_jump_forward_leaves_gaps() -> None:
    history = History(60, 10, 1)
    history.push(0, of(1))

    assert told(history.push(240, of(2))) == [(60, [1]), (120, [None]), (180, [None]), (240, [None])]


def test_a_jump_of_years_gives_no_more_gaps_than_the_ring_holds() -> None:
    history = History(60, 3, 1)
    history.push(0, of(1))

    closed = told(history.push(6e8, of(2)))

    assert closed == [(60, [1]), (6e8 - 120, [None]), (6e8 - 60, [None]), (6e8, [None])]
    assert np.isnan(history.window(3)).all()


def test_a_tick_from_the_past_is_ignored_and_counted() -> None:
    history = History(60, 10, 1)
    history.push(90, of(1))

    assert (told(history.push(30, of(100))), history.backward) == ([], 1)
    assert told(history.push(120, of(1))) == [(120, [1])]


def test_the_window_is_oldest_first_and_unknown_before_the_beginning() -> None:
    history = History(1, 3, 1)
    for now in range(6):
        history.push(now, of(now))

    assert history.window(3).ravel().tolist() == [2, 3, 4]
    assert values(History(1, 3, 1).window(2).ravel()) == [None, None]
    assert values(history.window(4).ravel()) == [None, 2, 3, 4]


def test_what_is_not_finite_is_not_in_the_mean() -> None:
    history = History(60, 10, 1)
    for now, value in ((0, 1), (1, np.inf), (2, nan), (3, 3)):
        history.push(now, of(value))

    assert told(history.push(60, of(0))) == [(60, [2])]


def test_forgotten_slots_start_anew_and_the_others_stay() -> None:
    history = History(1, 3, 2)
    history.push(0, of(1, 10))
    history.push(1, of(2, 20))

    history.forget(np.array([0]))

    assert values(history.window(1).ravel()) == [None, 10]
    assert told(history.push(2, of(3, 30))) == [(2, [None, 20])]


def test_resizing_keeps_what_stays() -> None:
    history = History(1, 3, 2)
    history.push(0, of(1, 10))
    history.push(1, of(2, 20))

    history.resize(3)

    assert told(history.push(2, of(3, 30, 300))) == [(2, [2, 20, None])]
    history.resize(1)
    assert history.window(2).tolist() == [[1], [2]]


def test_a_restored_history_goes_on_as_if_nothing_had_happened() -> None:
    first, second = History(60, 5, 1), History(60, 5, 3)
    for now in range(0, 400, 15):
        first.push(now, of(now))
    second.restore(first.state())

    assert told(first.push(450, of(1))) == told(second.push(450, of(1)))
    assert np.array_equal(first.window(5), second.window(5))


def test_a_state_of_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match=r"this history has 5 steps of 60.0 s; expected 5 steps of 300 s"):
        History(300, 5).restore(History(60, 5).state())
    with pytest.raises(ValueError, match="expected at least one"):
        History(0, 5)
