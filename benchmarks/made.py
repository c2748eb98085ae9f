"""Policies in a closed loop over loads of our own making, each with one thing that is hard to meet.

    python benchmarks/made.py

Seven ordinary days teach, two are judged; a replica serves 1, and an ordinary day lies between 10 and 40. The rules are
those of `podium backtest`; the share of unserved load that Podium is asked for is 0.1 %.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from synthetic.shapes import shapes

from podium.loop.backtest.contender import parse
from podium.loop.backtest.run import Case, Field, Rules, backtest
from podium.loop.backtest.trace import Trace
from podium.loop.remember.anew import new_memory

ROOT = Path(__file__).parents[1]
POLICIES = ("podium", "hpa:70", "hpa:50")
MONDAY = 1440 * 4  # minutes since the epoch: a Monday
SHORT = """## Where it falls short
- What has no precedent is met as it comes: a step of ten times costs the lead time, whoever scales.
- A spike of a minute is over before a replica serves; what was ordered for it is paid for some minutes."""


def table(startup: float) -> list[str]:
    """A row per load, unserved and cost of each policy."""
    loads = shapes(round(startup / 60))
    cases = [Case(Trace(name, MONDAY, load), 1.0, startup) for name, load in loads.items()]
    rans = list(backtest(Field(cases, Rules()), [parse(name, 0.001) for name in POLICIES], new_memory))
    head = " | ".join(f"{name} unserved | cost / oracle" for name in POLICIES)
    rows = [f"| load | {head} |", "|---" * (1 + 2 * len(POLICIES)) + "|"]
    for number, name in enumerate(loads):
        cells = [f"{ran.scores[number].unserved_fraction:.3%} | {ran.scores[number].cost:.2f}" for ran in rans]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return [f"## A new replica serves after {startup:g} s", "", *rows, ""]


def main() -> None:
    about = (__doc__ or "").partition("made.py\n\n")[2].strip()
    parts = ["# Policies in a closed loop over loads of our own making", "", about, ""]
    for startup in (120.0, 600.0):
        parts += table(startup)
    text = "\n".join([*parts, SHORT]) + "\n"
    print(text)
    (ROOT / "benchmarks" / "results" / "made.md").write_text(text)


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore", invalid="ignore")
    main()
