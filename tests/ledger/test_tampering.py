"""Whatever is done to the rows behind the ledger's back is found, and named by row and by kind."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.ledger.entry import Draft
from podium.ledger.errors import Permanent
from podium.ledger.ledger import Ledger
from podium.ledger.verification import Finding, Verification

Row = tuple[int | None, str]


def written(folder: Path, count: int = 9, *, payload: bytes = b"payload") -> Path:
    """A closed ledger of `count` entries."""
    ledger = Ledger.open(f"sqlite:///{folder}/podium.db", head_seconds=0)
    leadership = ledger.lead("one", 60)
    for at in range(count):
        ledger.append([Draft(kind="tick", at_us=at, actor="podium", payload=payload)], leadership)
    leadership.release()
    ledger.close()
    return folder / "podium.db"


def verified(file: Path) -> Verification:
    ledger = Ledger.open(f"sqlite:///{file}")
    try:
        return ledger.verify()
    finally:
        ledger.close()


def tampered(file: Path, *statements: str) -> list[Finding]:
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return list(verified(file).findings)


def named(findings: list[Finding]) -> list[Row]:
    return [(finding.seq, str(finding.fault)) for finding in findings]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET payload = x'00' WHERE seq = 4",
        "UPDATE ledger_entry SET payload = substr(payload, 2) WHERE seq = 4",
        "UPDATE ledger_entry SET payload = x'' WHERE seq = 4",
    ],
)
def test_an_edited_payload_is_never_read_as_if_it_were_the_record(statement: str, tmp_path: Path) -> None:
    tampered(written(tmp_path), statement)
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db")
    assert [entry.seq for entry in itertools.islice(ledger.entries(["tick"]), 3)] == [1, 2, 3]
    for ask in (lambda: list(ledger.entries(["tick"])), lambda: ledger.latest("tick", at_or_before_us=3)):
        with pytest.raises(Permanent, match=r"^Entry 4 \(tick\) of sqlite:.* is damaged"):
            ask()
    ledger.close()


def test_an_untouched_ledger_has_no_findings_and_every_entry_is_signed(tmp_path: Path) -> None:
    assert verified(written(tmp_path)) == Verification(entries=9, signed_seq=9, findings=())


SWAP = ("UPDATE ledger_entry SET seq = -4 WHERE seq = 4", "UPDATE ledger_entry SET seq = 4 WHERE seq = 5",
        "UPDATE ledger_entry SET seq = 5 WHERE seq = -4")  # fmt: skip


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["UPDATE ledger_entry SET actor = 'nobody' WHERE seq = 3"], [(3, "edited")]),
        (["UPDATE ledger_entry SET at_us = at_us + 1 WHERE seq = 3"], [(3, "edited")]),
        (["UPDATE ledger_entry SET epoch = 7 WHERE seq = 1"], [(1, "edited")]),
        (["UPDATE ledger_entry SET id = 'x' WHERE seq = 9"], [(9, "edited")]),
        (["UPDATE ledger_entry SET payload = x'00' WHERE seq = 3"], [(3, "edited")]),
        (["UPDATE ledger_entry SET payload = x'' WHERE seq = 3"], [(3, "edited")]),
        (["UPDATE ledger_entry SET payload = x'', purged = 1 WHERE seq = 3"], [(3, "deleted")]),
        (["UPDATE ledger_entry SET purged = 1 WHERE seq = 3"], [(3, "edited")]),
        (["UPDATE ledger_entry SET hash = zeroblob(32) WHERE seq = 3"], [(3, "edited"), (3, "replaced")]),
        (["UPDATE ledger_entry SET previous = zeroblob(32) WHERE seq = 3"], [(3, "edited")]),
        (["DELETE FROM ledger_entry WHERE seq = 1"], [(1, "deleted")]),
        (["DELETE FROM ledger_entry WHERE seq = 5"], [(5, "deleted")]),
        (["DELETE FROM ledger_entry WHERE seq IN (2, 3, 6)"], [(2, "deleted"), (6, "deleted")]),
        (["DELETE FROM ledger_entry WHERE seq > 7"], [(8, "truncated")]),
        (["DELETE FROM ledger_entry"], [(1, "truncated")]),
        (SWAP, [(4, "reordered"), (5, "reordered"), (4, "replaced")]),
    ],
)
def test_what_was_done_to_which_row_is_named(tmp_path: Path, statements: list[str], found: list[Row]) -> None:
    assert named(tampered(written(tmp_path), *statements)) == found


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE ledger_entry SET payload = x'00' WHERE seq = 3",
         "entry 3 was edited: its payload (1 bytes) is not the one recorded"),
        ("DELETE FROM ledger_entry WHERE seq BETWEEN 4 AND 6", "entries 4 to 6 were deleted"),
        ("UPDATE ledger_entry SET payload = x'', purged = 1 WHERE seq = 3",
         "entry 3 lost its payload, and no recorded purge of 'tick' reaches it"),
    ],
)  # fmt: skip
def test_a_finding_reads_as_a_sentence(tmp_path: Path, statement: str, sentence: str) -> None:
    assert [finding.sentence for finding in tampered(written(tmp_path), statement)] == [sentence]


def rewritten(file: Path, count: int) -> None:
    """Replace the database, heads left alone, by another ledger of `count` entries that is whole in itself."""
    other = file.parent / "other"
    shutil.copy(written(other, count, payload=b"forged"), file)


@pytest.mark.parametrize(
    ("count", "found"),
    [(9, [(1, "replaced")]), (4, [(1, "replaced"), (5, "truncated")]), (0, [(1, "truncated")])],
)
def test_a_whole_chain_that_is_another_one_is_found_by_the_signed_heads(
    tmp_path: Path, count: int, found: list[Row]
) -> None:
    file = written(tmp_path)
    rewritten(file, count)
    assert named(list(verified(file).findings)) == found


def test_an_older_copy_of_the_database_is_a_truncated_one_even_after_it_went_on(tmp_path: Path) -> None:
    file = written(tmp_path, 4)
    shutil.copy(file, tmp_path / "copy")
    written(tmp_path, 5)
    shutil.copy(tmp_path / "copy", file)
    assert named(list(verified(file).findings)) == [(5, "truncated")]
    written(tmp_path, 8)
    assert named(list(verified(file).findings)) == [(5, "replaced")]


def test_a_purge_covers_no_row_of_another_kind_and_none_that_is_younger(tmp_path: Path) -> None:
    file = written(tmp_path)
    ledger = Ledger.open(f"sqlite:///{file}")
    assert ledger.purge("tick", 4) == 4
    ledger.close()
    assert verified(file).findings == ()
    emptied = "UPDATE ledger_entry SET payload = x'', purged = 1 WHERE seq IN (5, 6)"
    assert named(tampered(file, emptied)) == [(5, "deleted"), (6, "deleted")]


def _edit(lines: list[str]) -> list[str]:
    return [line.replace('"seq": 2', '"seq": 3') for line in lines]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_edit, [(None, "heads")]),
        (lambda lines: [*lines[:2], "garbage\n", *lines[2:]], [(None, "heads")]),
        (lambda lines: [*lines, '{"seq": 9, "hash'], []),  # cut short by a crash: normal
        (lambda lines: lines[:-3], []),  # the database is ahead, as after a kill: normal
    ],
)
def test_an_edited_file_of_heads_is_named_and_a_short_one_is_normal(
    tmp_path: Path, change: Callable[[list[str]], list[str]], found: list[Row]
) -> None:
    file = written(tmp_path)
    heads = tmp_path / "podium.db.heads"
    heads.write_text("".join(change(heads.read_text().splitlines(keepends=True))))
    assert named(list(verified(file).findings)) == found


def test_a_removed_file_of_heads_and_a_removed_key_are_named(tmp_path: Path) -> None:
    file = written(tmp_path)
    (tmp_path / "podium.db.heads").rename(tmp_path / "kept")
    (found,) = verified(file).findings
    assert found.sentence == f"{tmp_path}/podium.db.heads was removed: heads were signed there before"
    (tmp_path / "kept").rename(tmp_path / "podium.db.heads")
    (tmp_path / "podium.db.heads.key").unlink()
    (found,) = verified(file).findings
    assert found.sentence.endswith("cannot be checked, its key podium.db.heads.key is gone")


def test_findings_are_many_but_not_endless(tmp_path: Path) -> None:
    file = written(tmp_path, 110)
    assert len(tampered(file, "UPDATE ledger_entry SET payload = x'01'")) == 100
