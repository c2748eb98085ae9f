"""Columns <-> bytes: one compressed chunk for a tick's arrays, the same bytes for the same values.

    chunk  = "PDC2" zstd(length header arrays)
    length = 4 bytes, big-endian, of the header
    header = MessagePack {"meta": …, "columns": [[name, dtype, shape, how, stored, base], …]}
    arrays = each in C order and little-endian, written as `encoding` says

"PDC1", of earlier versions, knows name, dtype and shape alone: every array is byte-shuffled. Nothing is pickled, and
the frame's own checksum tells a damaged chunk from a sound one.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from podium.ledger import encoding
from podium.ledger.encoding import Form
from podium.model.arrays import Columns

_MAGIC, _FIRST = b"PDC2", b"PDC1"
_LENGTH = struct.Struct(">I")
_LEVEL = 1  # 3 leaves 93 % of the bytes in 125 % of the time; below 1 they grow by a fifth
_MOST_BYTES = 1 << 30  # of one unpacked chunk: 100,000 workloads take 20 MB; a forged length may not take the memory
_KINDS = "fiubS"


def pack(meta: dict[str, Any], columns: Columns) -> bytes:
    """One chunk of `meta` (what MessagePack holds: None, bool, int64, float, str, bytes, list, dict) and `columns`.

    Arrays may have any shape, 0-d and empty ones included; dtypes are floats of 4 and 8 bytes, integers, bool and
    fixed-width bytes (S). The order of columns is kept. Raises TypeError for anything else, naming the column.
    """
    written = [encoding.encoded(name, _plain(name, np.asarray(column))) for name, column in columns.items()]
    described = [list(form) for form, _ in written]
    header = msgspec.msgpack.encode({"columns": described, "meta": meta}, order="deterministic")
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
    content = b"".join([_LENGTH.pack(len(header)), header, *(body for _, body in written)])
    return _MAGIC + compressor.compress(content)


def unpack(payload: bytes) -> tuple[dict[str, Any], Columns]:
    """What `pack` was given, bit for bit. Raises ValueError that says what is wrong with a damaged chunk."""
    content = _decompress(payload)
    try:
        (size,) = _LENGTH.unpack_from(content)
        start = _LENGTH.size + size
        header = msgspec.msgpack.decode(content[_LENGTH.size : start], type=dict[str, Any])
        forms = _forms(header["columns"], first=payload.startswith(_FIRST))
        columns: Columns = {}
        for form in forms:
            columns[form.name], start = _read(content, start, form)
        meta = header["meta"]
    except (struct.error, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the chunk's header does not describe its content ({error}); it is corrupt") from error
    if start != len(content) or not isinstance(meta, dict):
        raise ValueError(f"the chunk holds {len(content) - start} bytes that no column claims; it is corrupt")
    return meta, columns


def _forms(described: list[list[Any]], *, first: bool) -> list[Form]:
    """How every column was written. Raises ValueError when they claim more memory than any chunk takes."""
    forms = [Form(one[0], one[1], one[2], encoding.PLAIN) if first else Form(*one) for one in described]
    claimed = sum(form.elements * np.dtype(form.dtype).itemsize for form in forms)
    if claimed > 2 * _MOST_BYTES:
        raise ValueError(f"its columns claim to hold {claimed} bytes")
    return forms


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """`array` in C order and little-endian."""
    if array.dtype.kind not in _KINDS or array.dtype.str[1:] in ("f2", "f16"):
        raise TypeError(f"column {name!r}: {array.dtype} cannot be stored; expected floats, integers, bool or bytes")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return little if little.flags.c_contiguous else little.copy(order="C")


def _read(content: bytes, start: int, form: Form) -> tuple[NDArray[Any], int]:
    """The column at `start`, an array of its own that may be written to, and where the next one begins."""
    if np.dtype(form.dtype).kind not in _KINDS:
        raise ValueError(f"a column of {form.dtype}")
    end = start + form.written_bytes
    if end > len(content):
        raise ValueError(f"a column ends at byte {end} of {len(content)}")
    return encoding.decoded(form, np.frombuffer(content, np.uint8, end - start, start)), end


def _decompress(payload: bytes) -> bytes:
    if payload[: len(_MAGIC)] not in (_MAGIC, _FIRST):
        raise ValueError(f"not a chunk of columns: it begins with {payload[:4]!r}, expected {_MAGIC!r}")
    frame = payload[len(_MAGIC) :]
    try:
        size = zstandard.get_frame_parameters(frame).content_size
        if not 0 <= size <= _MOST_BYTES:
            raise ValueError(f"the chunk claims to hold {size} bytes; it is corrupt")
        content = zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(f"the chunk of {len(payload)} bytes is truncated or corrupt ({error})") from error
    if len(content) != size:
        raise ValueError(f"the chunk holds {len(content)} bytes of {size}; it is truncated")
    return content
