"""The answer of a first look: what was seen, and for how long, the largest savings and the largest risks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from podium.loop.backtest.advice import Advice
from podium.loop.backtest.recorded import Recorded
from podium.loop.survey.finding import Finding
from podium.loop.survey.lately import Lately
from podium.loop.survey.reading import Seen
from podium.loop.survey.risks import risks
from podium.loop.survey.rows import Amounts, Fleet, rows
from podium.loop.survey.savings import Money, savings
from podium.model.clock import duration

NOTHING_LATELY = Lately()
LEAST_MINUTES = 60  # of a history, for its peak to count


@dataclasses.dataclass(frozen=True, slots=True)
class Past:
    """What a Prometheus told beside: nothing where none was asked."""

    minutes: int = 0
    recorded: tuple[Recorded, ...] = ()
    advice: tuple[Advice, ...] = ()
    unseen: tuple[str, ...] = ()
    lately: Lately = NOTHING_LATELY


@dataclasses.dataclass(frozen=True, slots=True)
class Survey:
    """What one look at a cluster came to."""

    seen: Seen
    fleet: Fleet
    past: Past
    savings: tuple[Finding, ...]
    risks: tuple[Finding, ...]
    currency: str

    @property
    def measured(self) -> str:
        """On what the findings rest, in a sentence."""
        window = self.fleet.window_seconds
        pods = sum(len(row.used) for row in self.fleet.rows)
        now = f"use: one reading of {pods} pods over {window:.0f} s" if math.isfinite(window) else "use: not known"
        if not self.past.minutes:
            return f"{now}; no history: --prometheus URL adds one"
        return f"{now}; history: the last {duration(self.past.minutes * 60)} of {len(self.past.recorded)} workloads"

    @property
    def missing(self) -> list[str]:
        """What could not be seen."""
        return [*self.seen.missing, *self.past.unseen, *self.past.lately.missing]

    def as_json(self, most: int | None = None) -> dict[str, Any]:
        """Everything; `most` findings of each kind, or all."""
        return {
            "cluster": {"server": self.seen.server, "version": self.seen.version or None},
            "namespace": self.seen.namespace or None,
            "seen": {
                "workloads": len(self.fleet.rows),
                "pods": None if self.seen.pods is None else len(self.seen.pods),
                "hpas": None if self.seen.hpas is None else len(self.seen.hpas),
                "nodes": None if self.seen.nodes is None else len(self.seen.nodes),
                "measured_pods": sum(len(row.used) for row in self.fleet.rows),
                "window_seconds": self.fleet.window_seconds if math.isfinite(self.fleet.window_seconds) else None,
                "history_minutes": self.past.minutes or None,
                "words": self.measured,
            },
            "savings": [one.as_json() for one in self.savings[:most]],
            "risks": [one.as_json() for one in self.risks[:most]],
            "currency": self.currency or None,
            "workloads": [one.as_json() for one in self.past.advice],
            "unseen": self.missing,
        }


def survey(seen: Seen, past: Past, money: Money, currency: str, now: float) -> Survey:
    """Put a reading and a history together. Pure."""
    fleet = rows(seen, past.lately)
    advice = {one.name: one for one in past.advice}
    found = savings(fleet, peaks(past.recorded), advice, money)
    worst = risks(fleet, advice, now)
    return Survey(seen, fleet, past, tuple(found), tuple(worst), currency)


def peaks(recorded: Sequence[Recorded]) -> dict[str, Amounts]:
    """What a pod of each workload used on average in 999 of 1000 minutes; only where an hour at least is known."""
    out = {}
    for one in recorded:
        with np.errstate(divide="ignore", invalid="ignore"):
            each = (one.load / one.ready)[(one.ready > 0) & ~np.isnan(one.load)]
        if len(each) >= LEAST_MINUTES:
            subject = one.subject
            name = f"{subject.namespace}/{subject.kind}/{subject.name}"
            out[name] = Amounts(cpu=math.ceil(float(np.quantile(each, 0.999)) * 1000))
    return out
