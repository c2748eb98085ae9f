"""A PostgreSQL server that refuses, freezes and dies under a ledger."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.servers.postgresql import Server

from podium.ledger.entry import Draft
from podium.ledger.errors import Permanent, Temporary
from podium.ledger.ledger import Ledger

pytestmark = pytest.mark.postgresql
TICK = [Draft(kind="tick", at_us=1, payload=b"x")]


def test_a_database_that_does_not_exist_is_named(postgresql: Server) -> None:
    with pytest.raises(Permanent, match=r'database "nowhere" does not exist.*; create that database, or name another'):
        Ledger.open(postgresql.url("nowhere"))


def test_a_user_who_may_not_make_tables_is_told_which_right_is_missing(postgresql: Server) -> None:
    url = postgresql.database()
    name = url.rpartition("/")[2]
    postgresql.sql(f"CREATE ROLE {name} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC", name)
    with pytest.raises(Permanent, match="grant this user the right to create and write tables"):
        Ledger.open(postgresql.url(name, user=name))
    assert postgresql.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == "0"


def test_a_read_only_server_is_a_temporary_trouble(postgresql: Server, tmp_path: Path) -> None:
    url = postgresql.database()
    ledger = Ledger.open(url, heads=tmp_path / "heads")
    leadership = ledger.lead("one", 60)
    ledger._database.engine.dispose()
    name = url.rpartition("/")[2]
    postgresql.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(Temporary, match="this server is a read-only standby; name the primary"):
        ledger.append(TICK, leadership)
    ledger.close()


def test_an_append_is_on_the_disk_even_where_the_server_would_not_wait_for_it(
    postgresql: Server, tmp_path: Path
) -> None:
    url = postgresql.database()
    name = url.rpartition("/")[2]
    postgresql.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    ledger = Ledger.open(url, heads=tmp_path / "heads")
    with ledger._database.write() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    ledger.close()


def test_a_killed_server_is_a_temporary_trouble_and_nothing_acknowledged_is_lost(
    own_postgresql: Server, tmp_path: Path
) -> None:
    ledger = Ledger.open(own_postgresql.database(), heads=tmp_path / "heads")
    leadership = ledger.lead("one", 600)
    written = ledger.append(TICK * 5, leadership)
    for process in _family(own_postgresql):
        os.kill(process, signal.SIGKILL)
    assert own_postgresql.process is not None
    own_postgresql.process.wait()
    with pytest.raises(Temporary, match="did not answer"):
        ledger.append(TICK, leadership)
    own_postgresql.start()
    assert tuple(ledger.entries(["tick"])) == written
    assert ledger.append(TICK, leadership)[0].seq == 6
    assert ledger.verify().findings == ()
    ledger.close()


def test_a_frozen_server_is_left_after_the_time_to_answer(own_postgresql: Server, tmp_path: Path) -> None:
    ledger = Ledger.open(own_postgresql.database(), heads=tmp_path / "heads", answer_seconds=0.5)
    leadership = ledger.lead("one", 600)
    frozen = _family(own_postgresql)
    for process in frozen:
        os.kill(process, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(Temporary, match="did not answer"):
            ledger.append(TICK, leadership)
        assert time.monotonic() - began < 5
    finally:
        for process in frozen:
            os.kill(process, signal.SIGCONT)
    assert ledger.append(TICK, leadership)[0].seq == 1
    ledger.close()


def _family(server: Server) -> list[int]:
    """The server's processes: its first one, and one per connection and duty."""
    assert server.process is not None
    found = subprocess.run(["pgrep", "-P", str(server.process.pid)], check=True, capture_output=True, text=True)
    return [server.process.pid, *map(int, found.stdout.split())]


def test_a_wrong_password_is_told_without_it(own_postgresql: Server) -> None:
    (own_postgresql.folder / "data" / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    own_postgresql.sql("ALTER ROLE podium PASSWORD 'right'; SELECT pg_reload_conf()")
    url = own_postgresql.url("postgres").replace("podium@", "podium:secret@")
    time.sleep(0.5)  # the reload is a signal
    with pytest.raises(Permanent, match=r"authentication failed.*; check user, password and pg_hba.conf") as caught:
        Ledger.open(url)
    assert "secret" not in str(caught.value)
    Ledger.open(own_postgresql.url("postgres"), password="right").close()
