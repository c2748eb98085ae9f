"""Conditions: in arrays where that means the same, else in a process that is killed at its limit."""

from __future__ import annotations

import array
import sys
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.loop.decide.fleets import PROM, Conducted, level, table

from podium.loop.decide.table import Rules
from podium.loop.rules.asked import Job, Worker
from podium.loop.rules.evaluate import Evaluator
from podium.loop.rules.plain import condition
from podium.loop.rules.worker import answer, library
from podium.model.snapshot import Holds, Snapshot

CEL = library()
ONES = f"[{','.join(['1.0'] * 20)}]"
HOSTILE = "".join(f"{ONES}.all({name}, " for name in "abcdefg") + "a + b + c + d + e + f + g < queue * 100.0" + ")" * 7
YES, NO, UNKNOWN, TOO_LONG = Holds.YES, Holds.NO, Holds.UNKNOWN, Holds.TOO_LONG


def job(text: str, *values: float, name: str = "queue") -> Job:
    return Job(text, (name,), np.array([values], np.float64), len(values))


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    made = Worker()
    yield made
    await made.close()


async def test_a_row_gets_its_own_answer(worker: Worker) -> None:
    (found,) = await worker.ask([job("queue in [2.0, 3.0]", 1.0, 2.0, 3.0)], 5.0)
    assert found is not None
    assert found.tolist() == [NO, YES, YES]


async def test_what_cannot_be_answered_is_unknown(worker: Worker) -> None:
    texts = ["queue +", "queue + 1 > 2.0", "queue", "nobody > 1.0", "1 / 0 > 1"]
    found = await worker.ask([job(text, 1.0) for text in texts], 5.0)
    assert [one.tolist() for one in found if one is not None] == [[UNKNOWN]] * len(texts)


async def test_an_expression_that_would_run_for_hours_is_killed_and_the_next_question_is_answered(
    worker: Worker,
) -> None:
    await worker.ask([job("queue > 0.0", 1.0)], 5.0)  # it is up
    began = time.monotonic()
    found = await worker.ask([job("queue == 1.0", 1.0), job(HOSTILE, 1.0), job("queue == 2.0", 1.0)], 0.5)
    took = time.monotonic() - began
    assert [None if one is None else one.tolist() for one in found] == [[YES], None, None]
    assert took < 3.0
    (again,) = await worker.ask([job("queue == 1.0", 1.0)], 5.0)
    assert again is not None
    assert again.tolist() == [YES]


async def test_an_expression_that_would_take_all_memory_takes_the_worker_alone(worker: Worker) -> None:
    grows = "[" + ",".join(["'" + 900 * "a" + "'"] * 40) + "]"
    bomb = f"{grows}.map(a, {grows}.map(b, {grows}.map(c, {grows}.map(d, a + b + c + d)))).size() > 0"
    await worker.ask([job(bomb, 1.0)], 2.0)
    (again,) = await worker.ask([job("queue == 1.0", 1.0)], 5.0)
    assert again is not None
    assert again.tolist() == [YES]


@pytest.mark.parametrize(
    "command",
    [
        ("/nowhere/to/be/found",),
        (sys.executable, "-c", "pass"),
        (sys.executable, "-c", "print('garbage', flush=True); import time; time.sleep(60)"),
    ],
)
async def test_without_a_worker_everything_is_unknown(command: tuple[str, ...]) -> None:
    worker = Worker(command)
    (found,) = await worker.ask([job("queue == 1.0", 1.0)], 1.0)
    assert found is not None
    assert found.tolist() == [UNKNOWN]
    await worker.close()


async def test_a_worker_that_talks_garbage_is_no_different_from_one_that_is_late() -> None:
    talks = (
        "import sys, time; out = sys.stdout.buffer; out.write(b'ready\\n\\0\\0\\0\\4oops'); out.flush(); time.sleep(60)"
    )
    worker = Worker((sys.executable, "-c", talks))
    assert await worker.ask([job("queue == 1.0", 1.0)], 5.0) == [None]
    await worker.close()


# In arrays


@pytest.mark.parametrize(
    "text",
    [
        "queue > 10",
        "queue * 2.0 >= cpu + 1.5 && !(cpu < 3) || queue == 7",
        "-queue < -1.5",
        "(queue) != 2.0",
        "2 < queue",
    ],
)
def test_comparisons_and_sums_need_no_process(text: str) -> None:
    assert condition(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "queue + 1 > 2.0", "queue / 0.0 > 1.0", "queue / cpu > 1.0", "1 < 2", "queue", "!queue", "a < b < c", "true",
        "queue in [1.0]", "size('a') > 1", "queue > 1.0 ? true : false", "queue > 1 and cpu > 2", "queue >",
        "0x1 < queue",
        "queue % 2.0 > 1.0", "(queue > 1.0) == (cpu > 1.0)", "queue.x > 1.0", "[queue][0] > 1.0", "1_0 > queue", "",
    ],
)  # fmt: skip
def test_everything_else_is_left_to_cel(text: str) -> None:
    assert condition(text) is None


NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
NAMES = st.sampled_from(["queue", "cpu"])
TERMS = st.recursive(
    NAMES | NUMBERS.map(lambda value: f"{value:.3f}" if value >= 0 else f"({value:.3f})"),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        | inner.map(lambda one: f"-({one})")
        | st.tuples(inner, st.floats(0.001, 1e3)).map(lambda t: f"{t[0]} / {t[1]:.3f}")
    ),
    max_leaves=5,
)
SIDES = TERMS | st.integers(0, 1000).map(str)
COMPARISONS = st.tuples(TERMS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), SIDES).map(" ".join)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: (
        st.tuples(inner, st.sampled_from([" && ", " || "]), inner).map("".join)
        | inner.map(lambda one: f"!({one})")
        | inner.map(lambda one: f"({one})")
    ),
    max_leaves=5,
)


@settings(deadline=None, max_examples=300)
@given(CONDITIONS, st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5))
def test_arrays_say_what_cel_says(text: str, rows: list[tuple[float, float]]) -> None:
    plain = condition(text)
    assert plain is not None
    columns = np.array(rows, np.float64).T
    ours = np.broadcast_to(plain({"queue": columns[0], "cpu": columns[1]}), (len(rows),))
    named = {"text": text, "names": ["queue", "cpu"], "rows": len(rows), "trial": True}
    wrong, theirs = answer(CEL, {}, named, [array.array("d", column.tolist()) for column in columns])
    assert (wrong, [bool(one) for one in theirs]) == ("", ours.tolist())


# A whole turn


def rules_of(*texts: str, size: int = 1) -> Rules:
    count = len(texts) * size
    return Rules(
        expressions=texts,
        names=tuple(("queue",) for _ in texts),
        slots=np.tile(np.arange(size, dtype=np.int32), len(texts)),
        expression=np.repeat(np.arange(len(texts), dtype=np.int32), size),
        position=np.zeros(count, np.int16),
        minimum=np.full(count, 5, np.int64),
        maximum=np.full(count, -1, np.int64),
        pause_up=np.zeros(count, np.bool_),
        pause_down=np.zeros(count, np.bool_),
    )


def seen(*queue: float) -> Snapshot:
    fleet = Conducted(table(len(queue)), 3)
    fleet.at += 15
    return fleet.seen(10.0, queue=level(np.array(queue), fleet.at, PROM))


READY = np.array([3, 3, 3], np.int64)


async def test_every_row_of_a_turn_gets_its_outcome_and_the_unknown_is_unknown() -> None:
    evaluator = Evaluator(5.0)
    found = await evaluator.outcomes(rules_of("queue > 10", "queue in [20.0]", size=3), seen(5.0, 20.0, np.nan), READY)
    await evaluator.close()
    assert found.tolist() == [NO, YES, UNKNOWN, NO, YES, UNKNOWN]


async def test_a_rule_may_ask_for_replicas_pods_that_serve_and_the_hour() -> None:
    evaluator = Evaluator(5.0)
    # 2001-09-09T01:46:40Z, a Sunday
    texts = ("replicas == 3 && ready == 2", "hour == 1 && minute == 46 && weekday == 0", "day == 9 && month == 9")
    found = await evaluator.outcomes(rules_of(*texts), seen(1.0), np.array([2], np.int64))
    unknown = await evaluator.outcomes(rules_of("ready > 0"), seen(1.0), np.array([-1], np.int64))
    await evaluator.close()
    assert (found.tolist(), unknown.tolist()) == ([YES, YES, YES], [UNKNOWN])


async def test_a_hostile_rule_keeps_nobody_else_from_an_answer_and_is_not_asked_every_turn() -> None:
    evaluator = Evaluator(0.4)
    texts = (HOSTILE, "queue in [1.0]")
    await evaluator.outcomes(rules_of("queue in [1.0]"), seen(1.0), READY)
    turns = []
    took = []
    for _ in range(5):
        began = time.monotonic()
        turns.append((await evaluator.outcomes(rules_of(*texts), seen(1.0), READY)).tolist())
        took.append(time.monotonic() - began)
    await evaluator.close()
    assert turns[0] == [TOO_LONG, UNKNOWN]
    assert turns[1:] == [[TOO_LONG, YES]] * 4
    assert sum(one > 0.35 for one in took) == 2  # asked, left in peace for two turns, asked again


async def test_a_name_that_nobody_knows_is_unknown() -> None:
    evaluator = Evaluator(5.0)
    found = await evaluator.outcomes(rules_of("nobody > 1", "nobody in [1.0]"), seen(1.0), READY)
    await evaluator.close()
    assert found.tolist() == [UNKNOWN, UNKNOWN]
