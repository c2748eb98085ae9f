"""Forecasts half an hour ahead on recorded load: ours beside the last value, LightGBM and DynamicOptimizedTheta.

    python benchmarks/forecast.py [FOLDER]        FOLDER: the load series, by default ../shared/data/load

Series on a 5-minute grid, an origin every 30 minutes over the last third of each, those with 200 origins or more.
Everything is causal. MAE and pinball are geometric means over series of the ratio to the last value, whose quantiles
come from its own residuals of the trailing 7 days. The maximum is the highest load within the 30 minutes.
"""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from podium.foresight import installed
from podium.foresight.calibration import Calibration
from podium.foresight.outlook import Outlook

Array = NDArray[np.float64]
STEP = 300.0
HORIZON = 6  # steps: 30 minutes
WEEK = 2016  # steps
LEVELS = np.array([0.5, 0.9, 0.95, 0.99])
ORIGINS = 200  # fewer say little
FORECASTERS = ("last-value", "damped-trend", "log-holt-winters", "seasonal-profile", "ridge", "mixture")
OF_MAXIMUM = ("last-value", "mixture")
SLOW_SERIES, SLOW_ORIGINS = 3, 12  # every third series, and so many origins of each: for what is fitted at every origin
GROUPS = ("all", "cluster", "crane", "web", "wsd")
ROOT = Path(__file__).parents[1]


