"""Files larger than the memory that reading them may take: in pieces, mapped from disk, with the same answer."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

ROWS = 600_000
MEGABYTE = 1024 * 1024

# Reads one file in a process of its own and prints how much memory of its own (not mapped from files) that took.
READ = """
import json, pathlib, sys, threading
import numpy as np
from podium.signals import parquetfile, series
from podium.signals.replay import read_series

def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

series.MEMORY_ROWS, parquetfile.CHUNK_ROWS = 50_000, 50_000
path, done, peak = pathlib.Path(sys.argv[1]), threading.Event(), [0]
if path.suffix == ".parquet":
    import duckdb  # its own memory is not the reader's
    duckdb.connect().execute("select 1").fetchnumpy()

def watch():
    while not done.wait(0.002):
        peak[0] = max(peak[0], anonymous())

before = anonymous()
watcher = threading.Thread(target=watch)
watcher.start()
read = read_series(path)
done.set()
watcher.join()
print(json.dumps({
    "took": peak[0] - before,
    "columns": {name: [len(one), float(one.at[-1]), float(np.sum(one.value[-1000:]))] for name, one in read.items()},
}))
"""


def read(path: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", READ, str(path)], check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


EXPECTED = {
    name: [ROWS, float(60 * (ROWS - 1)), sum(row * factor for row in range(ROWS - 1000, ROWS))]
    for name, factor in (("a", 1.0), ("b", 2.0), ("c", 3.0))
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("large")


def test_a_gzipped_csv_file_is_read_in_pieces(folder: Path) -> None:
    """19 MB of numbers as Python reads them would be 250 MB of text cells at once."""
    path = folder / "load.csv.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write("ts,a,b,c\n")
        for start in range(0, ROWS, 10_000):
            rows = range(start, start + 10_000)
            file.write("".join(f"{60 * row},{row}.0,{2 * row}.0,{3 * row}.0\n" for row in rows))

    found = read(path)

    assert found["columns"] == EXPECTED
    assert found["took"] < 16 * MEGABYTE


def test_a_parquet_file_is_read_in_pieces(folder: Path) -> None:
    path = folder / "load.parquet"
    select = f"select 60 * i as ts, i::double as a, 2.0 * i::double as b, 3.0 * i::double as c from range({ROWS}) t(i)"  # noqa: S608
    duckdb.sql(f"copy ({select}) to '{path}' (format parquet, row_group_size 50000)")

    found = read(path)

    assert found["columns"] == EXPECTED
    assert found["took"] < 64 * MEGABYTE  # DuckDB's own buffers among them
