"""A picture of the documentation shows something: it is no placeholder."""

from __future__ import annotations

import pathlib
import struct
import zlib

import pytest
from tests.docs.pages import ROOT

LEAST_BYTES = 20_000  # 1200 x 700 pixels of one colour take 3,501
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*"))


def faults(picture: bytes) -> list[str]:
    """What is wrong with a PNG file: too small, or of one colour."""
    if not picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return ["is no PNG file"]
    small = [] if len(picture) >= LEAST_BYTES else [f"has {len(picture)} bytes, fewer than {LEAST_BYTES}"]
    return small + ([] if different_rows(picture) > 1 else ["is of one colour"])


def different_rows(picture: bytes) -> int:
    """How many different rows there are as they lie in the file, the first row and the first column left out.

    A row is stored plain or as what differs from its neighbours: in one colour each row but the first is like the next.
    """
    place, data, width, height = 8, b"", 0, 0
    while place < len(picture):
        length, kind = struct.unpack(">I4s", picture[place : place + 8])
        body = picture[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        data += body if kind == b"IDAT" else b""
        place += length + 12
    raw = zlib.decompress(data)
    stride = len(raw) // height
    pixel = max((stride - 1) // width, 1)
    return len({raw[row * stride + 1 + pixel : (row + 1) * stride] for row in range(1, height)})


def png(width: int, height: int, rows: bytes) -> bytes:
    """An RGB picture of filtered `rows`."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_shows_something(path: pathlib.Path) -> None:
    assert faults(path.read_bytes()) == []


def test_there_is_a_picture_of_the_page() -> None:
    assert ROOT / "docs" / "pictures" / "page.png" in PICTURES


def test_one_colour_a_few_bytes_and_another_kind_of_file_are_found() -> None:
    plain = png(100, 100, b"".join(b"\0" + b"\x20\x40\x60" * 100 for _ in range(100)))
    stripes = png(100, 100, b"".join(b"\0" + bytes([row, 0, 0]) * 100 for row in range(100)))
    assert (faults(plain), faults(stripes)) == (["is of one colour"], [])
    assert faults(png(2, 2, bytes(14))) == ["has 82 bytes, fewer than 20000", "is of one colour"]
    assert faults(b"GIF89a") == ["is no PNG file"]
