"""A whole recording judged row by row, each by what came before it: the answer is in the order of the rows given."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from podium.foresight.anomalies.detector import THRESHOLD, Detector
from podium.foresight.anomalies.episodes import Episode, episodes
from podium.model.arrays import Bools, Float64s

FIRST_ROWS = 65  # tell how far rows are apart; nothing is judged before


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What was found: per row [t], in the order given, and as episodes in the order of time."""

    score: Float64s  # 0 to 1; .5 and more: an alarm begins
    anomaly: Bools
    episodes: tuple[Episode, ...]
    step_seconds: float  # between rows; NaN where there are too few to tell


def judge(at: Float64s, values: Float64s, threshold: float = THRESHOLD) -> Judgement:
    """Judge [t] values, NaN where unknown, at [t] times in Unix seconds, in any order and possibly repeated.

    Rows of one time are judged in the order given. Raises ValueError for a threshold of 0 or less.
    """
    order = np.argsort(at, kind="stable")
    times, ordered = at[order], np.where(np.isfinite(values), values, np.nan)[order]
    step = _step_seconds(times)
    detector = Detector(1.0 if math.isnan(step) else step, 1, threshold)
    judged = detector.step(times, ordered[:, None])
    score, anomaly = judged.score[:, 0], judged.anomaly[:, 0]
    back = np.argsort(order, kind="stable")
    return Judgement(score[back], anomaly[back], tuple(episodes(times, ordered, score, anomaly)), step)


def _step_seconds(times: Float64s) -> float:
    """The usual distance of the first rows: what comes later says nothing about how the first are judged."""
    apart = np.diff(times[:FIRST_ROWS])
    apart = apart[apart > 0]
    return float(np.median(apart)) if len(apart) else math.nan
