"""The past by remote read: raw samples of a plain selector, put on the moments that a loop would have asked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from podium.clients.prometheus import Late, Unusable
from podium.clients.remote_read import Matcher, RemoteReader, Samples
from podium.model.arrays import Float64s

SAMPLES_AT_ONCE = 1_000_000  # of one answer: 20 MB on the wire, and as much again while it is decoded
FIRST_SECONDS = 3600.0
LEAST_SECONDS = 120.0


async def raw_past(
    reader: RemoteReader, matchers: Sequence[Matcher], at: Float64s, stale_after_seconds: float
) -> tuple[list[bytes], Float64s]:
    """Labels of the m series and their values [t, m]: the newest sample at or before each of `at`, NaN when too old.

    Asked for in spans that grow or shrink with how much comes. Raises what the reader raises.
    """
    columns: dict[bytes, int] = {}
    blocks: list[tuple[int, list[int], Float64s]] = []
    row, span = 0, FIRST_SECONDS
    while row < len(at):
        rows = at[row : row + int(np.searchsorted(at[row:], at[row] + span))]
        try:
            found = await reader.read(matchers, float(rows[0]) - stale_after_seconds, float(rows[-1]))
        except (Late, Unusable):
            if len(rows) == 1 or span <= LEAST_SECONDS:
                raise
            span /= 4
            continue
        values = np.full((len(rows), len(found)), np.nan)
        for column, one in enumerate(found):
            values[:, column] = newest(one, rows, stale_after_seconds)
        blocks.append((row, [columns.setdefault(one.labels, len(columns)) for one in found], values))
        row += len(rows)
        count = sum(len(one.at) for one in found)
        span = min(span * 4, span * SAMPLES_AT_ONCE / max(count, 1))
    out = np.full((len(at), len(columns)), np.nan)
    for row, places, values in blocks:
        out[row : row + len(values), places] = values
    return list(columns), out


def newest(samples: Samples, at: Float64s, stale_after_seconds: float) -> Float64s:
    """[t] the value of the last sample at or before each moment; NaN before the first, and when it is too old."""
    place = np.searchsorted(samples.at, at, side="right") - 1
    there = place >= 0
    out = np.full(len(at), np.nan)
    out[there] = samples.value[place[there]]
    out[there] = np.where(at[there] - samples.at[place[there]] <= stale_after_seconds, out[there], np.nan)
    return out
