"""The courses of a back-test as a file: a row per minute, the load, and what every policy ordered and had ready."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from podium.loop.backtest.run import Field, Ran
from podium.loop.backtest.trace import MINUTE
from podium.model.arrays import Columns
from podium.signals.source import Permanent


def columns(field: Field, ran: Sequence[Ran]) -> Columns:
    """The judged minutes of the first case: `ts` (Unix seconds), `load`, `NAME.replicas` and `NAME.ready`."""
    rows = np.flatnonzero(field.judged[:, 0])
    case = field.cases[0]
    out: Columns = {
        "ts": ((field.first + rows) * MINUTE).astype(np.int64),
        "load": case.trace.load[rows],
    }
    for one in ran:
        out[f"{one.contender.name}.replicas"] = one.course.ordered[rows, 0]
        out[f"{one.contender.name}.ready"] = one.course.ready[rows, 0]
    return out


def write(path: Path, table: Columns) -> None:
    """CSV, CSV.gz or Parquet by the suffix. Raises Permanent when it cannot be written."""
    try:
        if path.suffix in (".parquet", ".pq"):
            _parquet(path, table)
        elif path.name.endswith((".csv", ".csv.gz")):
            _csv(path, table)
        else:
            raise Permanent(f"{path}: expected a name that ends in .csv, .csv.gz or .parquet")
    except OSError as error:
        raise Permanent(f"{path}: cannot be written: {error.strerror or error}") from error


def _csv(path: Path, table: Columns) -> None:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(table)
    rows.writerows(zip(*(_cells(column) for column in table.values()), strict=True))
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def _cells(column: NDArray[np.generic]) -> list[object]:
    return list(column.tolist())


def _parquet(path: Path, table: Columns) -> None:
    try:
        import duckdb
    except ImportError as error:
        raise Permanent(
            f"{path}: writing Parquet needs DuckDB; in a clone of Podium: make dev, or uv pip install '.[parquet]'"
        ) from error
    try:
        with duckdb.connect() as database:
            database.register("courses", dict(table))
            database.table("courses").write_parquet(str(path))
    except duckdb.Error as error:
        raise Permanent(f"{path}: cannot be written: {str(error).splitlines()[0]}") from error
