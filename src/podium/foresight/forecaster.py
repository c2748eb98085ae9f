"""The port: a forecaster of n loads at once, streaming.

`learn` is called once per grid step with a value per slot (NaN where unknown); `quantiles` answers for the steps after
the last one learned. The whole memory of a forecaster is its `state`, so that a restart forgets nothing.

A `Borrower` is told besides which slots belong together.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from podium.model.arrays import Columns, Float32s, Float64s, Int64s


class Forecaster(Protocol):
    """A fleet-wide forecaster on a fixed grid of `step_seconds`; what one slot learns touches no other by itself."""

    name: str
    step_seconds: float

    def learn(self, at: float, values: Float64s) -> None:
        """Take in the mean load of the step that ended at `at`. Steps that were missed are gaps, not zeros."""

    def quantiles(self, at: float, levels: Float64s, ahead: Float64s) -> Float32s:
        """[q, h, n] quantiles `levels` of the load at `at + ahead` seconds; NaN where there is not enough history."""

    def set_back(self, at: float) -> None:
        """The clock was set back: the next step to be learned may end at `at`. What waits for an outcome gets none."""

    def forget(self, slots: Int64s) -> None:
        """Start anew for these slots: they belong to other workloads now."""

    def resize(self, size: int) -> None:
        """Grow or shrink to `size` slots; new ones know nothing."""

    def state(self) -> Columns:
        """Everything learned, as named arrays."""

    def restore(self, state: Columns) -> None:
        """Take over what `state` returned, bit for bit."""


@runtime_checkable
class Borrower(Protocol):
    """A forecaster whose new slots learn from others of their group until they know a day of their own."""

    def among(self, groups: Int64s) -> None:
        """[n] slots of one number are a group; negative: alone. Holds until the next `resize` or `restore`."""