class Recorded(NamedTuple):
    """All series side by side, each starting at its own time of the week."""

    names: list[str]
    loads: Array  # [t, n]; NaN: no reading
    first: list[int]  # row of each one's first step
    length: list[int]

    def origins(self, column: int) -> NDArray[np.int64]:
        """Every sixth row of the last third, as far as the outcome is recorded."""
        start, length = self.first[column], self.length[column]
        rows = np.arange(start + length * 2 // 3, start + length - HORIZON)
        rows = rows[rows % HORIZON == 0]
        known = ~np.isnan(self.loads[rows, column]) & ~np.isnan(self.loads[rows + HORIZON, column])
        return rows[known]


def recorded(folder: Path) -> Recorded:
    series = list(_series(folder))
    first = [start % WEEK for _, start, _ in series]
    length = [len(loads) for _, _, loads in series]
    out = np.full((max(map(sum, zip(first, length, strict=True))), len(series)), np.nan)
    for column, (_, _, loads) in enumerate(series):
        out[first[column] : first[column] + length[column], column] = loads
    return Recorded([name for name, _, _ in series], out, first, length)


def _series(folder: Path) -> Iterator[tuple[str, int, Array]]:
    """Name as `group/series`, number of the first step, and the mean load of each 5 minutes."""
    for name in ("web_wc98", "web_nasa"):
        yield f"web/{name}", *_gridded(f"select ts, requests from '{folder}/{name}.parquet'")
    for group, name, key in (("crane", "services_crane", "series"), ("wsd", "services_request_rates", "kpi")):
        file = folder / f"{name}.parquet"
        for (one,) in duckdb.sql(f"select distinct {key} from '{file}' order by 1").fetchall():
            yield f"{group}/{one}", *_gridded(f"select ts, value from '{file}' where {key} = '{one}'")
    for name in ("cluster_alibaba2018_300s", "cluster_azure_v2_300s"):
        file = folder / f"{name}.parquet"
        for column in duckdb.sql(f"select * from '{file}' limit 0").columns[1:]:
            yield f"cluster/{name}.{column}", *_gridded(f"select t_rel_s, {column} from '{file}'")


def _gridded(query: str) -> tuple[int, Array]:
    at, loads = (
        np.ma.filled(np.ma.asarray(column).astype(float), np.nan) for column in duckdb.sql(query).fetchnumpy().values()
    )
    step = (at // STEP).astype(np.int64)
    row, known = step - step.min(), ~np.isnan(loads)
    total, count = (np.bincount(row[known], weights, row.max() + 1) for weights in (loads[known], None))
    return int(step.min()), np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def highest(loads: Array) -> Array:
    """[t, n] the highest load of the 30 minutes after each row."""
    out = np.full(loads.shape, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(loads[1:], HORIZON, axis=0)
    out[:-HORIZON] = windows.max(axis=-1)
    return out


def later(loads: Array) -> Array:
    """[t, n] the load 30 minutes after each row."""
    out = np.full(loads.shape, np.nan)
    out[:-HORIZON] = loads[HORIZON:]
    return out


def trailing(points: Array, outcomes: Array) -> Array:
    """[t, q, n] a point forecast with the quantiles of its own errors over the 7 days before."""
    errors = np.full(points.shape, np.nan)
    errors[HORIZON:] = (outcomes - points)[:-HORIZON]  # known when the outcome is
    out = np.full((len(points), len(LEVELS), points.shape[1]), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns without any error yet
        for row in range(0, len(points), HORIZON):
            out[row] = points[row] + np.nanquantile(errors[max(0, row - WEEK + 1) : row + 1], LEVELS, axis=0)
    return out


def ours(name: str, loads: Array) -> Array:
    """[t, q, n] quantiles of the load 30 minutes after each origin."""
    forecaster = installed.load(name)(STEP, loads.shape[1])
    out = np.full((len(loads), len(LEVELS), loads.shape[1]), np.nan)
    for row, values in enumerate(loads):
        at = (row + 1) * STEP
        forecaster.learn(at, values)
        if row % HORIZON == 0:
            out[row] = forecaster.quantiles(at, LEVELS, np.array([HORIZON * STEP]))[:, 0]
    return out


def ours_of_maximum(name: str, loads: Array) -> tuple[Array, Outlook]:
    """[t, q, n] quantiles of the highest load within 30 minutes of each origin, as the loop would take them."""
    n = loads.shape[1]
    outlook = Outlook(installed.load(name)(STEP, n), Calibration(n), n)
    out = np.full((len(loads), len(LEVELS), n), np.nan)
    ahead, lead = np.arange(1, HORIZON + 1) * STEP, np.full(n, HORIZON * STEP)
    for row, values in enumerate(loads):
        at = (row + 1) * STEP
        outlook.step(at, values, lead)
        if row % HORIZON == 0:
            out[row] = outlook.forecast(at, LEVELS, ahead).quantiles.max(axis=1)
    return out, outlook


class Score(NamedTuple):
    """One series."""

    group: str
    mae: float
    pinball: Array  # [q] mean loss
    coverage: Array  # [q] share of outcomes at or under the quantile
    answered: float  # share of origins with a forecast


def scores(data: Recorded, quantiles: Array, outcomes: Array) -> list[Score]:
    out = []
    for column, name in enumerate(data.names):
        rows = data.origins(column)
        if len(rows) < ORIGINS:
            continue
        y, q = outcomes[rows, column], quantiles[rows, :, column]
        known = ~np.isnan(q).any(axis=1) & ~np.isnan(y)
        error = y[known, None] - q[known]
        loss = np.maximum(LEVELS * error, (LEVELS - 1) * error).mean(axis=0)
        out.append(
            Score(
                name.split("/")[0],
                float(np.abs(error[:, 0]).mean()),
                loss,
                (error <= 0).mean(axis=0),
                float(known.mean()),
            )
        )
    return out


def slow(data: Recorded, quantiles: Array, outcomes: Array) -> list[str]:
    """Ours beside what is fitted anew at every origin, on few origins of some series: mean error over the last value's.

    Each of [series] at the same rows for all.
    """
    import theta

    if not theta.available():
        return ["statsforecast is not installed: no DynamicOptimizedTheta."]
    found: list[tuple[str, Array]] = []
    judged = [column for column in range(len(data.names)) if len(data.origins(column)) >= ORIGINS]
    for column in judged[::SLOW_SERIES]:
        load, rows = data.loads[:, column], data.origins(column)
        rows = rows[np.linspace(0, len(rows) - 1, SLOW_ORIGINS).round().astype(np.int64)]
        said = np.stack((load[rows], theta.forecast(load, rows, HORIZON), quantiles[rows, 0, column]))
        found.append((data.names[column].split("/")[0], np.abs(said - outcomes[rows, column]).mean(axis=1)))
    lines = ["| method | all | cluster | crane | web | wsd |", "|---|---|---|---|---|---|"]
    for number, name in enumerate(("last value", "DynamicOptimizedTheta", "ours: mixture")):
        cells = [[e[number] / e[0] for own, e in found if group in ("all", own)] for group in GROUPS]
        lines.append(f"| {name} | {' | '.join(_ratio(one) if one else '-' for one in cells)} |")
    return [f"{len(found)} series, {SLOW_ORIGINS} origins of each, evenly over the last third; MAE alone.\n", *lines]


def table(methods: dict[str, list[Score]], base: str) -> list[str]:
    """A row per method and group, as Markdown."""
    rows = [
        "| method | series | n | MAE | pinball .5 / .9 / .95 / .99 | mean coverage of .95 | in .93-.97 | answered |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for method, found in methods.items():
        for group in GROUPS:
            pairs = [(a, b) for a, b in zip(found, methods[base], strict=True) if group in ("all", a.group)]
            mae = _ratio([a.mae / b.mae for a, b in pairs])
            pinball = " / ".join(_ratio([a.pinball[q] / b.pinball[q] for a, b in pairs]) for q in range(len(LEVELS)))
            covered = np.array([a.coverage[2] for a, _ in pairs])
            inside = f"{((covered >= 0.93) & (covered <= 0.97)).sum()} of {len(pairs)}"
            answered = np.mean([a.answered for a, _ in pairs])
            cells = (method, group, len(pairs), mae, pinball, f"{covered.mean():.3f}", inside, f"{answered:.3f}")
            rows.append(f"| {' | '.join(map(str, cells))} |")
    return rows


def _ratio(ratios: list[float]) -> str:
    return f"{math.exp(np.mean(np.log(ratios))):.3f}"


def speed() -> list[str]:
    """What a step takes of one core: learn and four quantiles at six horizons; mean of 10 steps, two bins."""
    rows = ["| forecaster | slots | learn ms | quantiles ms | us per slot | MB |", "|---|---|---|---|---|---|"]
    levels, ahead = LEVELS, np.array([60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0])
    for name in FORECASTERS:
        for n in (10_000, 100_000) if name == "mixture" else (10_000,):
            forecaster = installed.load(name)(60.0, n)
            loads = 100 + 10 * np.random.default_rng(1).standard_normal((8, n))
            spent = []
            for number in range(1, 33):
                start = time.process_time()
                forecaster.learn(number * 60.0, loads[number % 8])
                learned = time.process_time()
                forecaster.quantiles(number * 60.0, levels, ahead)
                spent.append((learned - start, time.process_time() - learned))
            learn, ask = np.mean(spent[-10:], axis=0) * 1e3
            size = sum(array.nbytes for array in forecaster.state().values()) / 1e6
            cells = f"{learn:.1f} | {ask:.1f} | {(learn + ask) * 1e3 / n:.2f} | {size:.0f}"
            rows.append(f"| {name} | {n:,} | {cells} |")
    return rows


def backfill() -> list[str]:
    """How long a history takes to learn."""
    rows = ["| history on a 1-minute grid | forecaster alone s | outlook, judged as it goes s |", "|---|---|---|"]
    for days, n in ((3, 10), (3, 100)):
        loads = 100 + 10 * np.random.default_rng(1).standard_normal((days * 1440, n))
        at = (np.arange(len(loads)) + 1) * 60.0
        forecaster = installed.load("mixture")(60.0, n)
        start = time.process_time()
        for moment, row in zip(at.tolist(), loads, strict=True):
            forecaster.learn(moment, row)
        alone = time.process_time() - start
        outlook = Outlook(installed.load("mixture")(60.0, n), Calibration(n), n)
        start = time.process_time()
        outlook.learn(at, loads, np.full(n, 600.0))
        rows.append(f"| mixture, {days} days x {n:,} slots | {alone:.1f} | {time.process_time() - start:.1f} |")
    return rows


def report(folder: Path) -> str:
    import boosting  # beside this file; tests import this one from elsewhere
    import made_periods

    data = recorded(folder)
    ahead, peak = later(data.loads), highest(data.loads)
    day_before = np.vstack((np.full((288, data.loads.shape[1]), np.nan), data.loads))[
        HORIZON : len(data.loads) + HORIZON
    ]
    points = {"last value": data.loads, "seasonal naive, 1 day": day_before}
    boosted = boosting.forecast(data.loads, HORIZON)
    if boosted is None:
        print("LightGBM is not installed: no row of it")
    else:
        points["LightGBM over all series"] = boosted
    methods = {
        f"{name}, trailing residuals": scores(data, trailing(value, ahead), ahead) for name, value in points.items()
    }
    said = {name: ours(name, data.loads) for name in FORECASTERS}
    methods |= {f"ours: {name}": scores(data, one, ahead) for name, one in said.items()}
    beside_theta = slow(data, said["mixture"], ahead)
    of_peak = {"last value, trailing residuals": scores(data, trailing(data.loads, peak), peak)}
    trusted = []
    for name in OF_MAXIMUM:
        quantiles, outlook = ours_of_maximum(name, data.loads)
        of_peak[f"ours: {name}"] = scores(data, quantiles, peak)
        trusted.append(f"{name} {int(outlook.calibration.trusted.sum())}")
    base = "last value, trailing residuals"
    parts = [
        "# Forecast 30 minutes ahead on recorded load",
        (__doc__ or "").partition("\n\n")[2].partition("\n\n")[2].strip(),
        "## The load after 30 minutes",
        "\n".join(table(methods, base)),
        "## Beside DynamicOptimizedTheta",
        "\n".join(beside_theta),
        "## Loads of our own making that repeat",
        (made_periods.__doc__ or "").partition("\n\n")[2].partition("\n\n")[2].strip(),
        "\n".join(made_periods.table()),
        "## The maximum of the next 30 minutes",
        "\n".join(table(of_peak, base)),
        f"Trusted at the end, of {len(data.names)} series: {', '.join(trusted)}.",
        "## Time, in seconds of one core",
        "\n".join(speed()),
        "\n".join(backfill()),
        SHORT,
    ]
    return "\n\n".join(parts) + "\n"


SHORT = """## Where it falls short
- The few settings were chosen on these series; series never seen are likely a little worse. Of the ridge, a pull of 20,
  60 or 200 samples, a memory of 7 or 14 days, 8 or 13 days before and a unit of .3 or 1 of the usual load each moved
  the mean error by at most .002.
- Origins lie on the half hour. Between them, on a grid of minutes, what is told of every five minutes counts: with days
  like today followed to 15 and 30 minutes alone, this table stays as it is, and the error on minutes grows by 5 %.
- Bursts that nothing announces (crane, web) are not foreseen; the band widens after the first.
- DynamicOptimizedTheta was asked at 12 origins of 11 series, none of them a cluster's: a second of CPU each. On the one
  web series among them it is ahead.
- Whole clusters and crane are nearest to the last value: fitted in hindsight on the judged third itself, the same kind
  of line reaches .82 and .73 there.
- Nothing is claimed beyond 30 minutes ahead, and nothing is known of holidays and other calendars.
- Three days of minutes for ten slots take longer than the second they should: small fleets pay per call. All of it
  was timed in seconds of CPU, while others used the machine's caches."""


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "data" / "load"
    if not folder.is_dir():
        sys.exit(f"{folder}: no such folder; name the one that holds the load series")
    text = report(folder)
    print(text)
    (ROOT / "benchmarks" / "results" / "forecast.md").write_text(text)


if __name__ == "__main__":
    main()
