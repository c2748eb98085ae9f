"""What goes wrong outside: one sentence with the URL and what to do, and nothing half done."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.ledger.entry import Draft
from podium.ledger.errors import Permanent, Temporary
from podium.ledger.ledger import Ledger

TICK = [Draft(kind="tick", at_us=1, payload=bytes(range(256)) * 400)]


def refused(url: str, kind: type[Exception] = Permanent) -> str:
    with pytest.raises(kind) as caught:
        Ledger.open(url, busy_seconds=0.1, connect_seconds=2)
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "mysql://u:secret@h/d",
            "mysql databases are not supported; name a file as in sqlite:///podium.db, or a server",
        ),
        ("podium.db", "The database URL cannot be read; name a file as in sqlite:///podium.db, or a server"),
        ("", "The database URL cannot be read; name a file"),
        ("sqlite://", "sqlite:// names no file; write the path of one, as in sqlite:///podium.db"),
        ("sqlite:///:memory:", "sqlite:///:memory: names no file"),
    ],
)
def test_a_url_that_names_no_database_is_refused_without_its_password(url: str, sentence: str) -> None:
    assert refused(url).startswith(sentence)
    assert "secret" not in refused(url)


def test_a_missing_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    Ledger.open(f"sqlite:///{tmp_path}/state/podium/podium.db").close()
    assert (tmp_path / "state" / "podium").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "podium" / "podium.db").stat().st_mode & 0o777 == 0o600


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    sentence = f"sqlite:///{tmp_path} is a directory; name a file in it, as in sqlite:///{tmp_path}/podium.db"
    assert refused(f"sqlite:///{tmp_path}") == sentence


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "(File exists: " in refused(f"sqlite:///{tmp_path}/file/podium.db")


def test_another_kind_of_file_is_no_database_and_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "podium.db"
    file.write_text("apiVersion: podium.dev/v1alpha1\n" * 99)
    before = file.read_bytes()
    assert f"sqlite:///{file} is not a SQLite database; name another file, or move this one away" in refused(
        f"sqlite:///{file}"
    )
    assert file.read_bytes() == before


def test_a_damaged_database_is_called_damaged(tmp_path: Path) -> None:
    file = tmp_path / "podium.db"
    ledger = Ledger.open(f"sqlite:///{file}")
    ledger.append(TICK * 9, ledger.lead("one", 60))
    ledger.close()
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    assert f"sqlite:///{file} is damaged; move it away and restore a backup" in refused(f"sqlite:///{file}")


UNPRIVILEGED = """
import os, sys
from podium.ledger.ledger import Ledger
Ledger.open(sys.argv[2]).close()  # everything is imported before the rights to read it are gone
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Ledger.open(sys.argv[1])
except Exception as error:
    sys.stdout.write(f"{type(error).__name__}: {error}")
"""


def told_without_rights(folder: Path) -> str:
    """What a user without write access is told: root may write anywhere, so a child gives its rights up."""
    urls = [f"sqlite:///{folder}/podium.db", f"sqlite:///{folder.parent}/open/podium.db"]
    command = [sys.executable, "-c", UNPRIVILEGED, *urls]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def visible(tmp_path: Path) -> Path:
    """A folder that another user may read: pytest's own ones are closed."""
    for folder in [tmp_path, *tmp_path.parents]:
        if folder == Path(tempfile.gettempdir()) or folder.stat().st_uid != os.getuid() or folder == Path("/"):
            break
        folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path


def test_a_read_only_folder_is_named_with_what_to_do(visible: Path) -> None:
    closed = visible / "closed"
    closed.mkdir(mode=0o555)
    told = told_without_rights(closed)
    assert told == (
        f"Permanent: sqlite:///{closed}/podium.db cannot be opened for writing "
        f"(Permission denied: {closed}/podium.db); "
        "give this user write access to the file and its directory, or name another file"
    )
    assert list(closed.iterdir()) == []


def test_a_writable_file_in_a_read_only_folder_is_refused_too(visible: Path) -> None:
    closed = visible / "closed"
    Ledger.open(f"sqlite:///{closed}/podium.db").close()
    (closed / "podium.db").chmod(0o666)
    closed.chmod(0o555)
    told = told_without_rights(closed)
    assert told.startswith(f"Permanent: sqlite:///{closed}/podium.db cannot be ")
    assert "give this user write access to the file and its directory" in told


