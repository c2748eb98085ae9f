"""Anomalies on recorded series with labels: ours beside two simple detectors and the published results of the NAB.

    python benchmarks/anomalies.py [FOLDER]        FOLDER: labelled series, by default ../shared/data/anomaly

One setting for every series, every row judged by its past alone. NAB: the standard profile of version 1.1, whose
leaderboard picks each detector's threshold on the judged files; beside it ours at the score of 0.5, at which Podium
raises an alarm, and split-half: the threshold picked on one half of the files and judged on the other, 40 times.
KPIs: point F1 as the AIOps challenge counts (a segment told within 7 rows counts whole), event F1 (a segment or a run
of false rows counts once), false episodes per KPI and day, the median delay in rows.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from podium.foresight.anomalies.recording import judge
from podium.model.clock import parse_rfc3339

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
DELAY = 7  # rows within which a segment must be told
ROOT = Path(__file__).parents[1]
HALVES = 20
FALSE = 0.11
THRESHOLDS = (2.0, 2.5, 3.0)


class Series(NamedTuple):
    """One labelled series."""

    at: Array
    value: Array
    label: Flags


Detect = Callable[[Series], tuple[Array, Flags]]  # a score between 0 and 1, and whether it is an anomaly


def ours(series: Series, threshold: float = 2.5) -> tuple[Array, Flags]:
    found = judge(series.at, series.value, threshold)
    return found.score, found.anomaly


def smoothed(series: Series) -> tuple[Array, Flags]:
    """Residuals of an exponentially weighted mean (1/10), over their own deviation (1/500), alarm at 5."""
    mean, variance, times = float(series.value[0]), 0.0, np.zeros(len(series.value))
    for row, value in enumerate(series.value.tolist()):
        error = value - mean
        if row > 100 and variance > 0:
            times[row] = abs(error) / variance**0.5
        mean += error / 10
        variance += (error * error - variance) / 500
    return times / (times + 5.0), times > 5


def deviations(series: Series) -> tuple[Array, Flags]:
    """More than 2.5 standard deviations from the mean of the whole past: the rule taken by its word."""
    count = np.arange(1, len(series.value) + 1)
    shifted = series.value - series.value[0]
    mean = np.cumsum(shifted) / count
    deviation = np.sqrt(np.maximum(np.cumsum(shifted * shifted) / count - mean * mean, 0))
    past_mean, past = np.append(0.0, mean[:-1]), np.append(0.0, deviation[:-1])
    times = np.divide(np.abs(shifted - past_mean), past, out=np.zeros(len(mean)), where=past > 0)
    return times / (times + 2.5), times > 2.5


DETECTORS: dict[str, Detect] = {
    "podium": ours,
    "EWMA residual at 5 sigma": smoothed,
    "2.5 sigma": deviations,
}


class Counted(NamedTuple):
    """What a detector's flags come to on one KPI, or on all."""

    points: Array  # true, false, missed
    events: Array  # told, all segments, false episodes
    days: float
    delays: list[int]


