"""The forecast floor: what the load ahead will need by the time a new pod could serve it. It may only add."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.metrics import INT32_MAX
from podium.loop.decide.table import PolicyTable
from podium.model.arrays import Float64s
from podium.model.decision import Reason
from podium.model.forecast import Forecast
from podium.model.snapshot import Snapshot


def prepare_for_forecast(turn: Turn, draft: Draft) -> Draft:
    """Raise to the largest expected load within the lead time over a replica's capacity, if the forecast is trusted."""
    table, forecast = turn.table, turn.forecast
    asked = draft.open & table.forecast
    expected = expected_load(table, forecast, turn.lead)
    known = asked & ~np.isnan(expected) & ~np.isnan(table.capacity)
    trusted = known & forecast.trusted
    needed = np.ceil(np.clip(np.where(known, expected / table.capacity, 0), 0, INT32_MAX)).astype(np.int64)
    draft.reasons.add(asked & ~known, Reason.FORECAST_ABSENT)
    draft.reasons.add(known & ~trusted, Reason.FORECAST_UNTRUSTED, forecast.coverage, table.level)
    raised = trusted & (needed > draft.wanted)
    draft = draft.bent(raised, needed, Reason.FORECAST_RAISES, needed, expected, turn.lead)
    return _steady(turn, draft)


def _steady(turn: Turn, draft: Draft) -> Draft:
    """A load near a boundary does not take a pod away and ask for it again: within the tolerance nothing goes down.

    HPA's metrics have a tolerance of their own; the load and its forecast get theirs here. 18 pods become 16, not 17.
    """
    table, current, wanted = turn.table, turn.current, draft.wanted
    by_load = draft.open & draft.measured & ~np.isnan(table.capacity)
    small = by_load & (wanted < current) & (wanted >= (1.0 - table.down.tolerance) * current)
    return draft.bent(small, current, Reason.WITHIN_TOLERANCE, wanted, table.down.tolerance)


def loads(snapshot: Snapshot, table: PolicyTable, doubted: Sequence[int] = ()) -> Float64s:
    """[n] the load that each policy forecasts; NaN where it is unknown, or told by a `doubted` source."""
    out = np.full(len(table), np.nan)
    names = np.array(table.load, np.str_)
    for name, level in snapshot.signals.items():
        mine = (names == name) & ~np.isin(level.source, doubted)
        out[mine] = level.value[mine]
    return out


def expected_load(table: PolicyTable, forecast: Forecast, lead: Float64s) -> Float64s:
    """[n] the asked quantile of the load, at its largest over the lead time; NaN where there is no forecast.

    Between two recorded levels the upper one is taken: who asks for .97 gets .99. At least one step ahead is looked at.
    """
    size = len(table)
    if not forecast.quantiles.size:
        return np.full(size, np.nan)
    level = np.minimum(np.searchsorted(forecast.levels, table.level, "left"), len(forecast.levels) - 1)
    curve = forecast.quantiles[level, :, np.arange(size)].astype(np.float64)  # [n, h]
    ahead = forecast.ahead
    reach = np.maximum(lead, ahead[0])
    inside = ahead[None, :] <= reach[:, None]
    peak = np.where(inside & ~np.isnan(curve), curve, -np.inf).max(axis=1)
    return np.where(np.isfinite(peak), peak, np.nan)
