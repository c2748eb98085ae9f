"""The answer of a rehearsal as it is printed, sent and drawn."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from podium.loop.rehearse.figures import Figures, by_level, of_maximum, of_targets
from podium.loop.rehearse.rehearsal import Said, Wanted
from podium.model.clock import duration, rfc3339

ROUNDING = 1e-5  # of the load: float32 and no more
ALIKE = 0.05  # errors that differ by less than a twentieth are alike


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What was said at every origin, and how good it was: at all targets, at the horizon, of the largest until then."""

    said: Said
    wanted: Wanted
    forecaster: str
    all: Figures
    at_horizon: Figures
    maximum: Figures
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The contract's fields, and what they rest on. Times are Unix seconds; unknown is null."""
        steps, whole = self.said.steps, self.all.as_json()
        return {
            "series": steps.name,
            "forecaster": self.forecaster,
            "grid_seconds": steps.step_seconds,
            "horizon_seconds": self.wanted.horizon_seconds,
            "step_seconds": self.wanted.step_seconds,
            "history_seconds": self.wanted.history_seconds,
            "origins": [self._origin(number) for number in range(len(self.said.rows))],
            "summary": whole | {"at_horizon": self.at_horizon.as_json(), "maximum": self.maximum.as_json()},
            "notes": list(self.notes),
        }

    def _origin(self, number: int) -> dict[str, Any]:
        said = self.said
        origin = said.steps.at(int(said.rows[number]))
        return {
            "origin": origin,
            "at": (origin + said.ahead).tolist(),
            "quantiles": by_level(tuple(_known(row) for row in said.quantiles[number].tolist())),
            "maximum": by_level(tuple(_known(said.maximum[number].tolist()))),
            "trusted": None if said.trusted is None else bool(said.trusted[number]),
            "last": _number(float(said.last[number])),
            "actual": _known(said.actual[number].tolist()),
        }

    def about(self) -> list[tuple[str, str]]:
        """What was asked of whom, for people."""
        said, wanted = self.said, self.wanted
        first, last = (rfc3339(said.steps.at(int(said.rows[row]))) for row in (0, -1))
        heard = []
        if said.trusted is not None:
            heard = [("trusted", f"at {int(said.trusted.sum())} of them the loop would have listened to it")]
        return [
            ("load", said.steps.name),
            ("forecaster", f"{self.forecaster}, in steps of {duration(said.steps.step_seconds)}"),
            ("asked", f"at {len(said.rows)} moments, {first} to {last}, {duration(wanted.horizon_seconds)} ahead"),
            *heard,
            *(("note", note) for note in self.notes),
        ]

    def verdict(self) -> str:
        """How good it is beside the last value, in a sentence."""
        far = duration(self.wanted.horizon_seconds)
        one = self.at_horizon if self.at_horizon.judged else self.all
        if not one.judged:
            return "Nothing could be judged: the load or the forecast is unknown wherever it was asked."
        if one.wape is None or one.last_value_wape is None:
            return "The load was zero all the while; there is nothing to foresee."
        ratio = one.ratio
        if ratio is None:
            if one.wape < ROUNDING:
                return "The load never changed, and nothing else was expected."
            return f"The load never changed; the forecast was off by {one.wape:.2%} of it, the last value is right."
        sizes = f"{far} ahead it was off by {one.wape:.1%} of the load, the last value by {one.last_value_wape:.1%}"
        if ratio < 1 - ALIKE:
            return f"{sizes}: {1 - ratio:.0%} less error than the last value."
        if ratio <= 1 + ALIKE:
            return f"{sizes}: about as good as the last value."
        return f"{sizes}: {ratio - 1:.0%} more error: the last value is better here."

    def coverage_words(self) -> str:
        """Whether its quantiles hold, in a sentence."""
        held = self.maximum.coverage[2]
        if self.said.trusted is None:
            return "The largest load until the horizon was not asked for: --maximum, a few times the work."
        if held is None:
            return "Whether its 95 % quantile holds could not be judged."
        words = f"The largest load of the next {duration(self.wanted.horizon_seconds)} stayed under its 95 % quantile"
        return f"{words} in {held:.0%} of {self.maximum.judged} cases."


def answer(said: Said, wanted: Wanted, forecaster: str, notes: Sequence[str] = ()) -> Answer:
    """Judge what was said."""
    told = list(notes)
    if len(said.rows) < wanted.origins:
        told.append(f"the last third holds {len(said.rows)} origins, not {wanted.origins}")
    if said.steps.unknown > 0.01:
        told.append(f"{said.steps.unknown:.0%} of the load is unknown; there nothing is learned and nothing judged")
    if not said.quantiles[:, :, -1:].size or math.isnan(float(said.quantiles[-1, 0, -1])):
        told.append("at the last origin nothing was said: too little was known just before")
    return Answer(
        said, wanted, forecaster, of_targets(said), of_targets(said, slice(-1, None)), of_maximum(said), tuple(told)
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _known(values: Sequence[float]) -> list[float | None]:
    return [_number(value) for value in values]
