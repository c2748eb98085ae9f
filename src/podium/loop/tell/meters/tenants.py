"""Which tenants have series of their own: the largest ones; all others are added up."""

from __future__ import annotations

import collections

import numpy as np

from podium.model.arrays import Float64s, Int64s
from podium.model.fleet import Fleet

OTHERS = "(others)"  # no tenant's name: parentheses are not allowed in one


class Tenants:
    """A fleet's slots by tenant, made once per fleet."""

    def __init__(self, fleet: Fleet, most: int) -> None:
        sizes = collections.Counter(slot.tenant for slot in fleet.slots if slot.key is not None)
        ranked = sorted(sizes, key=lambda tenant: (-sizes[tenant], tenant))
        own = sorted(ranked[:most])
        self.names: tuple[str, ...] = (*own, OTHERS) if len(ranked) > most else tuple(own)
        numbers = {tenant: number for number, tenant in enumerate(own)}
        spare = len(own)  # the place of the others, and of slots that are nobody's, which `summed` leaves out
        self.occupied = np.array([slot.key is not None for slot in fleet.slots], np.bool_)
        self.number: Int64s = np.array([numbers.get(slot.tenant, spare) for slot in fleet.slots], np.int64)

    def summed(self, values: Float64s | Int64s) -> Float64s:
        """[tenants] the sum of `values` [n] over each tenant's slots; NaN and free slots add nothing."""
        known = self.occupied & ~np.isnan(values)
        sums = np.bincount(self.number[known], weights=values[known], minlength=len(self.names))
        return sums.astype(np.float64)
