"""The replay source: recorded series from files, played on the loop's own time. Nothing is interpolated."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from podium.model.arrays import Float64s
from podium.signals.csvfile import read_csv
from podium.signals.overlays import Overlay
from podium.signals.parquetfile import read_parquet
from podium.signals.series import Asked, Order, Ragged, Series, in_order
from podium.signals.source import Permanent, Reading, Subject

WHOLE = -1.0  # as a period: the series' own span


def read_series(
    path: Path,
    columns: Sequence[str] | None = None,
    *,
    time_column: str = "ts",
    dataset: str = "",
    order: Order = in_order,
) -> dict[str, Series]:
    """The named columns (or series, in long form) of a CSV, CSV.gz or Parquet file; all of them when None.

    `dataset` is what the origin says (`recorded: <dataset>`); the file's name by default. With `as_written` as `order`
    the rows stay as they lie in the file, gaps as NaN. Blocks: call it in a thread.
    Raises Permanent that names file, line, column and what was expected.
    """
    if not path.is_file():
        raise Permanent(f"{path}: cannot be read: {'is a folder' if path.is_dir() else 'no such file'}")
    read = read_parquet if path.suffix in (".parquet", ".pq") else read_csv
    return read(Asked(path, time_column, columns, f"recorded: {dataset or path.name}", order))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One series played as the measurement of one subject, found under one query."""

    query: str
    subject: Subject
    series: Series
    start: float | None = None  # loop time (Unix seconds) at which the series' first row is played; None: its own time
    period_seconds: float | None = None  # repeat every so many seconds; WHOLE: the series' own span; None: play once
    scale: float = 1.0  # from the file's unit to the signal's: 0.85 of a machine x 400 requests/s

    def __post_init__(self) -> None:
        if self.period_seconds is not None and self.period_seconds != WHOLE and not self.period_seconds > 0:
            raise ValueError(f"period_seconds is {self.period_seconds}; expected more than 0, or WHOLE")


def tracks(
    series: Mapping[str, Series],
    subjects: Mapping[str, Subject],
    *,
    query: str | None = None,
    overlays: Sequence[Overlay] = (),
    start: float | None = None,
    period_seconds: float | None = None,
    scale: float = 1.0,
) -> list[Track]:
    """A track per column in `subjects`. The query is the column's name, or `query` for all of them together."""
    out = []
    for column, subject in subjects.items():
        one = series[column]
        for overlay in overlays:
            one = overlay.on(one)
        out.append(
            Track(
                query=query or column,
                subject=subject,
                series=one,
                start=start,
                period_seconds=period_seconds,
                scale=scale,
            )
        )
    return out


class ReplaySource:
    """Answers from tracks. They are loaded once, by the first read, in a thread."""

    def __init__(self, name: str, load: Callable[[], Sequence[Track]]) -> None:
        self.name = name
        self._load = load
        self._loading: asyncio.Task[dict[str, _Score]] | None = None

    async def read(self, query: str, now: float) -> Reading:
        """The newest row at or before `now` of each track under `query`, with its own timestamp.

        Raises Permanent for an unreadable file or a query that no track has.
        """
        scores = await self._scores()
        if query not in scores:
            there = ", ".join(map(repr, list(scores)[:20])) or "none"
            raise Permanent(f"{self.name}: no series {query!r}; there are {there}")
        return scores[query].read(now)

    async def past(self, query: str, at: Float64s, stale_after_seconds: float) -> tuple[tuple[Subject, ...], Float64s]:
        """See the port `Past`. Raises Permanent like `read`."""
        scores = await self._scores()
        if query not in scores:
            raise Permanent(f"{self.name}: no series {query!r}")
        return await asyncio.to_thread(scores[query].past, at, stale_after_seconds)

    async def _scores(self) -> dict[str, _Score]:
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._scored))
        # A reader that gives up must not stop the loading for the next one.
        return await asyncio.shield(self._loading)

    def _scored(self) -> dict[str, _Score]:
        found: dict[str, list[Track]] = {}
        for track in self._load():
            found.setdefault(track.query, []).append(track)
        return {query: _Score(parts) for query, parts in found.items()}

    async def close(self) -> None:
        """Drop the series."""
        if self._loading is not None and not self._loading.done():
            self._loading.cancel()
        self._loading = None


class _Score:
    """The tracks of one query as arrays [n]."""

    def __init__(self, parts: list[Track]) -> None:
        self._subjects = tuple(track.subject for track in parts)
        self._origins = tuple(track.series.origin for track in parts)
        self._ragged = Ragged([track.series for track in parts])
        first = np.array([track.series.at[0] if len(track.series) else np.nan for track in parts])
        start = np.array([np.nan if track.start is None else track.start for track in parts])
        self._first: Float64s = first
        self._start: Float64s = np.where(np.isnan(start), first, start)
        self._period: Float64s = np.array([_period(track) for track in parts])  # infinity: once
        self._scale: Float64s = np.array([track.scale for track in parts])
        self._playing = (np.ones(len(parts), np.bool_), self._subjects, self._origins)

    def past(self, at: Float64s, stale_after_seconds: float) -> tuple[tuple[Subject, ...], Float64s]:
        values = np.full((len(at), len(self._subjects)), np.nan)
        for row, now in enumerate(at.tolist()):
            measured, value = self._newest(now)
            fresh = now - measured <= stale_after_seconds
            values[row, fresh] = value[fresh]
        return self._subjects, values

    def read(self, now: float) -> Reading:
        at, value = self._newest(now)
        known = ~np.isnan(at)
        if not np.array_equal(known, self._playing[0]):
            # The same tuples again and again while the same series play: the join notices and is free.
            chosen = np.flatnonzero(known).tolist()
            self._playing = (
                known,
                tuple(self._subjects[row] for row in chosen),
                tuple(self._origins[row] for row in chosen),
            )
        _, subjects, origins = self._playing
        return Reading(subjects, value[known], at[known], origins=origins)

    def _newest(self, now: float) -> tuple[Float64s, Float64s]:
        """([n] times, [n] values) of the newest rows at or before `now`, in the loop's time; NaN where none is."""
        elapsed = now - self._start
        turn = np.where(np.isinf(self._period), 0.0, np.floor(elapsed / self._period))
        shift = self._start + turn * np.where(np.isinf(self._period), 0.0, self._period) - self._first
        times = np.where(elapsed < 0, -np.inf, now - shift)
        at, value = self._ragged.newest(np.where(np.isnan(times), -np.inf, times))
        return at + shift, value * self._scale


def _period(track: Track) -> float:
    if track.period_seconds is None:
        return float("inf")
    period = track.series.span_seconds if track.period_seconds == WHOLE else track.period_seconds
    return float("inf") if np.isnan(period) else period
