"""explain, replay and db: what the ledger says, without a running Podium."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.cli.outside import podium
from tests.journeys.installation import Installation

from podium.loop.tell.view import Explanation


@pytest.fixture
def copied(recorded: Installation, tmp_path: Path) -> Path:
    """The installation's folder, to be spoilt. Its database lies where its settings say no more, so that is named."""
    for name in ("podium.db", "podium.db.heads", "podium.db.heads.key"):
        shutil.copy(recorded.folder / name, tmp_path / name)
    return tmp_path


def test_explain_says_the_answer_first_and_then_why(recorded: Installation) -> None:
    done = podium("explain", "web", at=recorded.folder)
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[0].startswith("web ")
    assert lines[0].endswith(".")
    assert "  1. " in done.out
    assert "load" in done.out
    assert "local/shop/deployment.apps/web" in lines[-1]


def test_explain_gives_machines_the_whole_explanation(recorded: Installation) -> None:
    answer = podium("explain", "shop/web", "-o", "json", at=recorded.folder).answer
    assert set(answer) == set(Explanation.__struct_fields__)
    assert answer["decision"]["key"] == "local/shop/deployment.apps/web"
    assert answer["decision"]["reasons"]


def test_explain_knows_the_past(recorded: Installation) -> None:
    newest = podium("explain", "web", "-o", "json", at=recorded.folder).answer["decision"]
    when = recorded_at(recorded, 3)
    then = podium("explain", "web", "-o", "json", "--at", when, at=recorded.folder).answer["decision"]
    assert (then["tick"], newest["tick"] > 3) == (3, True)


def test_before_the_first_turn_there_is_nothing_to_explain(recorded: Installation) -> None:
    done = podium("explain", "web", "--at", "2020-01-01T00:00:00Z", at=recorded.folder)
    assert (done.code, done.out) == (1, "")
    assert done.err == "podium: nothing is recorded at or before 2020-01-01T00:00:00Z\n"


def test_an_unknown_workload_is_bad_input(recorded: Installation) -> None:
    done = podium("explain", "shop/wep", at=recorded.folder)
    assert (done.code, done.out) == (2, "")
    assert "no workload 'shop/wep'; did you mean shop/web?" in done.err


def test_the_last_turn_is_decided_again_bit_for_bit(recorded: Installation) -> None:
    done = podium("replay", at=recorded.folder)
    assert done.code == 0
    assert "the same, bit for bit" in done.out
    assert "local/shop/deployment.apps/web" in done.out


def test_every_turn_is_decided_again_and_counted(recorded: Installation) -> None:
    answer = podium("replay", "--all", "-o", "json", at=recorded.folder).answer
    assert answer["turns"] == answer["identical"] >= 12
    assert answer["different"] == []
    assert answer["forecast_difference"] < 1e-4


def test_a_span_holds_its_two_ends(recorded: Installation) -> None:
    since, until = recorded_at(recorded, 4), recorded_at(recorded, 9)
    answer = podium("replay", "--all", "--since", since, "--until", until, "-o", "json", at=recorded.folder).answer
    assert (answer["turns"], answer["identical"]) == (6, 6)


def test_a_decision_that_was_changed_is_named_with_its_columns(recorded: Installation, copied: Path) -> None:
    change_decision(copied / "podium.db", turn=5)
    done = podium("replay", "--at", recorded_at(recorded, 5), *database(copied), at=copied)
    assert done.code == 1
    assert "NOT the same; different: replicas of the decision" in done.out
    every = podium("replay", "--all", *database(copied), "-o", "json", at=copied)
    assert (every.code, [row["turn"] for row in every.answer["different"]]) == (1, [5])


def test_replay_takes_either_a_moment_or_a_span(recorded: Installation) -> None:
    assert podium("replay", "--all", "--at", "2026-03-02T06:00:00Z", at=recorded.folder).code == 2
    assert podium("replay", "--since", "2026-03-02T06:00:00Z", at=recorded.folder).code == 2


def test_an_untouched_chain_is_verified(recorded: Installation) -> None:
    done = podium("db", "verify", "-o", "json", at=recorded.folder)
    answer = done.answer
    assert (done.code, answer["ok"], answer["findings"]) == (0, True, [])
    assert answer["signed_seq"] == answer["entries"]


def test_an_edited_entry_is_named(copied: Path) -> None:
    with sqlite3.connect(copied / "podium.db") as connection:
        connection.execute("UPDATE ledger_entry SET actor = 'somebody' WHERE seq = 7")
    connection.close()
    done = podium("db", "verify", *database(copied), at=copied)
    assert done.code == 1
    assert "entry 7 was edited" in done.out


def test_what_a_database_holds_is_counted_by_kind(recorded: Installation) -> None:
    answer = podium("db", "info", "-o", "json", at=recorded.folder).answer
    kinds = {row["kind"]: row for row in answer["kinds"]}
    assert kinds["turn"]["entries"] >= 12
    assert kinds["policies"]["entries"] == 1
    assert answer["bytes"] == sum(row["bytes"] for row in answer["kinds"]) > 0
    assert (answer["epoch"], answer["leader"]) == (1, None)


def test_looking_changes_nothing(copied: Path) -> None:
    before = (copied / "podium.db").read_bytes()
    for command in (("explain", "web"), ("replay",), ("db", "verify"), ("db", "info")):
        assert podium(*command, *database(copied), at=copied).code == 0
    assert (copied / "podium.db").read_bytes() == before


def test_an_answer_goes_to_a_file_when_asked(recorded: Installation, tmp_path: Path) -> None:
    done = podium("explain", "web", "--output", tmp_path / "answer", at=recorded.folder)
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "answer").read_text().startswith("web ")


def database(folder: Path) -> tuple[str, str]:
    return "--set", f"database.url=sqlite:///{folder}/podium.db"


def recorded_at(place: Installation, turn: int) -> str:
    """When a turn was, as people write it."""
    from podium.model import clock

    ledger = place.ledger()
    entry = ledger.latest("turn", subject=str(turn))
    ledger.close()
    assert entry is not None
    return clock.rfc3339(entry.at_us / 1e6)


def change_decision(file: Path, turn: int) -> None:
    """Write one replica more into a recorded decision, and make its chunk and digest whole again."""
    from podium.ledger.columns import pack, unpack

    with sqlite3.connect(file) as connection:
        asked = "SELECT seq, payload FROM ledger_entry WHERE kind = 'turn' AND subject = ?"
        seq, payload = connection.execute(asked, (str(turn),)).fetchone()
        meta, columns = unpack(payload)
        columns = {name: array.copy() for name, array in columns.items()}
        columns["decisions.replicas"][0] += 1
        changed = pack(meta, columns)
        digest = hashlib.sha256(changed).digest()
        connection.execute(
            "UPDATE ledger_entry SET payload = ?, payload_digest = ? WHERE seq = ?", (changed, digest, seq)
        )
    connection.close()
