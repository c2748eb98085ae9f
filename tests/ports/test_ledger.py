"""What every ledger does, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from podium.ledger.entry import GENESIS, Draft
from podium.ledger.errors import Led, StaleLeader
from podium.ledger.ledger import Ledger
from podium.ledger.verification import Verification

Opener = Callable[[], Ledger]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/podium.db"
    return str(request.getfixturevalue("postgresql").database())


@pytest.fixture
def opened(url: str, tmp_path: Path) -> Iterator[Opener]:
    """Opens the one database of a test, as often as it wants to."""
    ledgers: list[Ledger] = []

    def open_again() -> Ledger:
        ledgers.append(Ledger.open(url, heads=tmp_path / "heads"))
        return ledgers[-1]

    yield open_again
    for ledger in ledgers:
        ledger.close()


def ticks(count: int, *, first: int = 0, kind: str = "tick") -> list[Draft]:
    return [Draft(kind=kind, at_us=first + index, payload=b"%d" % (first + index)) for index in range(count)]


def test_an_entry_comes_back_as_it_was_written_whoever_reads_it(opened: Opener) -> None:
    ledger = opened()
    draft = Draft(
        kind="command",
        at_us=1_795_000_000_000_001,
        subject="local/shop/deployment.apps/wéb",
        tenant="acme",
        actor="anna@acme",
        payload=bytes(range(256)),
    )
    (written,) = ledger.append([draft], ledger.lead("one", 60))
    (read,) = opened().entries(["command"])
    assert read == written
    assert (read.seq, read.epoch, read.previous, read.purged) == (1, 1, GENESIS, False)
    assert read.payload_digest == sha256(draft.payload).digest()
    assert [getattr(read, name) for name in Draft.__slots__] == [getattr(draft, name) for name in Draft.__slots__]


def test_entries_are_numbered_densely_and_each_holds_the_hash_of_the_one_before(opened: Opener) -> None:
    ledger = opened()
    leadership = ledger.lead("one", 60)
    written = [*ledger.append(ticks(3), leadership), *ledger.append(ticks(2), leadership)]
    assert [entry.seq for entry in written] == [1, 2, 3, 4, 5]
    assert [entry.previous for entry in written] == [GENESIS, *(entry.hash for entry in written[:-1])]
    assert len({entry.id for entry in written}) == 5


def test_a_batch_that_cannot_be_written_whole_is_not_written_at_all(opened: Opener) -> None:
    ledger = opened()
    leadership = ledger.lead("one", 60)
    mine = ledger.append(ticks(1), leadership)
    broken = ticks(1)[0]
    object.__setattr__(broken, "subject", None)
    with pytest.raises(Exception, match=r"subject|NoneType"):
        ledger.append([*ticks(2), broken], leadership)
    assert tuple(ledger.entries(["tick"])) == mine
    assert ledger.append(ticks(1), leadership)[0].seq == 2


def test_nothing_to_append_is_no_entry(opened: Opener) -> None:
    ledger = opened()
    assert ledger.append([], ledger.lead("one", 60)) == ()
    assert ledger.verify() == Verification(entries=0, signed_seq=None, findings=())


def test_the_latest_entry_is_found_by_kind_subject_and_moment(opened: Opener) -> None:
    ledger = opened()
    drafts = [
        Draft(kind=kind, at_us=at, subject=subject)
        for kind, at, subject in [
            ("tick", 10, ""),
            ("verdict", 11, "a"),
            ("verdict", 12, "b"),
            ("tick", 20, ""),
            ("verdict", 21, "a"),
        ]
    ]
    ledger.append(drafts, ledger.lead("one", 60))

    def seq(kind: str, subject: str | None = None, at: int | None = None) -> int | None:
        entry = ledger.latest(kind, subject=subject, at_or_before_us=at)
        return entry and entry.seq

    assert [seq("tick"), seq("tick", at=20), seq("tick", at=19), seq("tick", at=9)] == [4, 4, 1, None]
    assert [seq("verdict"), seq("verdict", "b"), seq("verdict", "a", 20), seq("verdict", "c")] == [5, 3, 2, None]


@pytest.mark.parametrize(
    ("asked", "seqs"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"descending": True}, [6, 5, 4, 3, 2, 1]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "descending": True}, [6, 5]),
        ({"limit": 0}, []),
        ({"since_us": 2, "until_us": 4}, [3, 4]),
        ({"after_seq": 4}, [5, 6]),
        ({"after_seq": 4, "descending": True}, [6, 5]),
        ({"subject": "b"}, [2, 4, 6]),
        ({"subject": "b", "since_us": 2, "descending": True, "limit": 1}, [6]),
    ],
)
def test_entries_of_several_kinds_come_in_the_order_they_were_appended(
    opened: Opener, asked: dict[str, object], seqs: list[int]
) -> None:
    ledger = opened()
    drafts = [Draft(kind="event" if at % 3 else "tick", at_us=at, subject="ab"[at % 2]) for at in range(6)]
    ledger.append([*drafts, Draft(kind="other", at_us=3, subject="b")], ledger.lead("one", 60))
    assert [entry.seq for entry in ledger.entries(["tick", "event", "tick"], **asked)] == seqs  # type: ignore[arg-type]


def test_more_entries_than_a_page_come_once_each_in_both_directions(opened: Opener) -> None:
    ledger = opened()
    ledger.append(
        [draft for pair in zip(ticks(130), ticks(130, kind="event"), strict=True) for draft in pair],
        ledger.lead("one", 60),
    )
    for descending in (False, True):
        seqs = [entry.seq for entry in ledger.entries(["tick", "event"], descending=descending)]
        assert seqs == sorted(range(1, 261), reverse=descending)
        assert len(list(ledger.entries(["tick"], descending=descending, limit=100))) == 100


def test_one_name_is_not_a_list_of_kinds(opened: Opener) -> None:
    with pytest.raises(TypeError, match="a sequence of names"):
        opened().entries("tick")


def test_a_reader_sees_what_was_there_when_it_began_and_blocks_no_writer(opened: Opener) -> None:
    ledger = opened()
    leadership = ledger.lead("one", 60)
    ledger.append(ticks(200), leadership)
    reading = opened().entries(["tick"])
    first = next(reading)
    ledger.append(ticks(200, first=200), leadership)
    assert [first.seq, *(entry.seq for entry in reading)] == list(range(1, 201))


def test_two_threads_append_while_another_reads(opened: Opener) -> None:
    ledger = opened()
    leadership = ledger.lead("one", 60)
    written: dict[str, list[int]] = {"a": [], "b": []}

    def append(kind: str) -> None:
        for at in range(40):
            written[kind] += [entry.seq for entry in ledger.append(ticks(2, first=2 * at, kind=kind), leadership)]

    threads = [threading.Thread(target=append, args=[kind]) for kind in written]
    for thread in threads:
        thread.start()
    seen = []
    while any(thread.is_alive() for thread in threads):
        seen.append([entry.seq for entry in ledger.entries(["a", "b"])])
    assert seen == [list(range(1, len(seqs) + 1)) for seqs in seen]
    assert sorted(itertools.chain(*written.values())) == list(range(1, 161))
    assert {kind: [entry.seq for entry in ledger.entries([kind])] for kind in written} == written
    assert ledger.verify() == Verification(entries=160, signed_seq=_signed(ledger), findings=())


def _signed(ledger: Ledger) -> int:
    return max(head.seq for head in ledger.heads.read()[0])


def test_while_one_leads_another_is_told_who_and_until_when(opened: Opener) -> None:
    opened().lead("one", 60)
    with pytest.raises(Led) as caught:
        opened().lead("two", 60)
    assert caught.value.who == "one"
    assert str(caught.value).startswith("one leads until 20")


def test_a_leader_that_could_not_release_its_lead_takes_it_again_at_once_under_a_later_epoch(opened: Opener) -> None:
    ledger = opened()
    lost = ledger.lead("one", 60)  # the database was locked when it should have been released
    again = ledger.lead("one", 60)
    assert again.epoch == lost.epoch + 1
    with pytest.raises(StaleLeader):
        ledger.append(ticks(1), lost)
    assert len(ledger.append(ticks(1), again)) == 1


def test_after_a_release_another_leads_at_once_under_a_later_epoch(opened: Opener) -> None:
    ledger, other = opened(), opened()
    first = ledger.lead("one", 60)
    first.release()
    second = other.lead("two", 60)
    assert (first.epoch, second.epoch) == (1, 2)
    first.release()  # too late to take anything from the second
    second.renew()
    for lost in (lambda: ledger.append(ticks(1), first), first.renew):
        with pytest.raises(StaleLeader, match="epoch 1 is over: epoch 2 leads now"):
            lost()
    assert [entry.epoch for entry in other.append(ticks(1), second)] == [2]
    assert len(list(ledger.entries(["tick"]))) == 1


def test_what_was_released_appends_nothing_more(opened: Opener) -> None:
    ledger = opened()
    leadership = ledger.lead("one", 60)
    leadership.release()
    with pytest.raises(StaleLeader, match="it was released"):
        ledger.append(ticks(1), leadership)


def test_a_term_that_is_over_can_be_taken_and_one_that_was_renewed_cannot(opened: Opener) -> None:
    ledger, other = opened(), opened()
    leadership = ledger.lead("one", 0.3)
    leadership._ttl_seconds = 60
    leadership.renew()
    with pytest.raises(Led):
        other.lead("two", 60)
    leadership._ttl_seconds = 0.1
    leadership.renew()
    threading.Event().wait(0.2)
    assert other.lead("two", 60).epoch == 2


def test_a_leader_whose_term_ended_unnoticed_goes_on_while_nobody_else_took_over(opened: Opener) -> None:
    ledger = opened()
    leadership = ledger.lead("one", 0.05)
    threading.Event().wait(0.1)
    assert not leadership.valid(leadership.deadline)
    assert ledger.append(ticks(1), leadership)[0].seq == 1


def test_the_term_is_counted_from_before_the_question(opened: Opener) -> None:
    leadership = opened().lead("one", 10)
    assert leadership.valid(leadership.deadline - 0.001)
    assert not leadership.valid(leadership.deadline)
    leadership.release()
    assert not leadership.valid(0)


def test_a_purge_removes_payloads_records_itself_and_keeps_the_chain_whole(opened: Opener) -> None:
    ledger = opened()
    before = ledger.append([*ticks(700), *ticks(1, kind="event")], ledger.lead("one", 60))
    assert ledger.purge("tick", 600) == 600
    after = tuple(ledger.entries(["tick", "event"]))
    assert [(entry.payload, entry.purged) for entry in after[:600]] == [(b"", True)] * 600
    assert after[600:] == before[600:]
    assert [entry.hash for entry in after] == [entry.hash for entry in before]
    (record,) = ledger.entries(["retention"])
    assert (record.seq, record.subject, record.payload) == (702, "tick", b'{"before_us": 600}')
    assert ledger.verify().findings == ()


def test_a_purge_that_finds_nothing_leaves_nothing(opened: Opener) -> None:
    ledger = opened()
    ledger.append([*ticks(2), Draft(kind="empty", at_us=0)], ledger.lead("one", 60))
    assert [ledger.purge("tick", 0), ledger.purge("none", 9), ledger.purge("empty", 9)] == [0, 0, 0]
    assert (ledger.purge("tick", 1), ledger.purge("tick", 1)) == (1, 0)
    assert ledger.verify().entries == 4


def test_another_start_finds_everything_and_continues_the_chain(opened: Opener) -> None:
    ledger = opened()
    leadership = ledger.lead("one", 60)
    ledger.append(ticks(3), leadership)
    leadership.release()
    ledger.close()
    again = opened()
    again.append(ticks(2, first=3), again.lead("one", 60))
    assert [entry.payload for entry in again.entries(["tick"])] == [b"0", b"1", b"2", b"3", b"4"]
    again.close()
    assert opened().verify() == Verification(entries=5, signed_seq=5, findings=())
