"""What a floor is asked for, and what came of the windows that it was told for."""

from __future__ import annotations

import dataclasses

from podium.foresight.fellows import Tenants
from podium.model.arrays import Float32s, Float64s, Int64s


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the floor of n slots is for. NaN: not known, or nobody asked."""

    steps: Int64s  # length of the lead window; 0: unknown, or longer than anything learned
    risk: Float64s  # share of the load that may stay unserved
    capacity: Float64s  # load that one replica serves
    starts: Int64s | None = None  # [k, n] steps of equally likely starts; None: each as long as its window
    tenants: Tenants | None = None  # None: no two slots belong together

    @property
    def spread(self) -> Int64s:
        """[k, n] how long starts take."""
        return self.steps[None] if self.starts is None else self.starts

    def of(self, slots: slice) -> Asked:
        """What the floor of some slots is for; who their fellows are is left out."""
        starts = None if self.starts is None else self.starts[:, slots]
        return Asked(self.steps[slots], self.risk[slots], self.capacity[slots], starts)


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """What came of the windows that ended in a step, [n] each; NaN: none ended, or a load in it is unknown."""

    outcome: Float32s
    quantile: Float32s
    centre: Float32s
