"""Columns <-> bytes: one compressed chunk for a tick's arrays, the same bytes for the same values.

    chunk  = "PDC1" zstd(length header arrays)
    length = 4 bytes, big-endian, of the header
    header = MessagePack {"meta": …, "columns": [[name, dtype, shape], …]}
    arrays = each in C order and little-endian, byte-shuffled

Byte-shuffling writes the first bytes of all elements, then the second ones …: neighbours of a fleet differ in their low
bytes and agree in the high ones, so zstd finds long runs. Nothing is pickled, and the frame's own checksum tells a
damaged chunk from a sound one.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from podium.model.arrays import Columns

_MAGIC = b"PDC1"
_LENGTH = struct.Struct(">I")
_LEVEL = 3
_MOST_BYTES = 1 << 30  # of one unpacked chunk: 100,000 workloads take 20 MB; a forged length may not take the memory
_KINDS = "fiubS"


def pack(meta: dict[str, Any], columns: Columns) -> bytes:
    """One chunk of `meta` (what MessagePack holds: None, bool, int64, float, str, bytes, list, dict) and `columns`.

    Arrays may have any shape, 0-d and empty ones included; dtypes are floats of 4 and 8 bytes, integers, bool and
    fixed-width bytes (S). The order of columns is kept. Raises TypeError for anything else, naming the column.
    """
    described = []
    bodies = []
    for name, column in columns.items():
        array = _plain(name, np.asarray(column))
        described.append([name, array.dtype.str, list(array.shape)])
        bodies.append(_shuffle(array))
    header = msgspec.msgpack.encode({"columns": described, "meta": meta}, order="deterministic")
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
    return _MAGIC + compressor.compress(b"".join([_LENGTH.pack(len(header)), header, *bodies]))


def unpack(payload: bytes) -> tuple[dict[str, Any], Columns]:
    """What `pack` was given, bit for bit. Raises ValueError that says what is wrong with a damaged chunk."""
    content = _decompress(payload)
    try:
        (size,) = _LENGTH.unpack_from(content)
        start = _LENGTH.size + size
        header = msgspec.msgpack.decode(content[_LENGTH.size : start], type=dict[str, Any])
        columns: Columns = {}
        for name, dtype, shape in header["columns"]:
            columns[name], start = _read(content, start, np.dtype(dtype), tuple(shape))
        meta = header["meta"]
    except (struct.error, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the chunk's header does not describe its content ({error}); it is corrupt") from error
    if start != len(content) or not isinstance(meta, dict):
        raise ValueError(f"the chunk holds {len(content) - start} bytes that no column claims; it is corrupt")
    return meta, columns


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """`array` in C order and little-endian."""
    if array.dtype.kind not in _KINDS or array.dtype.str[1:] in ("f2", "f16"):
        raise TypeError(f"column {name!r}: {array.dtype} cannot be stored; expected floats, integers, bool or bytes")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return little if little.flags.c_contiguous else little.copy(order="C")


def _shuffle(array: NDArray[Any]) -> bytes:
    raw = array.tobytes()
    width = array.dtype.itemsize
    if width < 2 or not raw:
        return raw
    return np.frombuffer(raw, np.uint8).reshape(-1, width).T.tobytes()


def _read(content: bytes, start: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[NDArray[Any], int]:
    """The column at `start`, an array of its own that may be written to, and where the next one begins."""
    if dtype.kind not in _KINDS or any(size < 0 for size in shape):
        raise ValueError(f"a column of {dtype} and shape {shape}")
    count = math.prod(shape)
    end = start + count * dtype.itemsize
    if end > len(content):
        raise ValueError(f"a column ends at byte {end} of {len(content)}")
    raw = np.frombuffer(content, np.uint8, end - start, start)
    if dtype.itemsize > 1:
        raw = raw.reshape(dtype.itemsize, count).T
    return np.ndarray(shape, dtype, buffer=bytearray(raw.tobytes())), end


def _decompress(payload: bytes) -> bytes:
    if payload[: len(_MAGIC)] != _MAGIC:
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
