"""Series files as Parquet, read through DuckDB (the extra `podium[parquet]`): the same shapes as CSV, typed columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import Float64s
from podium.model.clock import parse_rfc3339
from podium.signals.csvfile import MILLISECONDS_FROM
from podium.signals.series import Asked, Column, Series
from podium.signals.source import Permanent

if TYPE_CHECKING:
    import duckdb

CHUNK_ROWS = 4_000_000  # rows fetched at a time: 32 MB a column

_NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "UTINY",
    "UINT",
    "UBIG",
)


def read_parquet(asked: Asked) -> dict[str, Series]:
    """As `read_csv`. Times are numbers (Unix seconds), timestamps with a time zone, or RFC 3339 text."""
    path = asked.path
    try:
        import duckdb
    except ImportError as error:
        raise Permanent(
            f"{path}: reading Parquet needs DuckDB; in a clone of Podium: make dev, or uv pip install '.[parquet]'"
        ) from error
    if not path.is_file():
        raise Permanent(f"{path}: cannot be read: no such file")
    try:
        with duckdb.connect() as database:
            described = database.execute("select * from read_parquet(?) limit 0", [str(path)]).description or []
            types = {str(name): str(kind) for name, kind, *_ in described}
            return _read(asked, _File(database, path, types))
    except duckdb.Error as error:
        raise Permanent(f"{path}: cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def _read(asked: Asked, file: _File) -> dict[str, Series]:
    time_column = asked.time_column
    if time_column not in file.types:
        raise Permanent(f"{file.path}: no column {time_column!r}; found {', '.join(map(repr, file.types))}")
    at = file.times(time_column)
    if {"series", "value"} <= file.types.keys():
        codes: dict[str, int] = {}
        code = file.column('"series"::VARCHAR', lambda cells: [codes.setdefault(cell, len(codes)) for cell in cells])
        return asked.split(code, at, file.values("value"), codes)
    names = asked.names([name for name in file.types if name != time_column])
    return {name: asked.one(at, file.values(name)) for name in names}


@dataclasses.dataclass(frozen=True, slots=True)
class _File:
    database: duckdb.DuckDBPyConnection
    path: Path
    types: dict[str, str]

    def times(self, name: str) -> Float64s:
        kind = self.types[name]
        quoted = _quoted(name)
        if kind.startswith(_NUMBERS):
            at = self.column(f"{quoted}::DOUBLE")
        elif kind == "TIMESTAMP WITH TIME ZONE":
            at = self.column(f"epoch_us({quoted}) / 1e6")
        elif kind == "VARCHAR":
            at = self.column(quoted, lambda cells: [self._time(cell, name) for cell in cells])
        else:
            expected = "Unix seconds, a timestamp with a time zone, or RFC 3339 text"
            raise Permanent(f"{self.path}, column {name!r}: is {kind}; expected {expected}")
        self._refuse(~(np.abs(at) < MILLISECONDS_FROM), at, name, "Unix seconds (are these milliseconds?)")
        return at

    def _time(self, cell: str | None, name: str) -> float:
        try:
            return parse_rfc3339(cell or "")
        except ValueError as error:
            raise Permanent(f"{self.path}, column {name!r}: {error}") from None

    def values(self, name: str) -> Float64s:
        if not self.types[name].startswith(_NUMBERS):
            raise Permanent(f"{self.path}, column {name!r}: is {self.types[name]}; expected numbers")
        values = self.column(f"{_quoted(name)}::DOUBLE")
        self._refuse(np.isinf(values), values, name, "a finite number, or null for a gap")
        return values

    def _refuse(self, bad: NDArray[np.bool_], cells: Float64s, name: str, expected: str) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            raise Permanent(f"{self.path}, row {row + 1}, column {name!r}: {cells[row]}; expected {expected}")

    def column(self, expression: str, convert: Callable[[list[Any]], Sequence[float]] | None = None) -> Float64s:
        """All rows of one expression as float64, null as NaN; `convert` turns cells that are not numbers into some."""
        out, row = Column(), 0
        while True:
            query = (
                f"select {expression} as cell from read_parquet(?, file_row_number = true) "  # noqa: S608  quoted names
                "where file_row_number >= ? and file_row_number < ? order by file_row_number"
            )
            cells = self.database.execute(query, [str(self.path), row, row + CHUNK_ROWS]).fetchnumpy()["cell"]
            if len(cells) == 0:
                return out.array()
            if convert is not None:
                numbers = np.array(convert(cells.tolist()), np.float64)
            else:
                numbers = np.ma.filled(cells.astype(np.float64), np.nan)
            out.append(numbers)
            row += len(cells)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
