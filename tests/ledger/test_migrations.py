"""From every released revision, with rows in it, to this version, on both databases.

`released/<revision>.json` holds the rows as that revision's Podium wrote them; it is made once, at the release, and
never changed. It also pins the bytes that are hashed: a chain from then must verify now.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from podium.clients.database import Database
from podium.ledger import migrate, schema
from podium.ledger.entry import Draft
from podium.ledger.errors import Permanent
from podium.ledger.ledger import Ledger
from podium.model.identity import WorkloadKey
from podium.signals.history import schema as kept
from podium.signals.history.history import History

RELEASED = sorted(Path(__file__).parent.joinpath("released").glob("*.json"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/podium.db"
    return str(request.getfixturevalue("postgresql").database())


def history() -> list[str]:
    config = Config()
    config.set_main_option("script_location", "podium:ledger/migrations")
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def as_released(url: str, release: Path) -> None:
    """A database as `release` left it: its tables, its rows."""
    database = Database.open(url)
    with database.write() as connection:
        migrate.run(connection, database.shown, release.stem)
        for name, rows in json.loads(release.read_text()).items():
            connection.execute(sa.delete(sa.table(name)))
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            binary = {column.name for column in table.columns if isinstance(column.type, sa.LargeBinary)}
            for row in rows:
                values = {key: bytes.fromhex(value) if key in binary else value for key, value in row.items()}
                connection.execute(sa.insert(table).values(values))
    database.close()


def test_every_revision_has_released_rows_and_the_newest_is_the_one_the_code_expects() -> None:
    assert [release.stem for release in RELEASED] == history()
    assert history()[-1] == schema.REVISION


@pytest.mark.parametrize("release", RELEASED, ids=lambda path: path.stem)
def test_a_database_of_a_release_is_upgraded_with_its_rows_and_goes_on(url: str, release: Path, tmp_path: Path) -> None:
    as_released(url, release)
    rows = json.loads(release.read_text())
    ledger = Ledger.open(url, heads=tmp_path / "heads")
    assert ledger.verify().findings == ()
    assert [entry.hash.hex() for entry in ledger.entries(["tick", "event", "retention"])] == [
        row["hash"] for row in rows["ledger_entry"]
    ]
    leadership = ledger.lead("two", 60)
    assert leadership.epoch == rows["ledger_lease"][0]["epoch"] + 1
    assert ledger.append([Draft(kind="tick", at_us=9)], leadership)[0].seq == len(rows["ledger_entry"]) + 1
    assert ledger.verify().findings == ()
    ledger.close()


def test_kept_samples_of_a_release_are_read(url: str) -> None:
    as_released(url, RELEASED[1])
    database = Database.open(url)
    web = WorkloadKey.parse("local/shop/deployment.apps/web")
    found = History(database).read("requests", web, 0, 2e9)
    database.close()
    assert (found.at.tolist(), found.value.tolist()) == ([1795000000, 1795000120], [1.5, 2.5])


def test_the_migrated_tables_are_the_ones_that_statements_expect(url: str, tmp_path: Path) -> None:
    Ledger.open(url, heads=tmp_path / "heads").close()
    database = Database.open(url)
    with database.read() as connection:
        found = sa.inspect(connection)
        tables = dict(schema.metadata.tables) | dict(kept.metadata.tables)
        assert sorted(found.get_table_names()) == sorted([*tables, schema.VERSION_TABLE])
        for name, table in tables.items():
            columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
            assert columns == {column.name: bool(column.nullable) for column in table.columns}
            indexes = {
                str(index["name"]): index["column_names"]
                for index in found.get_indexes(name)
                if "duplicates_constraint" not in index
            }
            assert indexes == {index.name: [column.name for column in index.columns] for index in table.indexes}
    database.close()


def test_a_database_of_a_newer_version_is_refused_with_one_clear_sentence(url: str, tmp_path: Path) -> None:
    Ledger.open(url, heads=tmp_path / "heads").close()
    database = Database.open(url)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE podium_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(Permanent) as caught:
        Ledger.open(url, heads=tmp_path / "heads")
    assert str(caught.value) == (
        f"{url} was written by a newer Podium (revision 9999; this one knows up to {schema.REVISION}); "
        "upgrade Podium, or name another database"
    )
