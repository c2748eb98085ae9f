"""Series files as CSV, plain or gzipped: read in chunks, every bad cell named by file, line and column.

Wide: a time column and a column per series. Long: `series,ts,value`, a row per value. Times are Unix seconds or
RFC 3339 with an offset. An empty cell, `NaN`, `null` or `NA` is a gap; infinity and any other word are refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from podium.model.arrays import Float64s
from podium.model.clock import parse_rfc3339
from podium.signals.series import Asked, Column, Series
from podium.signals.source import Permanent

CHUNK_ROWS = 5_000  # parsed at a time: a million rows of 3 columns take 1.6 s of CPU, in chunks of 100,000 2.6 s
MOST_ERRORS = 10  # told at once; the rest is counted

_GAPS = frozenset({"", "nan", "null", "na", "none"})
MILLISECONDS_FROM = 1e11  # Unix seconds reach it in the year 5138; milliseconds did in 1973


def read_csv(asked: Asked) -> dict[str, Series]:
    """The columns (or series) of a file that are asked for.

    Raises Permanent that names file, line, column and what was expected, up to ten places at once.
    """
    path = asked.path
    try:
        with _text(path) as text:
            rows = csv.reader(text, strict=True)
            return _read(asked, rows)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise Permanent(f"{path}: damaged gzip file ({error})") from error
        raise Permanent(f"{path}: cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise Permanent(f"{path}: damaged gzip file, cut off or altered ({error})") from error
    except UnicodeDecodeError as error:
        raise Permanent(f"{path}: is not UTF-8 text (byte {error.object[error.start]:#04x}); expected CSV") from error
    except csv.Error as error:
        raise Permanent(f"{path}, line {rows.line_num}: {error}; expected CSV with commas") from error


def _text(path: Path) -> io.TextIOWrapper:
    with path.open("rb") as file:
        magic = file.read(2)
    binary: IO[bytes] = gzip.open(path, "rb") if magic == b"\x1f\x8b" else path.open("rb")  # type: ignore[assignment]  # noqa: SIM115
    return io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")


def _read(asked: Asked, rows: Iterator[list[str]]) -> dict[str, Series]:
    path, time_column = asked.path, asked.time_column
    header = [cell.strip() for cell in next(rows, [])]
    if not header:
        raise Permanent(f"{path}: is empty; expected a header with the column {time_column!r}")
    if time_column not in header:
        raise Permanent(f"{path}, line 1: no column {time_column!r}; found {', '.join(map(repr, header))}")
    if len(set(header)) < len(header):
        raise Permanent(f"{path}, line 1: two columns have the same name; found {', '.join(map(repr, header))}")
    cells = _Cells(path, header)
    if {"series", "value"} <= set(header):
        return _long(asked, cells, rows)
    return _wide(asked, cells, rows)


class _Cells:
    """Turns chunks of rows into arrays and collects what is wrong with them."""

    def __init__(self, path: Path, header: list[str]) -> None:
        self.path = path
        self.header = header
        self.line = 1  # of the row before the chunk
        self._errors: list[str] = []
        self._error_count = 0

    def chunks(self, rows: Iterator[list[str]]) -> Iterator[tuple[list[tuple[str, ...]], Sequence[int]]]:
        """(columns of cells, line of each row) for some rows at a time; blank lines are skipped."""
        while chunk := list(islice(rows, CHUNK_ROWS)):
            lines: Sequence[int] = range(self.line + 1, self.line + 1 + len(chunk))
            self.line += len(chunk)
            width = len(self.header)
            if any(len(row) != width for row in chunk):
                for line, row in zip(lines, chunk, strict=True):
                    if row and len(row) != width:
                        self.error(line, "", f"{len(row)} cells", f"{width} as in the header")
                lines = [line for line, row in zip(lines, chunk, strict=True) if len(row) == width]
                chunk = [row for row in chunk if len(row) == width]
            if chunk:
                yield list(zip(*chunk, strict=True)), lines
            self.raise_errors()

    def error(self, line: int, column: str, found: str, expected: str) -> None:
        """Note one bad place."""
        self._error_count += 1
        if len(self._errors) < MOST_ERRORS:
            place = f", column {column!r}" if column else ""
            self._errors.append(f"{self.path}, line {line}{place}: {found}; expected {expected}")

    def raise_errors(self) -> None:
        """Raise Permanent with all that was noted."""
        if self._errors:
            more = self._error_count - len(self._errors)
            raise Permanent("\n".join(self._errors) + (f"\nand {more} more" if more else ""))

    def times(self, cells: Sequence[str], lines: Sequence[int], column: str) -> Float64s:
        """Unix seconds of a column of times."""
        try:
            out = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            out = np.array([self._time(cell, line, column) for line, cell in zip(lines, cells, strict=True)])
        for row in np.flatnonzero(~(np.abs(out) < MILLISECONDS_FROM)).tolist():
            found = f"{cells[row]!r} is not a time in seconds"
            self.error(lines[row], column, found, "Unix seconds or RFC 3339 (are these milliseconds?)")
        return out

    def _time(self, cell: str, line: int, column: str) -> float:
        try:
            return float(cell)
        except ValueError:
            pass
        try:
            return parse_rfc3339(cell.strip())
        except ValueError as error:
            found, _, expected = str(error).partition("; expected ")
            self.error(line, column, found, f"Unix seconds or {expected or 'RFC 3339'}")
            return 0.0

    def values(self, cells: Sequence[str], lines: Sequence[int], column: str) -> Float64s:
        """Numbers, NaN for gaps."""
        try:
            out = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            out = np.array([self._value(cell, line, column) for line, cell in zip(lines, cells, strict=True)])
        for row in np.flatnonzero(np.isinf(out)).tolist():
            self.error(lines[row], column, f"{cells[row]!r} is infinite", "a finite number, or an empty cell for a gap")
        return out

    def _value(self, cell: str, line: int, column: str) -> float:
        try:
            return float(cell)
        except ValueError:
            if cell.strip().lower() not in _GAPS:
                self.error(line, column, f"{cell!r} is not a number", "a number, or an empty cell for a gap")
            return math.nan


def _wide(asked: Asked, cells: _Cells, rows: Iterator[list[str]]) -> dict[str, Series]:
    time_column = asked.time_column
    names = asked.names([name for name in cells.header if name != time_column])
    at, values = Column(), {name: Column() for name in names}
    place = {name: cells.header.index(name) for name in (time_column, *names)}
    for chunk, lines in cells.chunks(rows):
        at.append(cells.times(chunk[place[time_column]], lines, time_column))
        for name in names:
            values[name].append(cells.values(chunk[place[name]], lines, name))
    times = at.array()
    return {name: asked.one(times, column.array()) for name, column in values.items()}


def _long(asked: Asked, cells: _Cells, rows: Iterator[list[str]]) -> dict[str, Series]:
    place = {name: cells.header.index(name) for name in (asked.time_column, "series", "value")}
    codes: dict[str, int] = {}
    code, at, value = Column(), Column(), Column()
    for chunk, lines in cells.chunks(rows):
        keys = chunk[place["series"]]
        code.append(np.array([codes.setdefault(key, len(codes)) for key in keys], np.float64))
        at.append(cells.times(chunk[place[asked.time_column]], lines, asked.time_column))
        value.append(cells.values(chunk[place["value"]], lines, "value"))
    return asked.split(code.array(), at.array(), value.array(), codes)
