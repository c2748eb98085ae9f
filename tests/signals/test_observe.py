import asyncio
import dataclasses

import pytest
from tests.signals.fakes import NOW, Scripted, fleet_of, pods_of, reading_of, values

from podium.signals.bound import BoundSignal
from podium.signals.breaker import Breaker
from podium.signals.health import Counts, State
from podium.signals.observe import Observed, Observer
from podium.signals.source import Garbage, Permanent, Reading, Temporary

FLEET = fleet_of("shop/web", "bank/web")
SHOP = BoundSignal(namespace="shop", name="load", source="prom", query="q", unit="per_second")
BANK = dataclasses.replace(SHOP, namespace="bank")
BOTH = reading_of(("shop", "deployment", "web", 3), ("bank", "deployment", "web", 4))
DEAD = Temporary("http://prom: connection refused")


async def seen(
    observer: Observer, *signals: BoundSignal, now: float = NOW, deadline: float = 5.0, pods: object = None
) -> Observed:
    return await observer.observe(signals, FLEET, pods_of(), now, deadline)


async def test_each_namespace_sees_its_own_and_the_shared_query_is_asked_once() -> None:
    source = Scripted("prom", {"q": BOTH})

    out = await seen(Observer([source]), SHOP, BANK)

    assert (values(out.levels["load"].value), source.asked) == ([3, 4], ["q"])


async def test_a_namespace_without_a_signal_is_measured_by_nobody() -> None:
    out = await seen(Observer([Scripted("prom", {"q": BOTH})]), SHOP)

    assert values(out.levels["load"].value) == [3, None]
    assert out.levels["load"].source.tolist() == [0, -1]


async def test_two_sources_may_measure_one_signal_in_two_namespaces() -> None:
    tape = Scripted("tape", {"column": reading_of(("bank", "deployment", "web", 9))})
    signals = SHOP, dataclasses.replace(BANK, source="tape", query="column")

    out = await seen(Observer([Scripted("prom", {"q": BOTH}), tape]), *signals)

    assert (values(out.levels["load"].value), out.levels["load"].source.tolist()) == ([3, 9], [0, 1])
    assert (out.sources, out.answered.tolist()) == (("prom", "tape"), [True, True])


@pytest.mark.parametrize(
    ("trouble", "state", "words"),
    [
        (DEAD, State.SILENT, "tape: http://prom: connection refused"),
        (60.0, State.SILENT, "tape: no answer within 200ms"),
        (Garbage("http://prom: an HTML page"), State.BROKEN, "tape: http://prom: an HTML page"),
        (Permanent("http://prom: bad_data"), State.BROKEN, "tape: http://prom: bad_data"),
        (KeyError("oops"), State.BROKEN, "tape: a fault in the source's own program: KeyError: 'oops'"),
    ],
)
async def test_a_source_in_trouble_neither_delays_nor_spoils_another(
    trouble: Exception | float, state: State, words: str
) -> None:
    observer = Observer([Scripted("prom", {"q": BOTH}), Scripted("tape", {"column": trouble})])
    signals = SHOP, dataclasses.replace(BANK, source="tape", query="column")
    began = asyncio.get_running_loop().time()

    out = await seen(observer, *signals, deadline=0.2)

    assert asyncio.get_running_loop().time() - began < 2
    assert values(out.levels["load"].value) == [3, None]
    assert out.answered.tolist() == [True, False]
    assert [(one.name, one.state, one.words) for one in out.health] == [("prom", State.OK, ""), ("tape", state, words)]


async def test_a_lost_answer_is_bridged_by_the_last_one_until_it_is_too_old() -> None:
    source = Scripted("prom", {"q": BOTH})
    observer = Observer([source])
    await seen(observer, SHOP)
    source.answers["q"] = DEAD

    young, old = await seen(observer, SHOP, now=NOW + 60), await seen(observer, SHOP, now=NOW + 61)

    assert [values(one.levels["load"].value) for one in (young, old)] == [[3, None], [None, None]]
    assert values(young.levels["load"].at) == [NOW, None]
    assert (young.answered.tolist(), young.health[0].state) == ([False], State.SILENT)


async def test_an_answered_gap_is_not_bridged() -> None:
    source = Scripted("prom", {"q": BOTH})
    observer = Observer([source])
    await seen(observer, SHOP)
    source.answers["q"] = reading_of()

    out = await seen(observer, SHOP, now=NOW + 1)

    assert values(out.levels["load"].value) == [None, None]
    assert (out.health[0].state, out.health[0].words) == (State.OK, "prom: answered, with no series at all")


async def test_a_dead_source_is_asked_less_and_less_and_says_when_it_is_asked_again() -> None:
    source = Scripted("prom", {"q": DEAD})
    observer = Observer([source], Breaker(threshold=2, pause_seconds=30, longest_pause_seconds=60))

    rounds = [await seen(observer, SHOP, now=NOW + second) for second in range(0, 150, 10)]

    assert len(source.asked) == 4  # at 0 and 10, which opens it; then at 40 and, a minute later, at 100
    assert rounds[2].health[0].words == "prom: http://prom: connection refused (asking again in 20s)"


