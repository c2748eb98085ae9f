"""What is written to the ledger and what is read back."""

from __future__ import annotations

import dataclasses
import struct
from hashlib import sha256

from podium.model import identity

GENESIS = bytes(32)  # `previous` of entry 1
_DOMAIN = b"podium.ledger.entry.v1\0"  # no other use of SHA-256 can give the same bytes to digest
_TEXTS = ("kind", "subject", "tenant", "actor")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a writer hands over. Raises ValueError for what one of the databases could not hold unchanged."""

    kind: str  # 'tick', 'fleet', 'policies', 'checkpoint', 'event', 'verdict', 'command' …
    at_us: int  # Unix microseconds, int64
    subject: str = ""  # a workload key, a digest …
    tenant: str = ""
    actor: str = ""
    payload: bytes = b""

    def __post_init__(self) -> None:
        if not self.kind:
            raise ValueError("an entry needs a kind")
        if not -(1 << 63) <= self.at_us < 1 << 63:
            raise ValueError(f"at_us: {self.at_us} is no int64 of microseconds")
        for name in _TEXTS:
            text: str = getattr(self, name)
            if "\0" in text:
                raise ValueError(f"{name}: {text!r} holds a NUL character, which PostgreSQL cannot store")
            text.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One stored row. `payload` is b"" and `purged` is true once retention removed it; its digest stays."""

    seq: int  # 1, 2, 3 … without a gap
    id: str  # UUIDv7
    kind: str
    at_us: int
    subject: str
    tenant: str
    actor: str
    epoch: int  # of the leader that wrote it
    payload_digest: bytes  # SHA-256
    previous: bytes  # `hash` of the entry before; GENESIS for the first
    hash: bytes  # SHA-256 over everything above
    purged: bool
    payload: bytes


def chained(draft: Draft, *, seq: int, epoch: int, previous: bytes) -> Entry:
    """The entry that `draft` becomes behind `previous`."""
    entry = Entry(
        seq=seq,
        id=identity.new_id(max(draft.at_us, 0)),
        kind=draft.kind,
        at_us=draft.at_us,
        subject=draft.subject,
        tenant=draft.tenant,
        actor=draft.actor,
        epoch=epoch,
        payload_digest=sha256(draft.payload).digest(),
        previous=previous,
        hash=b"",
        purged=False,
        payload=draft.payload,
    )
    return dataclasses.replace(entry, hash=link(entry))


def link(entry: Entry, *, seq: int | None = None) -> bytes:
    """The hash that `entry` must carry: SHA-256(previous, every column, payload digest). `seq` tries another place.

    Texts go in as a 4-byte length and UTF-8, numbers as 8 bytes, all big-endian: no two rows give the same bytes.
    """
    digest = sha256(_DOMAIN + entry.previous)
    digest.update(struct.pack(">qqq", entry.seq if seq is None else seq, entry.at_us, entry.epoch))
    for text in (entry.id, entry.kind, entry.subject, entry.tenant, entry.actor):
        encoded = text.encode()
        digest.update(struct.pack(">I", len(encoded)) + encoded)
    digest.update(entry.payload_digest)
    return digest.digest()
