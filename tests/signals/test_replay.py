import asyncio
import gzip
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from podium.signals import csvfile, series
from podium.signals.overlays import Outage, Surge
from podium.signals.replay import WHOLE, ReplaySource, Track, read_series, tracks
from podium.signals.series import Ragged, Series
from podium.signals.source import Permanent, Reading, Subject

WEB = Subject("shop", "deployment", "web")
API = Subject("shop", "deployment", "api")


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(line + "\n" for line in lines))
    return path


def rows(one: Series) -> list[tuple[float, float]]:
    return list(zip(one.at.tolist(), one.value.tolist(), strict=True))


def recorded(*pairs: tuple[float, float]) -> Series:
    return Series(np.array([at for at, _ in pairs]), np.array([value for _, value in pairs]), "recorded: test")


async def played(track: Track, now: float) -> tuple[list[float], list[float]]:
    reading = await ReplaySource("tape", lambda: [track]).read(track.query, now)
    return reading.at.tolist(), reading.values.tolist()


def refusal(path: Path, columns: list[str] | None = None) -> str:
    with pytest.raises(Permanent) as raised:
        read_series(path, columns)
    return str(raised.value)


def test_a_wide_file_is_a_series_per_column(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", "ts,web,api", "60,1,10", "120,2,20")

    read = read_series(path)

    assert {name: rows(one) for name, one in read.items()} == {
        "web": [(60, 1), (120, 2)],
        "api": [(60, 10), (120, 20)],
    }
    assert read["web"].origin == "recorded: load.csv"


def test_a_long_file_is_a_series_per_name(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", "series,ts,value", "web,60,1", "api,60,10", "web,120,2")

    assert {name: rows(one) for name, one in read_series(path, dataset="crane").items()} == {
        "web": [(60, 1), (120, 2)],
        "api": [(60, 10)],
    }
    assert rows(read_series(path, ["api"])["api"]) == [(60, 10)]


def test_gzip_is_recognised_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_bytes(gzip.compress(b"ts,web\n60,1\n"))

    assert rows(read_series(path)["web"]) == [(60, 1)]


def test_empty_cells_and_named_gaps_are_gaps(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", "ts,web", "60,1", "120,", "180,NaN", "240,null", "300,5", "360,NA")

    assert rows(read_series(path)["web"]) == [(60, 1), (300, 5)]


def test_times_of_several_zones_are_one_order_and_the_last_of_equal_times_wins(tmp_path: Path) -> None:
    path = write(
        tmp_path / "load.csv", "ts,web", "1970-01-01T01:02:00+01:00,2", "60,1", "1970-01-01T00:02:00Z,3", "0,0"
    )

    assert rows(read_series(path)["web"]) == [(0, 0), (60, 1), (120, 3)]


def test_every_bad_cell_is_named_by_line_and_column_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path / "load.csv",
        "ts,web",
        "soon,1",
        "2026-11-21T09:30:00,2",
        "180,many",
        "240,inf",
        "300,1,2",
        "1800000000000,1",
    )

    rfc3339 = "Unix seconds or RFC 3339, as in 2026-11-21T09:30:00Z"
    milliseconds = "expected Unix seconds or RFC 3339 (are these milliseconds?)"
    assert refusal(path).splitlines() == [
        f"{path}, line 6: 3 cells; expected 2 as in the header",
        f"{path}, line 2, column 'ts': 'soon' is not a time; expected {rfc3339}",
        f"{path}, line 3, column 'ts': '2026-11-21T09:30:00' has no time zone; expected {rfc3339}",
        f"{path}, line 7, column 'ts': '1800000000000' is not a time in seconds; {milliseconds}",
        f"{path}, line 4, column 'web': 'many' is not a number; expected a number, or an empty cell for a gap",
        f"{path}, line 5, column 'web': 'inf' is infinite; expected a finite number, or an empty cell for a gap",
    ]


def test_more_than_ten_bad_cells_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", "ts,web", *(f"{second},x" for second in range(25)))

    assert len(refusal(path).splitlines()) == 11
    assert refusal(path).endswith("and 15 more")


def test_columns_that_nobody_asked_for_may_hold_anything(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", "ts,web,comment", "60,1,match day", "120,2,")

    assert rows(read_series(path, ["web"])["web"]) == [(60, 1), (120, 2)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty; expected a header with the column 'ts'"),
        (b"time;web\n60;1\n", "line 1: no column 'ts'; found 'time;web'"),
        (b"ts,web,web\n", "line 1: two columns have the same name"),
        (b"ts,web\n60,\xff\n", "is not UTF-8 text (byte 0xff); expected CSV"),
        (b'ts,web\n60,"1\n', "expected CSV with commas"),
        (gzip.compress(b"ts,web\n" + b"60,1\n" * 9999, mtime=0)[:-20], "damaged gzip file, cut off or altered"),
        (b"\x1f\x8b not gzip at all", "damaged gzip file"),
    ],
)
def test_a_file_that_is_no_series_file_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "load.csv"
    path.write_bytes(content)

    assert str(path) in refusal(path)
    assert words in refusal(path)


def test_a_missing_column_is_named_with_the_ones_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", "ts,web,api", "60,1,2")

    assert refusal(path, ["wbe"]) == f"{path}: no column or series 'wbe'; it has 'web', 'api'"
    assert refusal(tmp_path / "none.csv") == f"{tmp_path / 'none.csv'}: cannot be read: no such file"
    assert refusal(tmp_path) == f"{tmp_path}: cannot be read: is a folder"


async def test_a_header_without_rows_is_an_empty_reading(tmp_path: Path) -> None:
    read = read_series(write(tmp_path / "load.csv", "ts,web"))

    reading = await ReplaySource("tape", lambda: tracks(read, {"web": WEB})).read("web", 60)

    assert (reading.subjects, reading.values.tolist(), reading.at.tolist()) == ((), [], [])


def test_a_file_larger_than_the_memory_bound_is_mapped_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "MEMORY_ROWS", 1000)
    monkeypatch.setattr(csvfile, "CHUNK_ROWS", 300)
    path = write(tmp_path / "load.csv", "ts,web,api", *(f"{row},{row},{'' if row % 2 else row}" for row in range(5000)))

    read = read_series(path)

    assert isinstance(read["web"].at, np.memmap)
    assert read["web"].value.tolist() == list(range(5000))
    assert read["api"].at.tolist() == list(range(0, 5000, 2))


def test_too_many_rows_out_of_order_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MEMORY_ROWS", 10)
    path = write(tmp_path / "load.csv", "ts,web", *(f"{-row},1" for row in range(20)))

    assert refusal(path) == f"{path}: its 20 rows are out of order and too many to sort; expected rising times"


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("60 * i", [(0, 1), (120, 3)]),
        ("to_timestamp(60 * i)", [(0, 1), (120, 3)]),
        ("strftime(epoch_ms(60000 * i), '%Y-%m-%dT%H:%M:%SZ')", [(0, 1), (120, 3)]),
    ],
)
def test_parquet_is_read_with_its_types(tmp_path: Path, time: str, expected: list[tuple[float, float]]) -> None:
    path = tmp_path / "load.parquet"
    value = "case when i = 1 then null else i + 1 end as web"
    duckdb.sql(f"copy (select {time} as ts, {value} from range(3) t(i)) to '{path}' (format parquet)")  # noqa: S608

    assert rows(read_series(path)["web"]) == expected


