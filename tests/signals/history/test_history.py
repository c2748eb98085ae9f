"""Samples kept, on SQLite and on PostgreSQL alike: what is added is read, stored, merged and purged."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from tests.signals.fakes import fleet_of

from podium.clients.database import Database, Permanent, Temporary
from podium.ledger.ledger import Ledger
from podium.model.fleet import Fleet, Slot
from podium.model.identity import WorkloadKey
from podium.signals.history import schema
from podium.signals.history.chunk import BLOCK, Chunk, unpacked
from podium.signals.history.history import ORIGIN, History

HOUR = 1_800_000_000.0  # a whole half hour, too
NAN = float("nan")
FLEET = fleet_of("shop/web", "shop/api")
WEB, API = (slot.key or WorkloadKey.parse("") for slot in FLEET.slots)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/podium.db"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql").database())
    Ledger.open(url, heads=tmp_path / "heads").close()  # makes the tables
    opened = Database.open(url)
    yield opened
    opened.close()


def fill(history: History, minutes: range, fleet: Fleet = FLEET, signal: str = "load") -> None:
    """Web has the number of the minute; api the same and a half, but for every tenth."""
    for minute in minutes:
        api = NAN if minute % 10 == 0 else minute + 0.5
        values = {WEB: float(minute), API: api}
        column = np.array([values[slot.key] if slot.key else NAN for slot in fleet.slots])
        history.add(HOUR + 60 * minute, fleet, {signal: column})


def read(history: History, key: WorkloadKey = WEB, since: float = 0, until: float = 1e9) -> list[float]:
    """The values of `load` between two minutes, whose times are their numbers in minutes."""
    found = history.read("load", key, HOUR + 60 * since, HOUR + 60 * min(until, 1e6))
    assert found.origin == ORIGIN
    half = 0.5 if key == API else 0.0
    assert ((found.at - HOUR) / 60 + half).tolist() == found.value.tolist()
    return found.value.tolist()


def test_what_is_added_is_read_at_once_and_after_it_is_stored(database: Database) -> None:
    history = History(database)
    fill(history, range(75))
    before = read(history), read(history, API), read(history, WEB, 10.5, 40)
    assert history.due
    assert history.store() == 2
    assert not history.due
    after = read(history), read(history, API), read(history, WEB, 10.5, 40)

    assert before == after
    assert after[0] == [float(n) for n in range(75)]
    assert after[1] == [n + 0.5 for n in range(75) if n % 10]
    assert after[2] == [float(n) for n in range(11, 40)]


def test_another_process_reads_what_is_stored(database: Database) -> None:
    history = History(database)
    fill(history, range(75))
    history.store()
    assert read(History(database)) == [float(n) for n in range(60)]
    history.store(everything=True)
    assert read(History(database)) == [float(n) for n in range(75)]


def test_one_row_of_each_step_is_kept(database: Database) -> None:
    history = History(database)
    for second in range(0, 180, 15):
        if history.wants(HOUR + second):
            history.add(HOUR + second, FLEET, {"load": np.array([second / 60, NAN])})
    history.add(HOUR + 30, FLEET, {"load": np.array([99.0, NAN])})
    assert read(history) == [0.0, 1.0, 2.0]


def test_a_crash_costs_nothing_that_the_ledger_still_holds(database: Database) -> None:
    """The windows from `reaches` on are added again: what was there is merged, what was lost is there again."""
    first = History(database)
    fill(first, range(100))
    first.store()
    assert first.reaches() == HOUR + 60 * 60
    second = History(database)
    fill(second, range(60, 100))
    second.store(everything=True)
    assert read(History(database)) == [float(n) for n in range(100)]
    assert second.summary().samples == 100 + 90


def test_a_crash_in_the_middle_of_a_window_of_many_blocks_costs_nothing(database: Database) -> None:
    fleet = Fleet(tuple(Slot(WorkloadKey("local", "shop", "deployment", "apps", f"w{n}")) for n in range(3 * BLOCK)))
    keys = [slot.key or WEB for slot in fleet.slots]
    column = np.arange(3.0 * BLOCK)
    first, second = History(database), History(database)
    first.add(HOUR, fleet, {"load": column})
    first.store(everything=True)
    with database.write() as connection:
        connection.execute(sa.delete(schema.chunk).where(schema.chunk.c.block == 1))
    assert second.reaches() == HOUR
    second.add(HOUR, fleet, {"load": column})
    second.store(everything=True)
    found = History(database).read_many("load", keys, HOUR, HOUR + 1)
    assert [found[key].value.tolist() for key in keys] == [[value] for value in column.tolist()]


def test_rows_may_come_in_any_order(database: Database) -> None:
    history = History(database)
    for minutes in (range(40, 50), range(10), range(70, 75), range(30, 40), range(10, 30), range(50, 70)):
        fill(history, minutes)
        history.store()
    history.store(everything=True)
    assert read(History(database)) == [float(n) for n in range(75)]


def test_a_workload_keeps_its_history_when_it_moves_to_another_slot(database: Database) -> None:
    history = History(database)
    moved = Fleet((Slot(API), Slot(WorkloadKey("local", "shop", "deployment", "apps", "new")), Slot(WEB)))
    fill(history, range(20))
    moved_values = {API: 20.5, WEB: 20.0}
    history.add(
        HOUR + 1200, moved, {"load": np.array([moved_values.get(slot.key or WEB, 7.0) for slot in moved.slots])}
    )
    history.store(everything=True)
    assert read(history) == [float(n) for n in range(21)]
    assert read(history, API) == [*[n + 0.5 for n in range(20) if n % 10], 20.5]


def test_a_workload_or_signal_that_nobody_saw_has_no_rows(database: Database) -> None:
    history = History(database)
    fill(history, range(3))
    history.store(everything=True)
    stranger = dataclasses.replace(WEB, name="stranger")
    assert len(history.read("load", stranger, 0, 2e9)) == 0
    assert len(history.read("other", WEB, 0, 2e9)) == 0


def test_what_is_not_finite_is_a_gap(database: Database) -> None:
    history = History(database)
    for minute, value in enumerate([1.0, NAN, np.inf, -np.inf, 1e300, 5.0]):
        history.add(HOUR + 60 * minute, FLEET, {"load": np.array([value, NAN])})
    assert history.read("load", WEB, HOUR, HOUR + 600).value.tolist() == [1.0, 5.0]
    history.store(everything=True)
    assert history.read("load", WEB, HOUR, HOUR + 600).value.tolist() == [1.0, 5.0]


def test_samples_are_purged_by_age(database: Database) -> None:
    history = History(database)
    fill(history, range(120))
    history.store(everything=True)
    before = HOUR + 60 * 60
    assert (history.purge(before, dry_run=True), history.summary().chunks) == (2, 4)
    assert (history.purge(before), history.purge(before)) == (2, 0)
    assert read(history) == [float(n) for n in range(60, 120)]


def test_the_summary_says_what_is_stored(database: Database) -> None:
    history = History(database)
    assert dataclasses.astuple(history.summary()) == (0, 0, 0, None, None)
    assert history.reaches() is None
    fill(history, range(45))
    history.store(everything=True)
    found = history.summary()
    assert (found.chunks, found.samples) == (2, 45 + 40)
    assert (found.first_us, found.last_us) == (round(HOUR * 1e6), round((HOUR + 44 * 60) * 1e6))
    assert 0 < found.bytes < 4000


def test_two_processes_may_name_the_same_workloads_at_once(database: Database) -> None:
    fleet = Fleet(tuple(Slot(WorkloadKey("local", "shop", "deployment", "apps", f"w{n}")) for n in range(700)))
    histories = [History(database) for _ in range(4)]
    for minute, history in enumerate(histories):
        history.add(HOUR + 60 * minute, fleet, {"load": np.full(700, float(minute))})
    threads = [threading.Thread(target=history.store, kwargs={"everything": True}) for history in histories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.series)).scalar_one() == 700


def test_a_damaged_chunk_is_named_and_can_be_written_anew(database: Database) -> None:
    history = History(database)
    fill(history, range(10))
    history.store(everything=True)
    with database.write() as connection:
        connection.execute(sa.update(schema.chunk).values(payload=b"PDC1 not a chunk"))
    with pytest.raises(
        Permanent, match=r"chunk 'load', block 0, 1800000000000000 of kept samples in .* damaged|corrupt|zstd"
    ):
        read(history)
    fill(history, range(10))
    history.store(everything=True)
    assert read(history) == [float(n) for n in range(10)]


def test_what_cannot_be_stored_waits_and_is_still_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/podium.db"
    Ledger.open(url, heads=tmp_path / "heads").close()
    blocked, blocker = Database.open(url, busy_seconds=0.05), Database.open(url)
    history = History(blocked)
    fill(history, range(70))
    with blocker.write(), pytest.raises(Temporary):
        history.store()
    assert history.due
    assert read(history) == [float(n) for n in range(70)]
    history.store()
    assert read(history) == [float(n) for n in range(70)]
    for opened in (blocked, blocker):
        opened.close()


def test_chunks_of_one_window_are_merged() -> None:
    def chunk(*columns: tuple[int, float]) -> Chunk:
        value = np.full((BLOCK, len(columns)), np.nan, np.float32)
        value[7] = [value for _, value in columns]
        return Chunk(np.array([at for at, _ in columns], np.int64), value)

    merged = unpacked(chunk((1, 1.0), (2, 2.0), (4, 4.0)).packed()).merged(chunk((2, NAN), (3, 3.0), (4, 44.0)))
    assert (merged.at_us.tolist(), merged.value[7].tolist(), merged.samples) == ([1, 2, 3, 4], [1, 2, 3, 44], 4)
