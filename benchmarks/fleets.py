"""What the floor knows beside one workload's own loads: its tenant's bursts, and how long starts really take.

    python benchmarks/fleets.py [FOLDER]      FOLDER: the load series, by default ../shared/data/load

Bursts of a tenant: fifty workloads of our own making, a daily rhythm with eight per cent of noise; every day and a
half a burst of 1.5 to 3 times the load for 8 to 25 minutes meets all of them, within so many minutes of each other.
Forty are there from the beginning and judged from the third day on, ten come at half time and are judged from their
fifth minute. Starts take 120 s, 0.1 % of the load may stay unserved, a replica serves 1. Once every workload stands
alone, once they are one tenant's.

Starts: every third of the recorded loads with nine days or more, two weeks of each; 15 of 20 starts take 20 s, 3 take
60 and 2 take 180. Once the floor plans with all of them, once with the .95 quantile, 180 s, alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from backtest import RISK, ROOT, traces
from numpy.typing import NDArray

from podium.foresight import fellows, installed
from podium.foresight.calibration import Calibration
from podium.foresight.outlook import Outlook
from podium.loop.backtest.contender import parse
from podium.loop.backtest.run import Field, Rules, backtest, spread_case, usual_capacity
from podium.loop.remember.anew import new_memory

MINUTE, DAY = 60.0, 1440
DAYS, SIZE, OLD = 10, 50, 40
SPREADS = (0, 6)  # minutes within which a burst meets all
STARTS = [20.0] * 15 + [60.0] * 3 + [180.0] * 2
TWO_WEEKS = 14

Load = NDArray[np.float64]


def bursts(spread: int) -> Load:
    """[t, n] the load of the made tenant; NaN before a workload came."""
    rng = np.random.default_rng(3)
    minute = np.arange(DAYS * DAY)
    rhythm = 20 + 10 * np.sin(2 * np.pi * minute / DAY)
    factor = np.ones((len(minute), SIZE))
    noise = np.exp(0.08 * rng.standard_normal(factor.shape))
    for begin in np.sort(rng.integers(DAY // 2, len(minute) - 60, round(DAYS / 1.5))).tolist():
        height, first = rng.uniform(1.5, 3.0), begin + rng.integers(0, spread + 1, SIZE)
        for slot in range(SIZE):
            last = first[slot] + rng.integers(8, 25)
            factor[first[slot] : last, slot] = height * np.exp(0.1 * rng.standard_normal())
    load = rhythm[:, None] * noise * factor
    load[: len(load) // 2, OLD:] = np.nan
    return load


def followed(load: Load, tenants: NDArray[np.int64] | None) -> tuple[Load, Load, Outlook]:
    """[t, n] the floor and the .999 quantile of the next two minutes' maximum, told in each minute."""
    size = load.shape[1]
    outlook = Outlook(installed.load("last-value")(MINUTE, size), Calibration(size), size)
    leads, risk, one = np.full(size, 120.0), np.full(size, RISK), np.ones(size)
    floor, quantile = np.empty_like(load), np.empty_like(load)
    for row, now in enumerate(load):
        outlook.step((row + 1) * MINUTE, now, leads, risk, one, tenants=tenants)
        floor[row] = outlook.peak.floor
        quantile[row] = outlook.peak.quantiles(row + 1, np.array([0.999]))[0]
    return floor, quantile, outlook


def figures(load: Load, floor: Load, quantile: Load) -> str:
    """Unserved share, cost over the oracle, and how often the .999 quantile held, of all but the last minutes."""
    judged = np.arange(2, len(load) - 2)
    ordered = np.ceil(floor)
    serving = np.minimum(ordered[judged - 1], ordered[judged - 2])
    short = np.maximum(load[judged] - serving, 0).sum() / load[judged].sum()
    highest = np.maximum(load[judged + 1], load[judged + 2])
    cost = ordered[judged].sum() / np.ceil(load[judged]).sum()
    return f"{short:.3%} | {cost:.3f} | {(highest <= quantile[judged]).mean():.2%}"


def tenants_table() -> list[str]:
    """A row per spread of the bursts, alone and together."""
    rows = [
        "| bursts meet all within | workloads | unserved | cost / oracle | .999 held | new: unserved | cost | held |",
        "|---|---|---|---|---|---|---|---|",
    ]
    words = []
    for spread in SPREADS:
        load = bursts(spread)
        begin = len(load) // 2 + 5
        for name, numbers in (("alone", None), ("one tenant's", np.zeros(SIZE, np.int64))):
            floor, quantile, outlook = followed(load, numbers)
            old, new = (slice(2 * DAY, None), slice(OLD)), (slice(begin, None), slice(OLD, None))
            cells = [figures(load[part], floor[part], quantile[part]) for part in (old, new)]
            rows.append(f"| {spread} min | {name} | {' | '.join(cells)} |")
        one = fellows.Tenants.among(np.zeros(SIZE, np.int64))
        assert one is not None
        words.append(f"{outlook.peak.independent(one)[0]:.0%} where bursts meet all within {spread} min")
    return [
        "## Bursts of a tenant",
        "",
        *rows,
        "",
        f"Of its outcomes, so many are taken for independent evidence: {', '.join(words)}.",
        "",
    ]


def starts_table(folder: Path) -> list[str]:
    """A row per way to plan."""
    found = [one for number, (_, one) in enumerate(traces(folder, TWO_WEEKS)) if number % 3 == 0]
    cases = [spread_case(one, usual_capacity(one), STARTS) for one in found]
    rows = ["| the floor plans with | traces within | unserved, median | worst | cost / oracle, median | mean |"]
    rows.append("|---|---|---|---|---|---|")
    for name, field in (("all starts", Field(cases, Rules())), ("180 s, the .95 quantile", Slowest(cases, Rules()))):
        (ran,) = backtest(field, [parse("podium", RISK)], new_memory)
        cost = np.array([score.cost for score in ran.scores])
        short = np.array([score.unserved_fraction for score in ran.scores])
        rows.append(
            f"| {name} | {(short <= RISK).mean():.0%} | {np.median(short):.3%} | {short.max():.2%} | "
            f"{np.median(cost):.3f} | {cost.mean():.3f} |"
        )
    return [f"## Starts, {len(cases)} recorded loads", "", *rows, ""]


class Slowest(Field):
    """Loads whose floor takes every start for the slowest."""

    def _starts(self, times: int) -> Load | None:
        del times
        return None


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "data" / "load"
    if not folder.is_dir():
        sys.exit(f"{folder}: no such folder; name the one that holds the load series")
    about = (__doc__ or "").partition("load\n\n")[2].strip()
    head = ["# What the floor knows beside one workload's own loads", "", about, ""]
    text = "\n".join([*head, *tenants_table(), *starts_table(folder)]).rstrip() + "\n"
    print(text)
    (ROOT / "benchmarks" / "results" / "fleets.md").write_text(text)


if __name__ == "__main__":
    main()