@pytest.mark.parametrize("replaced", [False, True])
def test_a_database_that_was_taken_away_takes_no_more_entries(replaced: bool, tmp_path: Path) -> None:
    file = tmp_path / "podium.db"
    ledger = Ledger.open(f"sqlite:///{file}")
    leadership = ledger.lead("a", 60.0)
    ledger.append(TICK, leadership)
    file.rename(tmp_path / "away.db")
    if replaced:
        shutil.copy(tmp_path / "away.db", file)
    for ask in (lambda: ledger.append(TICK, leadership), leadership.renew, lambda: list(ledger.entries(["tick"]))):
        with pytest.raises(Permanent, match="was removed or replaced while it was open"):
            ask()
    assert file.exists() == replaced
    ledger.close()


def test_a_locked_database_is_a_temporary_trouble(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", busy_seconds=0.1)
    leadership = ledger.lead("one", 60)
    other = sqlite3.connect(tmp_path / "podium.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Temporary, match=r"podium.db is locked by another process; try again"):
        ledger.append(TICK, leadership)
    other.close()
    assert ledger.append(TICK, leadership)[0].seq == 1
    ledger.close()


def test_a_database_that_may_not_grow_refuses_whole_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db")
    leadership = ledger.lead("one", 60)
    ledger.append(TICK, leadership)
    with ledger._database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=60")
    with pytest.raises(Temporary, match=r"podium.db cannot grow, the disk is full; free space"):
        ledger.append(TICK * 9, leadership)
    with ledger._database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert ledger.append(TICK, leadership)[0].seq == 2
    assert ledger.verify().findings == ()
    ledger.close()


def test_a_full_disk_is_a_temporary_trouble_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db")
    leadership = ledger.lead("one", 60)
    ledger.append(TICK, leadership)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
    try:
        with pytest.raises(Temporary, match=r"podium.db (could not be .* written; check free space|cannot grow)"):
            ledger.append(TICK * 9, leadership)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [entry.seq for entry in ledger.entries(["tick"])] == [1]
    assert ledger.append(TICK, leadership)[0].seq == 2
    assert ledger.verify().findings == ()
    ledger.close()


def test_a_head_that_cannot_be_signed_does_not_undo_an_append_and_is_told(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "state" / "heads", head_seconds=0)
    leadership = ledger.lead("one", 60)
    ledger.append(TICK, leadership)
    (tmp_path / "state" / "heads").unlink()
    (tmp_path / "state" / "heads").mkdir()
    assert ledger.append(TICK, leadership)[0].seq == 2
    assert "cannot be signed" in ledger.trouble
    with pytest.raises(Temporary, match="cannot be signed"):
        ledger.close()


def test_heads_that_cannot_be_kept_stop_a_leader_before_it_leads(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "file" / "heads")
    with pytest.raises(Permanent, match=r"The signed heads of .* cannot be kept in .*/file/heads"):
        ledger.lead("one", 60)
    ledger.heads = type(ledger.heads)(tmp_path / "heads")
    assert ledger.lead("one", 60).epoch == 1
    ledger.close()


def test_a_missing_driver_says_which_extra_to_install() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from podium.ledger.ledger import Ledger\n"
        "try: Ledger.open('postgresql://u:secret@127.0.0.1/d')\n"
        "except Exception as error: sys.stdout.write(f'{type(error).__name__}: {error}')"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout
    assert told == (
        "Permanent: postgresql://u:***@127.0.0.1/d needs the PostgreSQL driver, which is not installed; "
        "in a clone of Podium: make dev, or uv pip install '.[postgresql]'"
    )


@pytest.fixture
def port() -> Iterator[int]:
    """A port of ours that accepts connections into its queue and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_is_not_there_is_a_temporary_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    told = refused(f"postgresql://u:secret@127.0.0.1:{port}/d", Temporary)
    assert told.startswith(f"postgresql://u:***@127.0.0.1:{port}/d did not answer (connection failed:")
    assert "secret" not in told


def test_a_silent_server_is_left_after_the_time_to_connect(port: int) -> None:
    began = time.monotonic()
    assert "timeout expired" in refused(f"postgresql://u@127.0.0.1:{port}/d", Temporary)
    assert time.monotonic() - began < 10


def test_a_server_that_speaks_something_else_is_a_temporary_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        speaking = threading.Thread(target=answer)
        speaking.start()
        told = refused(f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/d?sslmode=disable", Temporary)
        speaking.join()
    assert "did not answer" in told
