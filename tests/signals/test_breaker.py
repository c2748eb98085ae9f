from podium.signals.breaker import Breaker, Circuit


def after(failures: int, at: float = 1000.0) -> Breaker:
    breaker = Breaker(threshold=3, pause_seconds=10, longest_pause_seconds=60)
    for _ in range(failures):
        breaker = breaker.failed(at)
    return breaker


def test_it_opens_after_as_many_failures_in_a_row_as_the_threshold() -> None:
    assert [after(count).circuit(1001) for count in range(4)] == [Circuit.CLOSED] * 3 + [Circuit.OPEN]


def test_an_answer_in_between_starts_the_count_anew() -> None:
    assert after(2).succeeded().failed(1000).circuit(1001) is Circuit.CLOSED


def test_it_half_opens_after_the_pause_and_closes_with_an_answer() -> None:
    assert [after(3).circuit(now) for now in (1009.9, 1010)] == [Circuit.OPEN, Circuit.HALF_OPEN]
    assert after(3).succeeded().circuit(1010) is Circuit.CLOSED


def test_each_failed_probe_doubles_the_pause_up_to_the_longest() -> None:
    assert [after(count).probe_at - 1000 for count in (3, 4, 5, 6, 7, 5000)] == [10, 20, 40, 60, 60, 60]


def test_a_clock_that_went_back_half_opens_it() -> None:
    assert after(3, at=1000).circuit(500) is Circuit.HALF_OPEN