def runs(flags: Flags) -> list[tuple[int, int]]:
    """(first, past the last) of each run."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def counted(series: Series, flags: Flags) -> Counted:
    segments = runs(series.label)
    told, points, delays = 0, np.zeros(3), []
    for first, end in segments:
        early = np.flatnonzero(flags[first : min(end, first + DELAY + 1)])
        points[0 if len(early) else 2] += end - first
        if len(early):
            told += 1
            delays.append(int(early[0]))
    points[1] = np.count_nonzero(flags & ~series.label)
    false = sum(not series.label[first:end].any() for first, end in runs(flags))
    days = float(series.at[-1] - series.at[0]) / 86400
    return Counted(points, np.array([told, len(segments), false], float), days, delays)


def kpi_cells(all_of: list[Counted]) -> list[str]:
    true, false, missed = np.sum([one.points for one in all_of], axis=0).tolist()
    told, segments, episodes = np.sum([one.events for one in all_of], axis=0).tolist()
    delays = [delay for one in all_of for delay in one.delays]
    points = 2 * true / max(2 * true + false + missed, 1)
    events = 2 * told / max(told + episodes + segments, 1)
    a_day = episodes / sum(one.days for one in all_of)
    return [f"{points:.3f}", f"{a_day:.2f}", f"{events:.3f}", f"{told / segments:.2f}", f"{np.median(delays):.0f}"]


def kpis(folder: Path) -> dict[str, Series]:
    file = folder / "kpi.parquet"
    names = [name for (name,) in duckdb.execute(f"select distinct kpi from '{file}' order by 1").fetchall()]
    out = {}
    for name in names:
        query = f"select ts, value, label from '{file}' where kpi = '{name}' order by ts"
        at, value, label = duckdb.execute(query).fetchnumpy().values()
        out[name] = Series(np.asarray(at, float), np.asarray(value, float), np.asarray(label) > 0)
    return out


def nab(folder: Path) -> dict[str, Series]:
    out = {}
    for name in json.loads((folder / "labels/combined_windows.json").read_text()):
        file = folder / "data" / name
        file = file if file.exists() else file.with_suffix(".csv.gz")
        # As text, row by row: the benchmark has repeated times, and every row is scored.
        query = f"select timestamp, value from read_csv('{file}', types = {{'timestamp': 'VARCHAR'}}, parallel = false)"
        rows = duckdb.execute(query).fetchall()
        at = [parse_rfc3339(text.replace(" ", "T") + "Z") for text, _ in rows]
        out[name] = Series(np.array(at), np.array([value for _, value in rows], float), np.zeros(len(at), np.bool_))
    return out


class Windows(NamedTuple):
    """A file's rows as the NAB weighs them: what an alarm in each is worth, and in which window it lies."""

    worth: Array
    window: NDArray[np.int64]  # -1: in none
    judged: int  # windows that do not lie in the practice


def sigmoid(place: Array) -> Array:
    """What an alarm is worth at a place relative to a window: -1 its begin, 0 its end, beyond 3 nothing but harm."""
    out: Array = np.where(place > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(place, 4))) - 1)
    return out


def windows(folder: Path, series: dict[str, Series]) -> dict[str, Windows]:
    """The standard profile: 1 at the begin of a window, -0.11 far from all of them; the first 15 % are practice."""
    out = {}
    for name, spans in json.loads((folder / "labels/combined_windows.json").read_text()).items():
        at = series[name].at
        row = np.arange(len(at))
        worth, window = np.full(len(at), -FALSE), np.full(len(at), -1)
        ends = [[int(np.flatnonzero(at == moment(text))[0]) for text in span] for span in spans]
        for number, (begin, end) in enumerate(sorted(ends)):
            inside = (row >= begin) & (row <= end)
            worth[inside] = sigmoid(-(end - row[inside] + 1) / (end - begin + 1)) / sigmoid(np.array(-1.0))
            window[inside] = number
            later = row > end
            worth[later] = FALSE * sigmoid((row[later] - end) / max(end - begin, 1))
            window[later] = -1
        practice = int(np.ceil(min(np.floor(0.15 * len(at)), 750)))
        worth[:practice], window[:practice] = np.nan, -1
        out[name] = Windows(worth, window, len(np.unique(window[practice:][window[practice:] >= 0])))
    return out


def moment(text: str) -> float:
    """Unix seconds of a time without a zone, taken for UTC, cut to whole seconds."""
    return parse_rfc3339(text.partition(".")[0].replace(" ", "T") + "Z")


