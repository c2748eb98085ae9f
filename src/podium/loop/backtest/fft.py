"""A forecast by Fourier transform, as crane's DSP makes it, for comparison: the period first, then the strong waves.

Once a day, the last fifteen days (two at least) are read. A period of exactly a week or a day is believed when its
power exceeds what a hundred shufflings of the same values reach, and the autocorrelation has a peak there. Then eight
estimators are tried on the last period and judged by an error that punishes too little: four margins over what is left
when weak and fast waves are dropped, in two ways of dropping. The best one's wave is continued.

Source: the published algorithm of gocrane/crane (`pkg/prediction/dsp`), from its description; its code is not used.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from podium.loop.backtest.trace import DAY
from podium.model.arrays import Float64s, Int64s

WEEK = 7 * DAY
LONGEST, SHORTEST = 15 * DAY, 2 * DAY  # minutes of history
LONGEST_GAP = 60  # minutes: what lies before a longer gap is dropped
AHEAD = 60  # minutes over which the largest expected load counts
SHUFFLINGS = 100
SLOPE = 4 * 60  # minutes on either side of a peak of the autocorrelation
SLOW = 60.0  # minutes: waves of at least this length are always kept
MARGINS = (0.01, 0.10, 0.15, 0.20)
DROPPING = ((3, 1.0), (50, 0.05))  # (fewest waves kept, share of the strongest below which others are dropped)
MOST_WAVES = 100
SMALLEST = 0.01


@dataclasses.dataclass(frozen=True, slots=True)
class Wave:
    """What is expected, period after period: `value[(minute - first) % len]`."""

    first: int  # row
    value: Float64s

    def at(self, rows: Int64s) -> Float64s:
        """The expected load of these rows."""
        return self.value[(rows - self.first) % len(self.value)]


def peaks(load: Float64s, begin: int) -> Float64s:
    """[t] the largest load expected within the hour after each minute, from row `begin` on; NaN without a period."""
    out = np.full(len(load), np.nan)
    for row in range(begin, len(load), DAY):
        wave = fitted(load[:row], row)
        if wave is None:
            continue
        expected = wave.at(np.arange(row, min(row + DAY, len(load)) + AHEAD + 1))
        windows = np.lib.stride_tricks.sliding_window_view(expected, AHEAD)
        largest = windows[1:].max(axis=1)
        stop = min(row + DAY, len(load))
        out[row:stop] = largest[: stop - row]
    return out


def fitted(past: Float64s, row: int) -> Wave | None:
    """The wave of a load [t] by the minute that ends before `row`; None where no period is found."""
    values = _cleaned(past[-LONGEST:])
    if len(values) < SHORTEST:
        return None
    period = _period(values)
    if period is None:
        return None
    whole = values[len(values) % period :]
    if len(whole) < 2 * period:
        return None
    train, last = whole[:-period], whole[-period:]
    trials = [(margin, drop) for drop in DROPPING for margin in MARGINS]
    waves = {drop: _filtered(train, period, drop) for drop in DROPPING}
    margin, drop = min(trials, key=lambda one: _error(last, waves[one[1]] * (1 + one[0])))
    wave = _filtered(whole, period, drop) * (1 + margin)
    return Wave(row - len(whole), np.maximum(wave, SMALLEST))


def _cleaned(values: Float64s) -> Float64s:
    """Without what lies before a gap of an hour; smaller gaps on a line, extreme values replaced by the one before."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.empty(0)
    gaps = np.flatnonzero(np.diff(known) > LONGEST_GAP)
    start = int(known[gaps[-1] + 1]) if len(gaps) else int(known[0])
    known = known[known >= start]
    filled = np.interp(np.arange(start, len(values)), known, values[known])
    low, high = np.quantile(filled, (0.001, 0.999))
    kept = np.where((filled >= low) & (filled <= high), np.arange(len(filled)), 0)
    kept[0] = 0
    cleaned: Float64s = filled[np.maximum.accumulate(kept)]
    return cleaned


def _period(values: Float64s) -> int | None:
    """A week or a day, whichever the autocorrelation shows more clearly; None where neither is more than chance."""
    found = {period: _clearness(values, period) for period in (WEEK, DAY) if len(values) >= 2 * period}
    best = max(found, key=lambda period: found[period], default=None)
    return best if best is not None and found[best] > 0 else None


def _clearness(values: Float64s, period: int) -> float:
    """The autocorrelation at a period; 0 where its power is not more than chance, or no peak is there."""
    whole = values[len(values) % period :]
    whole = whole - whole.mean()
    if not whole.any():
        return 0.0
    power = np.abs(np.fft.rfft(whole)) ** 2
    if power[len(whole) // period] < _chance(whole):
        return 0.0
    size = 1 << (2 * len(whole) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(whole, size)) ** 2
    correlation = np.fft.irfft(spectrum, size)[: len(whole)]
    correlation /= correlation[0]
    reach = min(SLOPE, len(correlation) - period - 1)
    if reach < 2:
        return 0.0
    steps = np.arange(reach)
    before = np.polyfit(steps, correlation[period - reach + 1 : period + 1], 1)[0]
    after = np.polyfit(steps, correlation[period : period + reach], 1)[0]
    # Over fewer pairs a sum is smaller: a week is not to lose against a day for that alone.
    return float(correlation[period]) * len(whole) / (len(whole) - period) if before > 0 > after else 0.0


def _chance(values: Float64s) -> float:
    """The 99th largest of the strongest powers of a hundred shufflings."""
    chance = np.random.default_rng(1)
    strongest = [float((np.abs(np.fft.rfft(chance.permutation(values))) ** 2)[1:].max()) for _ in range(SHUFFLINGS)]
    return sorted(strongest, reverse=True)[98]


def _filtered(values: Float64s, period: int, drop: tuple[int, float]) -> Float64s:
    """One period of the wave that is left when weak fast waves are dropped: the mean over periods of all of them."""
    fewest, share = drop
    spectrum = np.fft.rfft(values)
    amplitude = np.abs(spectrum) / len(values)
    strongest = np.sort(amplitude[1:])[::-1]
    count = min(max(int((strongest >= share * strongest[0]).sum()), fewest), MOST_WAVES, len(strongest))
    frequency = np.arange(len(spectrum)) / len(values)  # per minute
    kept = (amplitude >= strongest[count - 1]) | (frequency <= 1 / SLOW)
    wave = np.fft.irfft(np.where(kept, spectrum, 0), len(values))
    return np.asarray(wave.reshape(-1, period)[0], np.float64)


def _error(actual: Float64s, expected: Float64s) -> float:
    """The mean relative error; where too little was expected, -ln(1 - error) / ln 1.25."""
    known = actual > 0
    if not known.any():
        return 0.0
    share = (actual[known] - expected[known]) / actual[known]
    under = -np.log1p(-np.clip(share, 0, 1 - 1e-9)) / math.log(1.25)
    return float(np.where(share > 0, under, -share).mean())
