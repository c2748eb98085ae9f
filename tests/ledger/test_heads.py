"""The file of signed heads: private, bounded, and repaired after a crash."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from podium.ledger.entry import Draft
from podium.ledger.errors import Permanent
from podium.ledger.heads import Head, Heads
from podium.ledger.ledger import Ledger, _default_heads


def head(seq: int) -> Head:
    return Head(seq=seq, hash=bytes([seq % 256]) * 32, at_us=1_795_000_000_000_000 + seq)


def test_signed_heads_are_read_back_by_whoever_has_the_key(tmp_path: Path) -> None:
    heads = Heads(tmp_path / "state" / "heads")
    for seq in (1, 5):
        heads.sign(head(seq))
    assert Heads(tmp_path / "state" / "heads").read() == ([head(1), head(5)], [])


def test_file_key_and_folder_are_private(tmp_path: Path) -> None:
    heads = Heads(tmp_path / "state" / "heads")
    heads.sign(head(1))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (heads.path, heads.key_path, heads.path.parent)]
    assert modes == [0o600, 0o600, 0o700]
    assert sorted(path.name for path in heads.path.parent.iterdir()) == ["heads", "heads.key"]


def test_two_first_starts_end_with_one_key(tmp_path: Path) -> None:
    one, two = Heads(tmp_path / "heads"), Heads(tmp_path / "heads")
    one.prepare()
    two.prepare()
    one.sign(head(1))
    two.sign(head(2))
    assert one.read() == ([head(1), head(2)], [])


def test_a_line_cut_short_is_removed_by_the_next_one(tmp_path: Path) -> None:
    heads = Heads(tmp_path / "heads")
    heads.sign(head(1))
    with heads.path.open("ab") as file:
        file.write(b'{"seq": 2, "ha')
    assert heads.read() == ([head(1)], [])
    heads.sign(head(3))
    assert heads.read() == ([head(1), head(3)], [])


def test_the_file_stays_bounded_and_keeps_some_of_the_far_past(tmp_path: Path) -> None:
    heads = Heads(tmp_path / "heads")
    heads.sign(head(0))
    (line,) = heads.path.read_bytes().splitlines(keepends=True)
    heads.path.write_bytes(line * 4096)
    heads.sign(head(7))
    kept, troubles = heads.read()
    assert (len(kept), kept[0], kept[-1], troubles) == (3072 // 2 + 1024 + 1, head(0), head(7), [])


def test_heads_are_signed_at_most_so_often_and_at_the_end(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", head_seconds=3600)
    leadership = ledger.lead("one", 60)
    for at in range(5):
        ledger.append([Draft(kind="tick", at_us=at)], leadership)
    before = [signed.seq for signed in ledger.heads.read()[0]]
    ledger.close()
    assert (before, [signed.seq for signed in ledger.heads.read()[0]]) == ([1], [1, 5])


@pytest.mark.parametrize(
    "found", [b"", b"garbage\n", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_key_that_is_none_is_named_with_what_to_do(tmp_path: Path, found: bytes) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db")
    try:
        ledger.heads.path.touch()
        ledger.heads.key_path.write_bytes(found)
        with pytest.raises(Permanent, match=r"podium\.db\.heads\.key holds no Ed25519 key in PEM; put the one back"):
            ledger.lead("one", 60)
        with pytest.raises(Permanent, match=r"podium\.db\.heads\.key holds no Ed25519 key in PEM; put the one back"):
            ledger.verify()
    finally:
        ledger.close()


@dataclasses.dataclass
class Server:
    """A database without a file."""

    file: Path | None = None
    shown: str = "postgresql://podium@host/podium"


def test_the_heads_of_a_server_lie_where_state_belongs_unless_they_are_in_the_usual_place_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = _default_heads(Server(), None)  # type: ignore[arg-type]
    elsewhere = _default_heads(Server(), tmp_path / "xdg" / "podium")  # type: ignore[arg-type]
    assert (usual.parent, elsewhere) == (tmp_path / ".local/state/podium", tmp_path / "xdg" / "podium" / usual.name)
    usual.parent.mkdir(parents=True)
    usual.touch()
    assert _default_heads(Server(), tmp_path / "xdg" / "podium") == usual  # type: ignore[arg-type]
