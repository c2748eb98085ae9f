"""What never happened, laid over what did: a surge, an outage. The copy says of itself that it is synthetic."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from podium.signals.series import Series


class Overlay(Protocol):
    """A change of a recorded series. The series itself stays as it was."""

    def on(self, series: Series) -> Series:
        """The changed copy, with its origin telling so."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """Load times `factor` for `duration_seconds` from `at` (Unix seconds of the file), between linear ramps."""

    at: float
    duration_seconds: float
    factor: float
    ramp_seconds: float = 0.0

    def on(self, series: Series) -> Series:
        """Values are multiplied by 1 outside, `factor` inside, and in between on the ramps."""
        end = self.at + self.duration_seconds
        ramp = max(self.ramp_seconds, 1e-9)
        outside = np.maximum(self.at - series.at, series.at - end)
        strength = 1 - np.clip(outside / ramp, 0, 1)
        return Series(series.at, series.value * (1 + (self.factor - 1) * strength), _synthetic("surge", series))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """No rows for `duration_seconds` from `at` (Unix seconds of the file): a gap, not a load of zero."""

    at: float
    duration_seconds: float

    def on(self, series: Series) -> Series:
        """The rows inside are left out."""
        keep = (series.at < self.at) | (series.at >= self.at + self.duration_seconds)
        return Series(series.at[keep], series.value[keep], _synthetic("outage", series))


def _synthetic(what: str, series: Series) -> str:
    return f"synthetic: {what} on {series.origin.removeprefix('synthetic: ')}"
