"""The forecast floor: what the load ahead will need by the time a new pod could serve it. It may only add.

It speaks after the metrics have settled: what the load of the last minutes needs stays, and what a forecast asked for
is taken back when it asks for less, but for small changes: a floor settles before it is told, too (`foresight.peak`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from podium.loop.decide import announced, zero
from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.metrics import INT32_MAX
from podium.loop.decide.table import PolicyTable
from podium.model.arrays import Bools, Float64s, Int64s
from podium.model.decision import Reason
from podium.model.forecast import Forecast
from podium.model.snapshot import Snapshot

STEADY = 0.03  # fewer replicas by less than this part are not worth the change, where a forecast says how many
STALE_SECONDS = 60.0  # a floor counts for so long beyond the first step ahead; then nobody learns any more
MISSED = 2.0  # times the asked share: a realised one above it is told


def prepare_for_forecast(turn: Turn, draft: Draft) -> Draft:
    """Raise to the floor over a replica's capacity: the forecast's own, or the margin of one that is not trusted."""
    table, forecast = turn.table, turn.forecast
    asked = draft.open & table.forecast
    expected = expected_load(table, forecast, turn.lead)
    if table.announced is not None and table.announced.calendars:
        expected = announced.bounded(turn, draft, expected, loads(turn.snapshot, table))
    known = asked & ~np.isnan(expected) & ~np.isnan(table.capacity)
    known &= zero.worth_waking(table, expected)
    speaks = known & (forecast.trusted | bool(len(forecast.floor)))
    needed = np.ceil(np.clip(np.where(known, expected / table.capacity, 0), 0, INT32_MAX)).astype(np.int64)
    draft.reasons.add(asked & np.isnan(expected), Reason.FORECAST_ABSENT)
    draft.reasons.add(known & ~forecast.trusted, Reason.FORECAST_UNTRUSTED, forecast.coverage, table.level)
    _tell_missed(turn, draft, known)
    raised = speaks & (needed > draft.wanted)
    draft = draft.bent(raised & forecast.trusted, needed, Reason.FORECAST_RAISES, needed, expected, turn.lead)
    draft = draft.bent(raised & ~forecast.trusted, needed, Reason.MARGIN_RAISES, needed, expected, turn.lead)
    return _steady(turn, draft, speaks)


def _tell_missed(turn: Turn, draft: Draft, known: Bools) -> None:
    """Who asked for a share of unserved load and gets more is told so."""
    realised, risk = turn.forecast.realised, turn.table.risk
    if len(realised) and risk is not None:
        draft.reasons.add(known & (realised > MISSED * risk), Reason.RISK_MISSED, risk, realised)


def _steady(turn: Turn, draft: Draft, speaks: Bools) -> Draft:
    """A load near a boundary does not take a pod away and ask for it again: small changes down are not made.

    HPA's metrics have a tolerance of their own; the load gets it here (18 pods become 16, not 17), and where a forecast
    says what is needed, a smaller one: 40 pods become 38, not 39.
    """
    table, current, wanted = turn.table, turn.current, draft.wanted
    by_load = draft.open & draft.measured & ~np.isnan(table.capacity)
    tolerance = np.where(speaks, np.minimum(STEADY, table.down.tolerance), table.down.tolerance)
    small = by_load & (wanted < current) & (wanted >= (1.0 - tolerance) * current)
    return draft.bent(small, current, Reason.WITHIN_TOLERANCE, wanted, tolerance)


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
    """[n] the load to be ready for over the lead time; NaN where there is no forecast.

    It is the forecast's floor. One without (of an earlier version) is asked for the quantile of the policy's level, at
    its largest over the lead time. Between two recorded levels the upper one is taken: who asks for .97 gets .99. At
    least one step ahead is looked at, and the end of the lead time itself: 60 s from now is a quarter of the way from a
    step 45 s ahead to one at 105 s.
    """
    if len(forecast.floor):
        return _floor(forecast)
    asked = (table, forecast.quantiles, forecast.ahead, lead)
    for known, answer in _last:
        if all(one is other for one, other in zip(asked, known, strict=True)):
            return answer
    answer = _expected(table, forecast, lead)
    answer.flags.writeable = False
    _last[:] = [(asked, answer)]
    return answer


def _floor(forecast: Forecast) -> Float64s:
    stale = not len(forecast.ahead) or forecast.ahead[0] < -STALE_SECONDS
    return np.full(len(forecast.floor), np.nan) if stale else forecast.floor.astype(np.float64)


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
