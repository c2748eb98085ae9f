"""Signed heads outside the database: what the chain's last hash was, and when.

A chain proves its middle, not its end: whoever removes the last rows, or puts an older database in its place, leaves
a chain that is whole. So the leader signs `(seq, hash, at)` into a file beside the state after it commits. The
database may be ahead of the file (a process killed between the two), never behind it.

The key lies beside the file, readable by its owner alone. It proves nothing against that owner; copy the file to
another machine for that.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import struct
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_DOMAIN = b"podium.ledger.head.v1\0"
_MOST = 4096  # lines, about 1.2 MB; then every second one of the older lines goes
_NEWEST = 1024  # lines that thinning leaves alone


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The chain ended at entry `seq` with `hash` when it was signed, at `at_us` (Unix microseconds)."""

    seq: int
    hash: bytes
    at_us: int


class NoKey(ValueError):
    """The file of the key holds something else."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} holds no Ed25519 key in PEM; put the one back that signed "
            f"{path.with_suffix('').name}, or, if it is lost, move both files away: what they proved is then lost, too"
        )


class Heads:
    """The file of signed heads and its key. Raises OSError as the file system does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key_path = path.with_name(path.name + ".key")
        self._key: Ed25519PrivateKey | None = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make file and key at the first start. The file comes first: a key without a file means it was removed."""
        if self.key_path.exists():
            self._key = _read_key(self.key_path)
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._key = _make_key(self.key_path)

    def sign(self, head: Head) -> None:
        """Append one line and put it on the disk. Repeats nothing that the last line says already."""
        if self._key is None:
            self.prepare()
        line = _line(head, self._key)  # type: ignore[arg-type]
        with self._lock, self._opened() as file:
            lines = _whole_lines(file)
            if len(lines) >= _MOST:
                _replace(self.path, [*_thinned(lines), line])
                return
            os.ftruncate(file, sum(len(old) for old in lines))  # a line cut short by a crash or a full disk goes
            os.lseek(file, 0, os.SEEK_END)
            _write_all(file, line)
            os.fsync(file)

    def read(self) -> tuple[list[Head], list[str]]:
        """All heads whose signature holds, in file order, and a sentence for everything else."""
        if not self.key_path.exists():
            return [], [f"{self.path} cannot be checked, its key {self.key_path.name} is gone"] * self.path.exists()
        if not self.path.exists():
            return [], [f"{self.path} was removed: heads were signed there before"]
        key = _read_key(self.key_path)
        heads: list[Head] = []
        troubles: list[str] = []
        with self._opened() as file:
            lines = _whole_lines(file)
        for number, line in enumerate(lines, start=1):
            try:
                heads.append(_parse(line, key))
            except (ValueError, KeyError, TypeError, InvalidSignature, struct.error):
                troubles.append(f"{self.path}, line {number}: this is no head that our key signed; it was edited")
        return heads, troubles

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        """The file, held against other processes of this host: a leader that lost its place may still write."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file).st_ino != self.path.stat().st_ino:
                    continue  # thinned by another process while we waited: this one is no longer the file
                yield file
                return
            finally:
                os.close(file)


def _signed_bytes(head: Head) -> bytes:
    return _DOMAIN + struct.pack(">qq", head.seq, head.at_us) + head.hash


def _line(head: Head, key: Ed25519PrivateKey) -> bytes:
    fields = {
        "seq": head.seq,
        "hash": head.hash.hex(),
        "at": head.at_us,
        "signature": key.sign(_signed_bytes(head)).hex(),
    }
    return json.dumps(fields).encode() + b"\n"


def _parse(line: bytes, key: Ed25519PrivateKey) -> Head:
    fields: dict[str, Any] = json.loads(line)
    head = Head(seq=fields["seq"], hash=bytes.fromhex(fields["hash"]), at_us=fields["at"])
    key.public_key().verify(bytes.fromhex(fields["signature"]), _signed_bytes(head))
    return head


def _whole_lines(file: int) -> list[bytes]:
    size = os.fstat(file).st_size
    return [line for line in os.pread(file, size, 0).splitlines(keepends=True) if line.endswith(b"\n")]


def _thinned(lines: list[bytes]) -> list[bytes]:
    """Fewer old lines, so that the file stays bounded while the far past keeps some witnesses."""
    return lines[:-_NEWEST:2] + lines[-_NEWEST:]


def _replace(path: Path, lines: list[bytes]) -> None:
    fresh = path.with_name(path.name + ".new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_all(file, b"".join(lines))
        os.fsync(file)
    finally:
        os.close(file)
    fresh.replace(path)


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _make_key(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    # Written whole under another name and then linked: two first starts at once end with one and the same key.
    fresh = path.with_name(f"{path.name}.{sha256(pem).hexdigest()[:8]}")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _write_all(file, pem)
        os.fsync(file)
    finally:
        os.close(file)
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink()
    return _read_key(path)


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it asks for a password
        raise NoKey(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NoKey(path)
    return key
