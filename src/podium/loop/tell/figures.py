"""Figures that people compare: sums over workloads, the guard's budget, what was there beside a plain HPA.

Unknown is None.
"""

from __future__ import annotations

import msgspec


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of what was there and of what a plain HPA would have had; null where it is unknown."""

    podium: float | None
    hpa: float | None


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Money for the replicas of both, in whole units of a currency."""

    podium: float
    hpa: float
    currency: str  # ISO 4217


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What was there beside what a plain HPA would have had under the same load, since a moment."""

    since: float
    hours: float  # of comparing, over all workloads; time in which either side was unknown is left out
    replica_hours: Pair
    unserved_fraction: Pair  # load that found no ready replica over all load
    cost: Cost | None  # null: no price is known


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """What a replica serves, where that is learned and not written."""

    estimate: float | None  # in the load's unit; null: no idea yet
    margin: float | None  # the estimate may be off by so much
    basis: str  # cpu | latency | saturation: what tells that a replica is full
    reached: float | None  # the highest share of that limit seen served well
    measured_seconds: float
    words: str  # one sentence


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the workloads of one tenant, or of the whole fleet (tenant "")."""

    tenant: str
    workloads: int
    replicas: int  # of the workloads where it is known, as are the next two
    ready: int
    wanted: int
    unknown: int  # workloads whose replicas could not be read
    states: dict[str, int]  # state -> workloads; states of nobody are left out
    shadow: Comparison | None


class Reduction(msgspec.Struct, frozen=True, kw_only=True):
    """The guard on the fleet's total reduction: its budget, and what waits for it."""

    fraction: float  # of all replicas that may go within the window
    window_seconds: float
    replicas: int  # that the fraction is taken of
    budget: int  # replicas that may go within the window
    taken: int  # of them gone already
    left: int
    held: int  # workloads that wait for it
