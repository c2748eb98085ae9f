"""The forecast floor: what the load ahead will need by the time a new pod could serve it. It may only add."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.metrics import INT32_MAX
from podium.loop.decide.table import PolicyTable
from podium.model.arrays import Float64s, Int64s
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
    draft.reasons.add(asked & np.isnan(expected), Reason.FORECAST_ABSENT)
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
    for name, slots in _forecast_from(table.load).items():
        if name in snapshot.signals:
            level = snapshot.signals[name]
            believed = slots[~np.isin(level.source[slots], doubted)] if len(doubted) else slots
            out[believed] = level.value[believed]
    return out


def _forecast_from(names: tuple[str, ...]) -> dict[str, Int64s]:
    """Signal -> the slots whose policies forecast it. 100,000 names take 35 ms, and are the same from turn to turn."""
    for known, answer in _named:
        if known is names:
            return answer
    by_name = {name: np.flatnonzero(np.array(names, np.str_) == name) for name in set(names) - {""}}
    _named[:] = [(names, by_name)]
    return by_name


_named: list[tuple[tuple[str, ...], dict[str, Int64s]]] = []  # of the policies that were asked about last


def expected_load(table: PolicyTable, forecast: Forecast, lead: Float64s) -> Float64s:
    """[n] the asked quantile of the load, at its largest over the lead time; NaN where there is no forecast.

    Between two recorded levels the upper one is taken: who asks for .97 gets .99. At least one step ahead is looked at,
    and the end of the lead time itself: 60 s from now is a quarter of the way from a step 45 s ahead to one at 105 s.
    """
    asked = (table, forecast.quantiles, forecast.ahead, lead)
    for known, answer in _last:
        if all(one is other for one, other in zip(asked, known, strict=True)):
            return answer
    answer = _expected(table, forecast, lead)
    answer.flags.writeable = False
    _last[:] = [(asked, answer)]
    return answer


# The last question and its answer: after a decision, whoever tells of that turn asks the same again.
_last: list[tuple[tuple[object, ...], Float64s]] = []


def _expected(table: PolicyTable, forecast: Forecast, lead: Float64s) -> Float64s:
    size = len(table)
    if not forecast.quantiles.size:
        return np.full(size, np.nan)
    curve = _asked(table, forecast)
    # Steps that have passed say nothing any more: a forecast is as old as the last step that could be learned.
    curve[forecast.ahead < 0] = np.nan
    ahead = forecast.ahead
    reach = np.clip(lead, ahead[0], ahead[-1])
    right = np.searchsorted(ahead, reach, "left")
    left = np.where(ahead[right] == reach, right, np.maximum(right - 1, 0))
    share = np.where(
        left == right, 0.0, (reach - ahead[left]) / np.where(left == right, 1.0, ahead[right] - ahead[left])
    )
    slots = np.arange(size)
    from_, to = curve[left, slots], curve[right, slots]
    return np.fmax(np.fmax.accumulate(curve, axis=0)[left, slots], from_ + share * (to - from_))


def _asked(table: PolicyTable, forecast: Forecast) -> Float64s:
    """[h, n] the quantile of each slot's level."""
    level = np.minimum(np.searchsorted(forecast.levels, table.level, "left"), len(forecast.levels) - 1)
    curve = np.empty(forecast.quantiles.shape[1:])
    for number in np.unique(level).tolist():
        np.copyto(curve, forecast.quantiles[number], where=level == number)
    return curve