def test_long_parquet_is_a_series_per_name(tmp_path: Path) -> None:
    path = tmp_path / "load.parquet"
    duckdb.sql(f"copy (select 'kpi' || i % 2 as series, i as ts, i as value from range(4) t(i)) to '{path}'")  # noqa: S608

    assert {name: rows(one) for name, one in read_series(path).items()} == {
        "kpi0": [(0, 0), (2, 2)],
        "kpi1": [(1, 1), (3, 3)],
    }


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("select 60 as ts, 'many' as web", "column 'web': is VARCHAR; expected numbers"),
        ("select 60 as ts, 'inf'::double as web", "row 1, column 'web': inf; expected a finite number"),
        ("select timestamp '2026-11-21' as ts, 1 as web", "column 'ts': is TIMESTAMP; expected Unix seconds"),
        ("select 1800000000000 as ts, 1 as web", "are these milliseconds?"),
        ("select 60 as time, 1 as web", "no column 'ts'; found 'time', 'web'"),
    ],
)
def test_parquet_of_the_wrong_types_is_refused_in_words(tmp_path: Path, select: str, words: str) -> None:
    path = tmp_path / "load.parquet"
    duckdb.sql(f"copy ({select}) to '{path}' (format parquet)")

    assert words in refusal(path)


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read as Parquet" in refusal(write(tmp_path / "load.parquet", "PAR1 nonsense"))


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)

    words = refusal(write(tmp_path / "load.parquet", ""))

    assert words == (
        f"{tmp_path / 'load.parquet'}: reading Parquet needs DuckDB; "
        "in a clone of Podium: make dev, or uv pip install '.[parquet]'"
    )


