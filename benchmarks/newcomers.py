"""New workloads among others of their tenant: what borrowing buys on their first days, half an hour ahead.

    python benchmarks/newcomers.py [FOLDER]        FOLDER: the load series, by default ../shared/data/load

Of the 22 request rates of one company, and of the 7 services of another, every fourth is taken away and comes as new
after ten days, at four moments of the year each; the others are there all the time. Beside the last value: mean
absolute error by hours since the first reading, geometric mean over series and moments.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from forecast import HORIZON, STEP, Recorded, recorded
from numpy.typing import NDArray

from podium.foresight import installed
from podium.foresight.banded import Banded

Array = NDArray[np.float64]
DAY = 288
HISTORY, NEW = 10 * DAY, 2 * DAY
FOLDS, MOMENTS = 4, 4
HOURS = ((1, 3), (3, 6), (6, 12), (12, 24), (1, 24), (24, 48))
ROOT = Path(__file__).parents[1]


class Trial(NamedTuple):
    """Loads of a group, of which some come as new after HISTORY rows."""

    group: str
    loads: Array  # [t, m]
    new: NDArray[np.int64]


def trials(data: Recorded) -> list[Trial]:
    out = []
    for group in ("wsd", "crane"):
        columns = np.flatnonzero([name.startswith(group) for name in data.names])
        loads = data.loads[:, columns]
        known = np.flatnonzero((~np.isnan(loads)).mean(axis=1) > 0.9)
        first, last = int(known[0]), int(known[-1]) - HISTORY - NEW - HORIZON
        for start in np.linspace(first, last, MOMENTS).astype(int).tolist():
            part = loads[start : start + HISTORY + NEW + HORIZON]
            for fold in range(FOLDS):
                new = np.arange(fold, len(columns), FOLDS)
                hidden = part.copy()
                hidden[:HISTORY, new] = np.nan
                out.append(Trial(group, hidden, new))
    return out


def errors(some: list[Trial]) -> list[Array]:
    """For each trial [3, hours, new] mean absolute errors: alone, borrowing, and of the last value."""
    side = [trial.loads.shape[1] for trial in some]
    loads = np.hstack([trial.loads for trial in some] * 2)
    groups = np.concatenate([np.full(sum(side), -1), np.repeat(np.arange(len(some)), side)])
    forecaster = installed.load("mixture")(STEP, loads.shape[1])
    assert isinstance(forecaster, Banded)
    forecaster.among(groups)
    said = np.full(loads.shape, np.nan)
    for number, row in enumerate(loads, 1):
        forecaster.learn(number * STEP, row)
        if number > HISTORY:
            said[number - 1] = forecaster.quantiles(number * STEP, np.array([0.5]), np.array([HORIZON * STEP]))[0, 0]
    out, first = [], 0
    for trial, width in zip(some, side, strict=True):
        alone, borrowing = (said[:, first + start : first + start + width][:, trial.new] for start in (0, sum(side)))
        out.append(_by_hours((alone, borrowing, trial.loads[:, trial.new]), trial.loads[:, trial.new]))
        first += width
    return out


def _by_hours(ways: tuple[Array, ...], loads: Array) -> Array:
    out = []
    for start, end in HOURS:
        rows = np.arange(HISTORY + start * 12, HISTORY + end * 12)
        missed = np.stack([np.abs(loads[rows + HORIZON] - way[rows]) for way in ways])
        known = ~np.isnan(missed).any(axis=0)
        out.append(np.where(known, missed, 0).sum(axis=1) / np.maximum(known.sum(axis=0), 1))
    return np.stack(out, axis=1)


def table(folder: Path) -> list[str]:
    """A row per group and way, as Markdown."""
    some = trials(recorded(folder))
    found = errors(some)
    rows = [f"| group | | {' | '.join(f'hours {start}-{end}' for start, end in HOURS)} |"]
    rows.append(f"|---|---|{'---|' * len(HOURS)}")
    for group in ("wsd", "crane"):
        mine = np.concatenate([one for one, trial in zip(found, some, strict=True) if trial.group == group], axis=2)
        good = (mine > 0).all(axis=(0, 1))
        for way, name in enumerate(("alone", "borrowing")):
            ratio = np.exp(np.log(mine[way][:, good] / mine[2][:, good]).mean(axis=1))
            rows.append(f"| {group}, {good.sum()} new | {name} | {' | '.join(f'{one:.3f}' for one in ratio)} |")
    return rows


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "data" / "load"
    print("\n".join(table(folder)))


if __name__ == "__main__":
    main()
