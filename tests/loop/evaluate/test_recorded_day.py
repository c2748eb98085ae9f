"""A whole recorded day: the back-test's HPA orders what Kubernetes' own controller wrote (day.txt, a line an hour).

`python benchmarks/hpa_equality.py` runs the same day through upstream where Go is at hand.
"""

from __future__ import annotations

import functools
import itertools
import json
from pathlib import Path

from benchmarks.peers import day

from podium.loop.evaluate.answers import answers

UPSTREAM = [int(size) for size in Path(__file__).with_name("day.txt").read_text().split()]

simulated = functools.cache(lambda: day.simulated(day.recorded_load()))


def test_the_back_tests_hpa_orders_what_upstream_wrote_in_every_minute() -> None:
    assert len(UPSTREAM) == 1440
    assert simulated().ordered == UPSTREAM


def test_the_day_written_out_is_reconciled_to_the_same_sizes() -> None:
    (answer,) = answers([json.dumps(day.line(simulated())).encode()], full=False)
    assert [tick["replicas"] for tick in json.loads(answer)["ticks"]] == UPSTREAM


def test_the_day_is_a_day_in_which_something_happens() -> None:
    changes = sum(one != other for one, other in itertools.pairwise(UPSTREAM))
    starting = sum(ready < replicas for ready, replicas in zip(simulated().ready, simulated().replicas, strict=True))
    assert (changes, min(UPSTREAM), max(UPSTREAM), starting) == (252, 1, 16, 105)
