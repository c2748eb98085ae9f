"""Walks the chain and names what does not hold: pure, rows and heads in, findings out."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from podium.ledger.entry import GENESIS, Entry, link
from podium.ledger.heads import Head
from podium.model import clock

_NEIGHBOURS = 1000  # how far from its place a reordered row is looked for; 2 ms per suspect row


class Fault(enum.StrEnum):
    """What was done to the record."""

    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    REPLACED = "replaced"  # the rows are a whole chain, but another one than was signed
    HEADS = "heads"  # the file of signed heads itself


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold. `seq` is the first entry concerned; None: the file of heads."""

    seq: int | None
    fault: Fault
    sentence: str


@dataclasses.dataclass(frozen=True, slots=True)
class Verification:
    """The whole chain as walked: it is what was written when there is no finding."""

    entries: int
    signed_seq: int | None  # the newest entry that a signed head of this machine vouches for; None: no head here
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True when nothing was found."""
        return not self.findings


def walk(
    entries: Iterable[Entry],
    heads: Sequence[Head],
    troubles: Sequence[str],
    retention: Mapping[str, int],
    most: int = 100,
) -> Verification:
    """Check `entries` (all, by seq) against each other and against `heads`.

    `troubles` are sentences about the file of heads. `retention`: kind -> the latest recorded `before_us` of a purge.
    At most about `most` findings are named: after a few the story is clear.
    """
    findings = [Finding(None, Fault.HEADS, sentence) for sentence in troubles]
    wanted = {head.seq for head in heads}
    hashes: dict[int, bytes] = {}
    count, expected, previous, suspect = 0, 1, GENESIS, False
    for entry in entries:
        count += 1
        if entry.seq in wanted:
            hashes[entry.seq] = entry.hash
        found = _of_one(entry, retention)
        if entry.seq != expected:
            found.insert(0, _gap(expected, entry.seq))
        elif entry.previous != previous and not found and not suspect:
            found.append(_unfollowed(entry))  # both are whole in themselves: the one before was made anew
        suspect = bool(found)
        if len(findings) < most:
            findings += found
        expected, previous = entry.seq + 1, entry.hash
    findings += _against_heads(heads, hashes, last=expected - 1)
    return Verification(count, max(wanted, default=None), tuple(findings))


def _of_one(entry: Entry, retention: Mapping[str, int]) -> list[Finding]:
    findings = []
    if link(entry) != entry.hash:
        findings.append(_misplaced(entry) or _edited(entry, f"its columns ({entry.kind}) no longer give its hash"))
    if not entry.purged:
        if sha256(entry.payload).digest() != entry.payload_digest:
            findings.append(_edited(entry, f"its payload ({len(entry.payload)} bytes) is not the one recorded"))
    elif entry.payload:
        findings.append(_edited(entry, "it is marked as purged and yet has a payload"))
    elif entry.at_us >= retention.get(entry.kind, -(1 << 63)):
        sentence = f"entry {entry.seq} lost its payload, and no recorded purge of {entry.kind!r} reaches it"
        findings.append(Finding(entry.seq, Fault.DELETED, sentence))
    return findings


def _edited(entry: Entry, what: str) -> Finding:
    return Finding(entry.seq, Fault.EDITED, f"entry {entry.seq} was edited: {what}")


def _misplaced(entry: Entry) -> Finding | None:
    """The finding for a row that would be whole at another place."""
    for seq in range(max(1, entry.seq - _NEIGHBOURS), entry.seq + _NEIGHBOURS):
        if link(entry, seq=seq) == entry.hash:
            sentence = f"entry {entry.seq} was reordered: it was written as entry {seq}"
            return Finding(entry.seq, Fault.REORDERED, sentence)
    return None


def _gap(expected: int, found: int) -> Finding:
    if found == expected + 1:
        return Finding(expected, Fault.DELETED, f"entry {expected} was deleted")
    return Finding(expected, Fault.DELETED, f"entries {expected} to {found - 1} were deleted")


def _unfollowed(entry: Entry) -> Finding:
    before = entry.seq - 1
    sentence = (
        f"entry {before} was edited: entry {entry.seq} does not follow from it" if before else "entry 1 was edited"
    )
    return Finding(max(before, 1), Fault.EDITED, sentence)


def _against_heads(heads: Sequence[Head], hashes: Mapping[int, bytes], last: int) -> list[Finding]:
    findings = []
    other = [head for head in heads if head.seq in hashes and hashes[head.seq] != head.hash]
    if other:
        first = min(other, key=lambda head: head.seq)
        sentence = (
            f"entry {first.seq} is not the one signed at {clock.rfc3339(first.at_us / 1e6)}: "
            "it or an earlier one was rewritten, or the database was replaced"
        )
        findings.append(Finding(first.seq, Fault.REPLACED, sentence))
    furthest = max(heads, key=lambda head: head.seq, default=None)
    if furthest is not None and furthest.seq > last:
        sentence = (
            f"the ledger ends at entry {last}, but entry {furthest.seq} was signed at "
            f"{clock.rfc3339(furthest.at_us / 1e6)}: {furthest.seq - last} entries were cut off its end"
        )
        findings.append(Finding(last + 1, Fault.TRUNCATED, sentence))
    return findings