async def test_a_gap_keeps_the_last_value_with_its_own_time() -> None:
    track = Track(query="web", subject=WEB, series=recorded((0, 5), (60, 6), (3600, 7)))

    assert [await played(track, now) for now in (-1, 0, 59.9, 60, 3599, 9999)] == [
        ([], []),
        ([0], [5]),
        ([0], [5]),
        ([60], [6]),
        ([60], [6]),
        ([3600], [7]),
    ]


async def test_a_period_repeats_the_series_endlessly() -> None:
    track = Track(query="web", subject=WEB, series=recorded((1000, 1), (1060, 2)), start=0, period_seconds=WHOLE)

    assert [await played(track, now) for now in (-1, 0, 60, 119, 120, 180, 120e6 + 60)] == [
        ([], []),
        ([0], [1]),
        ([60], [2]),
        ([60], [2]),
        ([120], [1]),
        ([180], [2]),
        ([120e6 + 60], [2]),
    ]


async def test_scale_turns_the_files_unit_into_the_signals() -> None:
    track = Track(query="web", subject=WEB, series=recorded((0, 0.85)), scale=400)

    assert await played(track, 0) == ([0], [340])


async def test_one_query_can_stand_for_many_columns_and_the_subjects_stay_the_same_object(tmp_path: Path) -> None:
    read = read_series(write(tmp_path / "load.csv", "ts,web,api", "60,1,10", "120,2,"))
    source = ReplaySource("tape", lambda: tracks(read, {"web": WEB, "api": API}, query="requests"))

    first, second = await source.read("requests", 60), await source.read("requests", 120)

    assert (second.subjects, second.values.tolist(), second.at.tolist()) == ((WEB, API), [2, 10], [120, 60])
    assert second.subjects is first.subjects


async def test_an_unknown_query_is_refused_with_the_ones_there_are() -> None:
    source = ReplaySource("tape", lambda: [Track(query="web", subject=WEB, series=recorded((0, 1)))])

    with pytest.raises(Permanent, match="tape: no series 'wbe'; there are 'web'"):
        await source.read("wbe", 0)


async def test_a_reader_that_gives_up_does_not_stop_the_loading() -> None:
    loads = []

    def slowly() -> list[Track]:
        import time

        time.sleep(0.2)
        loads.append(1)
        return [Track(query="web", subject=WEB, series=recorded((0, 1)))]

    source = ReplaySource("tape", slowly)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(source.read("web", 0), 0.01)
    reading: Reading = await source.read("web", 0)

    assert (reading.values.tolist(), loads) == ([1], [1])


def test_a_surge_multiplies_and_ramps_on_a_labelled_copy() -> None:
    flat = recorded(*((minute * 60, 10) for minute in range(7)))

    surged = Surge(at=120, duration_seconds=120, factor=3, ramp_seconds=120).on(flat)

    assert surged.value.tolist() == [10, 20, 30, 30, 30, 20, 10]
    assert surged.origin == "synthetic: surge on recorded: test"
    assert flat.value.tolist() == [10] * 7


def test_an_outage_is_a_gap_not_zero() -> None:
    out = Outage(at=60, duration_seconds=120).on(recorded((0, 1), (60, 2), (120, 3), (180, 4)))

    assert rows(out) == [(0, 1), (180, 4)]
    assert Surge(at=0, duration_seconds=1, factor=2).on(out).origin == "synthetic: surge on outage on recorded: test"


def test_a_series_played_at_no_period_is_refused() -> None:
    with pytest.raises(ValueError, match="period_seconds is 0; expected more than 0, or WHOLE"):
        Track(query="web", subject=WEB, series=recorded((0, 1)), period_seconds=0)


def test_the_newest_rows_of_many_series_are_what_a_loop_over_them_finds() -> None:
    random = np.random.default_rng(1)
    many = [recorded(*((at, at) for at in np.unique(random.integers(0, 100, size)))) for size in range(30)]
    times = random.integers(-10, 110, 30).astype(float)

    at, value = Ragged(many).newest(times)

    expected = [max((a for a in one.at if a <= time), default=np.nan) for one, time in zip(many, times, strict=True)]
    assert np.array_equal(at, expected, equal_nan=True)
    assert np.array_equal(value, expected, equal_nan=True)