async def test_while_half_open_one_query_decides_for_all() -> None:
    source = Scripted("prom", {"q": DEAD, "r": DEAD})
    observer = Observer([source], Breaker(threshold=1, pause_seconds=10))
    signals = SHOP, dataclasses.replace(SHOP, name="other", query="r")
    await seen(observer, *signals)

    await seen(observer, *signals, now=NOW + 10)
    assert source.asked == ["q", "r", "q"]

    source.answers = {"q": BOTH, "r": BOTH}
    out = await seen(observer, *signals, now=NOW + 60)
    assert source.asked == ["q", "r", "q", "q", "r"]
    assert out.health[0].state is State.OK


async def test_a_wrong_query_does_not_open_the_circuit_for_the_right_ones() -> None:
    source = Scripted("prom", {"q": BOTH, "r": Permanent("http://prom: bad_data: parse error")})
    observer = Observer([source], Breaker(threshold=1))
    signals = SHOP, dataclasses.replace(SHOP, name="other", query="r")

    for second in range(3):
        out = await seen(observer, *signals, now=NOW + second)

    assert values(out.levels["load"].value) == [3, None]
    assert out.health[0].words == "prom: http://prom: bad_data: parse error (1 of 2 queries failed)"


async def test_a_state_lasts_since_it_was_entered() -> None:
    source = Scripted("prom", {"q": BOTH})
    observer = Observer([source])
    states = []
    for second, answer in enumerate([BOTH, BOTH, DEAD, DEAD, BOTH]):
        source.answers["q"] = answer
        one = (await seen(observer, SHOP, now=NOW + second)).health[0]
        states.append((one.state.value, one.since - NOW))

    assert states == [("ok", 0), ("ok", 0), ("silent", 2), ("silent", 2), ("ok", 4)]


def reading(*numbers: float, age: float = 0.0, unplaced: int = 0) -> Reading:
    found = reading_of(*(("shop", "deployment", "web", number) for number in numbers), at=NOW - age)
    return dataclasses.replace(found, unplaced=unplaced)


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (reading(-1.0), State.BROKEN, "prom: all 1 values are not finite, negative, or from the future"),
        (reading(1.0, age=300), State.SILENT, "prom: nothing new: all 1 values are older than allowed"),
        (reading(1.0, -1.0), State.OK, "prom: 1 values are not finite, negative, or from the future"),
        (
            reading(1.0, unplaced=7),
            State.OK,
            "prom: 7 series name neither a namespace nor a pod or workload in their labels",
        ),
        (
            reading_of(("mall", "deployment", "web", 1)),
            State.OK,
            "prom: none of 1 series belongs to a workload that asked",
        ),
    ],
)
async def test_odd_answers_are_told_in_words(answer: Reading, state: State, words: str) -> None:
    health = (await seen(Observer([Scripted("prom", {"q": answer})]), SHOP)).health[0]

    assert (health.state, health.words) == (state, words)


async def test_what_became_of_every_series_is_counted() -> None:
    answer = dataclasses.replace(
        reading_of(("shop", "deployment", "web", 1), ("bank", "deployment", "web", 1), ("x", "pod", "y", 1)), unplaced=2
    )

    health = (await seen(Observer([Scripted("prom", {"q": answer})]), SHOP)).health[0]

    assert health.counts == Counts(questions=1, answered=1, series=3, unplaced=2, matched=1)


async def test_recorded_values_say_where_they_come_from() -> None:
    answer = dataclasses.replace(BOTH, origins=("recorded: crane", "synthetic: surge on recorded: crane"))

    out = await seen(Observer([Scripted("prom", {"q": answer})]), SHOP)

    assert out.origins == {"load": {0: "recorded: crane"}}


async def test_a_signal_of_pods_gives_samples_and_the_level() -> None:
    rows = pods_of((0, "shop", "web-1"), (0, "shop", "web-2"), (1, "bank", "web-1"))
    answer = reading_of(("shop", "pod", "web-1", 1), ("shop", "pod", "web-2", 2.5), ("bank", "pod", "web-1", 9))
    observer = Observer([Scripted("prom", {"q": answer})])

    out = await observer.observe([dataclasses.replace(SHOP, of="pods")], FLEET, rows, NOW, 5)

    assert (out.samples["load"].milli.tolist(), values(out.samples["load"].at)) == ([1000, 2500, -1], [NOW, NOW, None])
    assert values(out.levels["load"].value) == [3.5, None]


async def test_a_signal_of_a_source_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no source nobody; there are: prom"):
        await seen(Observer([Scripted("prom", {})]), dataclasses.replace(SHOP, source="nobody"))


async def test_giving_up_a_round_is_not_a_failure_of_the_source() -> None:
    observer = Observer([Scripted("prom", {"q": 60.0})])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(seen(observer, SHOP, deadline=60), 0.05)


async def test_without_signals_nothing_is_asked() -> None:
    source = Scripted("prom", {})
    observer = Observer([source])

    out = await seen(observer)
    await observer.close()

    assert (out.levels, out.health[0].words, source.asked) == ({}, "", ["close"])
