"""Generated cases and oddities with the answers of Kubernetes' own code (v1.36.3): equal to the last byte.

`python benchmarks/hpa_equality.py --states 1900 --timelines 100 --seed 2000 --freeze FILE` wrote them, and compares
more than a hundred thousand others where Go is at hand.
"""

from __future__ import annotations

import collections
import functools
import itertools
import json
import lzma
from pathlib import Path

from podium.loop.evaluate.answers import answers

RECORDED = Path(__file__).with_name("upstream.jsonl.xz")


@functools.cache
def recorded() -> tuple[list[bytes], list[bytes]]:
    """The cases, and upstream's answer to each."""
    with lzma.open(RECORDED) as file:
        lines = file.read().splitlines()
    return lines[::2], lines[1::2]


def kinds() -> list[bool]:
    """Which cases are timelines."""
    return [b'"ticks":[' in answer for answer in recorded()[1]]


def test_every_recorded_state_gets_upstreams_answer() -> None:
    states = [not timeline for timeline in kinds()]
    cases, told = (list(itertools.compress(lines, states)) for lines in recorded())
    assert len(cases) > 1900
    assert list(answers(cases, full=True)) == told


def test_every_recorded_timeline_is_reconciled_as_upstream_reconciled_it() -> None:
    cases, told = (list(itertools.compress(lines, kinds())) for lines in recorded())
    assert len(cases) > 100
    assert list(answers(cases, full=True)) == told


def test_the_recording_has_every_kind_of_metric_and_what_goes_wrong_with_each() -> None:
    kinds_of_metric = {"Resource", "ContainerResource", "Pods", "Object", "External"}
    seen = collections.Counter[str]()
    for answer in map(json.loads, recorded()[1]):
        seen["refused"] += "invalid" in answer
        for tick in answer.get("ticks", ()):
            seen.update(condition["reason"] for condition in tick["status"]["conditions"])
            seen["wrote"] += "wrote" in tick
    failures = {f"FailedGet{kind}Metric" for kind in kinds_of_metric}
    limits = {"ScaleUpLimit", "ScaleDownLimit", "TooManyReplicas", "TooFewReplicas"}
    stabilised = {"ScaleDownStabilized", "ScaleUpStabilized", "ScaledToZero", "ScalingDisabled"}
    failures |= {"InvalidSelector"}
    assert {"refused", "wrote"} | failures | limits | stabilised <= set(seen)