def nab_score(scores: dict[str, Array], weighed: dict[str, Windows], threshold: float | None) -> tuple[float, float]:
    """(score, threshold): 0 is a detector that never speaks, 100 a perfect one. None: the threshold that is best."""
    alarm, worth, window, first, every = [], [], [], 0, 0
    for name, score in scores.items():
        one = weighed[name]
        judged = ~np.isnan(one.worth)
        alarm.append(score[judged])
        worth.append(one.worth[judged])
        window.append(np.where(one.window >= 0, one.window + first, -1)[judged])
        first += int(one.window.max(initial=-1)) + 1
        every += one.judged
    order = np.argsort(-np.concatenate(alarm), kind="stable")
    height, gain, place = (np.concatenate(part)[order] for part in (alarm, worth, window))
    best, now = np.full(first, -1.0), 0.0
    top, chosen = 0.0, 1.1
    for row, (level, value, number) in enumerate(zip(height.tolist(), gain.tolist(), place.tolist(), strict=True)):
        if threshold is None and row and level != height[row - 1] and now > top:
            top, chosen = now, float(height[row - 1])
        if threshold is not None and level < threshold:
            break
        if number < 0:
            now += value
        elif value > best[number]:
            now, best[number] = now + value - best[number], value
    if threshold is not None:
        top, chosen = now, threshold
    return 100 * top / (first + every), chosen


def halves(scores: dict[str, Array], weighed: dict[str, Windows]) -> tuple[float, float]:
    """Mean and deviation of the score on one half of the files, at the threshold that was best on the other."""
    random, names = np.random.default_rng(0), np.array(sorted(scores))
    out = []
    for _ in range(HALVES):
        order = random.permutation(names)
        for learned, judged in ((order[::2], order[1::2]), (order[1::2], order[::2])):
            _, threshold = nab_score({name: scores[name] for name in learned}, weighed, None)
            out.append(nab_score({name: scores[name] for name in judged}, weighed, threshold)[0])
    return float(np.mean(out)), float(np.std(out))


def table(head: list[str], rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        first, *rest = (
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *rest]).rstrip(), flush=True)
    print()


def on_nab(folder: Path) -> None:
    series = nab(folder)
    weighed = windows(folder, series)
    rows = []
    for name, detect in DETECTORS.items():
        began = time.process_time()
        scores = {file: detect(one)[0] for file, one in series.items()}
        spent = (time.process_time() - began) / sum(map(len, scores.values())) * 1e6
        (best, _), (fixed, _) = nab_score(scores, weighed, None), nab_score(scores, weighed, 0.5)
        mean, deviation = halves(scores, weighed)
        rows.append([name, f"{best:.1f}", f"{fixed:.1f}", f"{mean:.1f} ± {deviation:.1f}", f"{spent:.1f}"])
    published = json.loads((folder / "published_final_results.json").read_text())
    order = sorted(published, key=lambda name: -published[name]["standard"])
    rows += [[f"{name} (published)", f"{published[name]['standard']:.1f}", "", "", ""] for name in order]
    table(["NAB, standard profile", "best threshold", "at 0.5", "split-half", "us per row"], rows)


def on_kpis(folder: Path) -> None:
    series = kpis(folder)
    head = ["KPIs", "point F1", "false episodes a day", "event F1", "segments told", "median delay", "us per row"]
    rows: list[list[str]] = []
    mine: dict[str, Counted] = {}
    for name, detect in DETECTORS.items():
        began = time.process_time()
        found = {kpi: detect(one)[1] for kpi, one in series.items()}
        spent = (time.process_time() - began) / sum(map(len, found.values())) * 1e6
        each = {kpi: counted(series[kpi], flags) for kpi, flags in found.items()}
        rows.append([name, *kpi_cells(list(each.values())), f"{spent:.1f}"])
        mine = mine or each
    for threshold in THRESHOLDS:
        if threshold != 2.5:
            all_of = [counted(one, ours(one, threshold)[1]) for one in series.values()]
            rows.append([f"podium, threshold {threshold:g}", *kpi_cells(all_of), ""])
    for word, part in (("AIOps 2018", False), ("WSD", True)):
        kept = [one for kpi, one in mine.items() if kpi.startswith("wsd") == part]
        rows.append([f"podium, {word} alone", *kpi_cells(kept), ""])
    table(head, rows)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/data/anomaly"
    on_nab(folder / "nab")
    on_kpis(folder)


if __name__ == "__main__":
    main()
