"""The newest samples of pushed series: whatever order they come in, however many they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.signals.push.senders import Sample, named, write_request

from podium.signals.push.batch import STALE
from podium.signals.push.question import question
from podium.signals.push.remote_write import Decoder
from podium.signals.push.source import PushSource
from podium.signals.push.store import Full, Taken
from podium.signals.source import Subject

NOW = 1_800_000_000.0
ENDED = float(STALE[0])


def push(source: PushSource, *samples: Sample, now: float = NOW, metric: str = "load", **labels: str) -> Taken:
    labels = labels or {"deployment": "web"}
    return source.take(source.decoder.decode(write_request((named(metric, **labels), samples))), now)


def read(source: PushSource, now: float = NOW, *, rate: bool = False, **match: str) -> list[tuple[str, float, float]]:
    reading = source.newest(question("load", match, rate=rate), now)
    return [
        (one.name, value, at - NOW)
        for one, value, at in zip(reading.subjects, reading.values.tolist(), reading.at.tolist(), strict=True)
    ]


def test_the_newest_sample_counts_however_they_come() -> None:
    source = PushSource("pushed")
    assert push(source, (NOW - 5, 5.0), (NOW - 9, 1.0)) == Taken(taken=2)
    assert push(source, (NOW - 7, 3.0)) == Taken(late=1)
    assert read(source) == [("web", 5.0, -5.0)]


def test_what_is_told_twice_changes_nothing() -> None:
    source = PushSource("pushed")
    push(source, (NOW - 5, 5.0))
    assert push(source, (NOW - 5, 5.0), (NOW - 5, 6.0)) == Taken(late=2)
    assert read(source) == [("web", 5.0, -5.0)]


def test_one_series_twice_in_a_request_is_one_series() -> None:
    source = PushSource("pushed")
    labels = named("load", deployment="web")
    batch = source.decoder.decode(write_request((labels, [(NOW - 2, 2.0)]), (labels, [(NOW - 3, 3.0), (NOW - 1, 1.0)])))
    assert source.take(batch, NOW) == Taken(taken=3)
    assert (len(source.store), read(source)) == (1, [("web", 1.0, -1.0)])


def test_a_series_that_has_ended_is_none_and_no_late_sample_raises_it() -> None:
    source = PushSource("pushed")
    push(source, (NOW - 5, 5.0))
    push(source, (NOW - 2, ENDED))
    assert read(source) == []
    push(source, (NOW - 3, 4.0))
    assert read(source) == []
    push(source, (NOW - 1, 7.0))
    assert read(source) == [("web", 7.0, -1.0)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_handed_on_to_be_judged(value: float) -> None:
    source = PushSource("pushed")
    push(source, (NOW - 5, value))
    ((name, found, at),) = read(source)
    assert (name, str(found), at) == ("web", str(value), -5.0)


def test_samples_from_the_future_or_far_past_are_not_taken_and_said() -> None:
    source = PushSource("pushed")
    assert push(source, (NOW + 61, 1.0), (NOW + 1e9, 2.0), (NOW - 3601, 3.0), (0.0, 4.0)) == Taken(ancient=2, ahead=2)
    assert (len(source.store), read(source)) == (0, [])
    assert source.newest(question("load", {}, rate=False), NOW).notes == (
        "2 values of the last push are from the future: is its sender's clock right?",
        "2 values of the last push are more than an hour old",
    )


def test_a_sender_whose_clock_is_a_little_ahead_has_measured_now() -> None:
    source = PushSource("pushed")
    push(source, (NOW + 30, 5.0))
    push(source, (NOW + 31, 6.0), now=NOW + 1)
    assert read(source, NOW + 1) == [("web", 6.0, 1.0)]


def test_before_the_newest_sample_came_the_one_before_it_was_the_newest() -> None:
    source = PushSource("pushed")
    push(source, (NOW - 5, 5.0))
    push(source, (NOW - 1, 9.0))
    assert (read(source, NOW - 2), read(source, NOW - 6)) == ([("web", 5.0, -5.0)], [])


def test_a_counter_is_read_as_its_rise_a_second_and_a_lower_one_began_again() -> None:
    source = PushSource("pushed")
    found = []
    for at, count in ((-30, 100.0), (-20, 400.0), (-10, 50.0)):
        push(source, (NOW + at, count))
        found.append(read(source, rate=True))
    assert found == [[], [("web", 30.0, -20.0)], [("web", 5.0, -10.0)]]


def test_labels_choose_series_and_name_whom_they_measure() -> None:
    source = PushSource("pushed")
    push(source, (NOW, 1.0), deployment="web", code="200")
    push(source, (NOW, 2.0), deployment="web", code="500")
    push(source, (NOW, 3.0), pod="web-1", deployment="web", code="200")
    push(source, (NOW, 4.0), instance="nobody's", code="200")
    reading = source.newest(question("load", {"code": "200"}, rate=False), NOW)
    assert reading.subjects == (Subject("shop", "deployment", "web"), Subject("shop", "pod", "web-1"))
    assert (reading.values.tolist(), reading.unplaced) == ([1.0, 3.0], 1)


def test_more_series_than_there_is_room_for_are_refused_whole() -> None:
    source = PushSource("pushed", most=2)
    push(source, (NOW - 1, 1.0))
    series = [(named("load", deployment=name), [(NOW, 2.0)]) for name in ("web", "api", "new")]
    batch = source.decoder.decode(write_request(*series))
    with pytest.raises(Full, match="1 series are kept, and 2 more do not fit: at most 2"):
        source.take(batch, NOW)
    assert read(source) == [("web", 1.0, -1.0)]


def test_room_is_made_by_series_that_were_silent_for_an_hour() -> None:
    source = PushSource("pushed", most=2)
    push(source, (NOW, 1.0), deployment="old")
    push(source, (NOW + 3000, 1.0), deployment="web", now=NOW + 3000)
    push(source, (NOW + 3601, 2.0), deployment="new", now=NOW + 3601)
    assert [name for name, _, _ in read(source, NOW + 3601)] == ["web", "new"]


def test_series_that_stay_keep_their_subjects_object() -> None:
    source = PushSource("pushed")
    query = question("load", {}, rate=False)
    push(source, (NOW - 5, 5.0))
    first = source.newest(query, NOW).subjects
    push(source, (NOW - 4, 6.0))
    push(source, (NOW - 4, 6.0), metric="other")
    assert source.newest(query, NOW).subjects is first


def test_a_hundred_thousand_series_in_one_request_are_taken() -> None:
    source = PushSource("pushed")
    series = [(named("load", pod=f"p{number}"), [(NOW, float(number))]) for number in range(100_000)]
    batch = source.decoder.decode(write_request(*series))
    assert source.take(batch, NOW) == Taken(taken=100_000)
    reading = source.newest(question("load", {}, rate=False), NOW)
    assert (len(reading.subjects), float(reading.values.sum())) == (100_000, sum(range(100_000)))


def test_in_any_order_the_two_newest_of_many_samples_are_left() -> None:
    random = np.random.default_rng(1)
    source = PushSource("pushed")
    samples = [(NOW - float(age), float(1000 - age)) for age in range(200)]
    random.shuffle(samples)
    for start in range(0, 200, 7):
        push(source, *map(tuple, samples[start : start + 7]))
    assert read(source) == [("web", 1000.0, 0.0)]


def test_told_is_who_listens_and_only_of_what_is_new() -> None:
    source, told = PushSource("pushed"), list[int]()
    stop = source.listen(lambda: told.append(1))
    push(source, (NOW - 5, 5.0))
    push(source, (NOW - 5, 5.0))
    stop()
    push(source, (NOW - 4, 5.0))
    assert told == [1]


def test_a_decoder_forgets_labels_when_it_knows_too_many() -> None:
    decoder = Decoder(2)
    for number in range(9):
        assert decoder.decode(write_request((named("load", pod=f"p{number}"), []))).series == [
            (("__name__", "load"), ("namespace", "shop"), ("pod", f"p{number}"))
        ]
