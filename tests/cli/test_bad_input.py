"""Bad input gets one clear message and exit code 2; nothing is begun, nothing is left behind."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy
from tests.cli.outside import Done, podium
from tests.journeys.installation import Installation

from podium.clients.database import Database

TEN_MISTAKES = """\
apiVersion: podium.dev/v1alpha1
kind: Settings
database: {url: "mysql://db/podium"}
clusters:
  - {name: UPPER, kind: simulated}
  - {name: two, kind: openstack}
sources:
  - {name: prom, kind: prometheus}
  - {name: rec, kind: replay, url: "http://127.0.0.1:1", path: x.csv}
loop: {interval: soon, leese: 15s, maxReduction: {fraction: 2}}
api: {listen: "nowhere"}
log: {level: loud}
"""


def refused(done: Done, *said: str) -> None:
    """One message, exit code 2, nothing on stdout."""
    assert (done.code, done.out) == (2, ""), done
    for words in said:
        assert words in done.err, done.err


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*")}


@pytest.fixture
def laid(recorded: Installation, tmp_path: Path) -> Path:
    """The installation's settings and documents in a folder of their own, without what it recorded."""
    for name in ("podium.yaml", "scenario.yaml", "token", "load.csv"):
        text = (recorded.folder / name).read_text()
        (tmp_path / name).write_text(text.replace(str(recorded.folder), str(tmp_path)))
    shutil.copytree(recorded.folder / "policies", tmp_path / "policies")
    return tmp_path


@pytest.mark.parametrize("command", [("run",), ("explain", "web"), ("db", "verify"), ("settings", "show"), ("top",)])
def test_ten_mistakes_in_the_settings_are_ten_lines(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "podium.yaml").write_text(TEN_MISTAKES)
    done = podium(*command, at=tmp_path)
    refused(done, "podium: 10 mistakes", "did you mean lease?")
    lines = done.err.splitlines()[1:]
    assert all(line.startswith(f"{tmp_path}/podium.yaml:") for line in lines), done.err
    assert len(lines) == 10
    assert files(tmp_path) == {"podium.yaml"}


def test_an_unknown_setting_in_a_flag_is_answered_with_the_nearest(tmp_path: Path) -> None:
    refused(podium("settings", "show", "--set", "loop.intervall=30s", at=tmp_path), "did you mean interval?")


def test_a_setting_without_its_branch_is_answered_with_the_whole_name(tmp_path: Path) -> None:
    done = podium("settings", "show", "--set", "intervall=30s", at=tmp_path)
    refused(done, "did you mean loop.interval?")


def test_a_flag_without_a_value_says_what_one_looks_like(tmp_path: Path) -> None:
    refused(podium("run", "--set", "loop.interval", at=tmp_path), "expected PATH=VALUE, as in loop.interval=30s")


def test_a_token_that_could_be_guessed_is_refused_without_being_shown(laid: Path) -> None:
    before = files(laid)
    done = podium("run", "--set", "api.token=env:DOOR", at=laid, DOOR="letmein")
    refused(done, "flag api.token: api.token: expected a token of at least 16 characters; got 7 in env:DOOR")
    assert "letmein" not in done.err
    assert files(laid) == before


def test_a_variable_that_points_nowhere_is_named(tmp_path: Path) -> None:
    done = podium("explain", "web", at=tmp_path, PODIUM_CONFIG="gone.yaml")
    refused(done, "PODIUM_CONFIG: expected a settings file that is there; got ", "gone.yaml")
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("command", [("explain", "web"), ("replay",), ("db", "verify"), ("db", "info")])
def test_looking_into_a_missing_database_does_not_make_one(command: tuple[str, ...], laid: Path) -> None:
    before = files(laid)
    refused(podium(*command, at=laid), f"{laid}/podium.db: there is no database yet; `podium run` makes it")
    assert files(laid) == before


@pytest.mark.postgresql
def test_looking_into_an_empty_postgresql_makes_no_tables(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = str(request.getfixturevalue("postgresql").database())
    done = podium("explain", "web", "--set", f"database.url={url}", at=tmp_path)
    refused(done, "there is no ledger in this database yet; `podium run` makes it")
    database = Database.open(url)
    with database.read() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
    database.close()


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    done = podium("db", "info", "--set", f"database.url=sqlite:///{tmp_path}/here", at=tmp_path)
    refused(done, f"sqlite:///{tmp_path}/here is a directory; name a file in it")


def test_another_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "podium.db").write_text("these are notes, and no database" * 100)
    done = podium("db", "info", "--set", f"database.url=sqlite:///{tmp_path}/podium.db", at=tmp_path)
    refused(done, "is not a SQLite database; name another file")


@pytest.mark.parametrize("command", [("run",), ("explain", "web")])
def test_a_database_of_a_newer_version_is_left_alone(
    command: tuple[str, ...], laid: Path, recorded: Installation
) -> None:
    shutil.copy(recorded.folder / "podium.db", laid / "podium.db")
    with sqlite3.connect(laid / "podium.db") as connection:
        connection.execute("UPDATE podium_version SET version_num = '9999'")
    connection.close()
    before = (laid / "podium.db").read_bytes()
    refused(podium(*command, at=laid), "was written by a newer Podium (revision 9999;", "upgrade Podium")
    assert (laid / "podium.db").read_bytes() == before
    assert not (laid / "simulated-local.db").exists()


def test_a_read_only_directory_is_named_with_what_to_do(laid: Path) -> None:
    place = laid / "sealed"
    place.mkdir()
    place.chmod(0o555)
    done = podium("run", "--set", f"database.url=sqlite:///{place}/podium.db", at=laid, bound=True)
    place.chmod(0o755)
    refused(done, f"sqlite:///{place}/podium.db cannot be opened for writing", "give this user write access")
    assert list(place.iterdir()) == []


def test_a_port_in_use_is_named_with_the_way_to_another(laid: Path) -> None:
    before = files(laid)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = podium("run", "--listen", listen, at=laid)
    refused(done, f"podium: {listen} is in use by another program; choose another with `api.listen`", "--listen")
    assert files(laid) == before


def test_wrong_documents_stop_the_start(laid: Path) -> None:
    policies = laid / "policies" / "shop.yaml"
    policies.write_text(policies.read_text().replace("max: 500", "max: many", 1))
    before = files(laid)
    refused(podium("run", at=laid), f"podium: {policies}:12:22: spec.replicas.max:", 'got "many"')
    assert files(laid) == before


def test_a_secret_that_is_not_there_stops_the_start(laid: Path) -> None:
    (laid / "token").unlink()
    refused(podium("run", at=laid), f"{laid}/token: no secret can be read from it")


def test_an_answer_that_cannot_be_written_is_named(laid: Path) -> None:
    refused(podium("policy", "crds", "--output", laid / "no" / "crds.yaml", at=laid), "cannot be written")


def test_a_moment_without_a_zone_is_refused(laid: Path) -> None:
    refused(podium("explain", "web", "--at", "2026-03-02T06:00:00", at=laid), "has no time zone")
