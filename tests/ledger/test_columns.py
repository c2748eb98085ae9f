"""A chunk gives back what was packed, bit for bit, or says that it is damaged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from podium.ledger.columns import pack, unpack

DTYPES = st.sampled_from(["<f8", "<f4", "<i8", "<i4", "<i2", "i1", "?", "S1", "S7", ">f8", ">i4"]).map(np.dtype)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
COLUMNS = st.dictionaries(st.text(max_size=8), arrays.arrays(DTYPES, SHAPES), max_size=4)
META = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)


def bits(columns: dict[str, np.ndarray]) -> dict[str, tuple[object, ...]]:
    """NaN differs from itself; bytes do not."""
    little = {name: column.astype(column.dtype.newbyteorder("<")) for name, column in columns.items()}
    return {name: (column.dtype, column.shape, column.tobytes()) for name, column in little.items()}


@given(META, COLUMNS)
def test_what_is_packed_comes_back_bit_for_bit_in_the_same_order(meta, columns) -> None:
    same, restored = unpack(pack(meta, columns))
    assert same == meta
    assert bits(restored) == bits(columns)
    assert list(restored) == list(columns)


def test_a_nan_keeps_its_payload_and_a_zero_its_sign() -> None:
    patterns = np.array([0x7FF8_0000_0000_0001, 0xFFF0_0000_0000_0BAD, 1 << 63], np.uint64)
    _, restored = unpack(pack({}, {"x": patterns.view(np.float64)}))
    assert restored["x"].view(np.uint64).tolist() == patterns.tolist()


def test_views_and_other_memory_orders_pack_as_what_they_show() -> None:
    table = np.arange(24).reshape(4, 6)
    columns = {"turned": table.T, "thinned": table[::2, ::-1], "fortran": np.asfortranarray(table)}
    assert bits(unpack(pack({}, columns))[1]) == bits(columns)


def test_the_same_values_give_the_same_bytes() -> None:
    columns = {"x": np.arange(1000.0)}
    assert pack({"b": 1, "a": 2}, columns) == pack({"a": 2, "b": 1}, {"x": np.arange(1000.0)})


def test_a_restored_column_may_be_written_to() -> None:
    restored = unpack(pack({}, {"x": np.zeros(2)}))[1]["x"]
    restored[0] = 1
    assert restored.tolist() == [1, 0]


@pytest.mark.parametrize(
    "column", [np.array(["text"]), np.array([{}]), np.array([1], "M8[s]"), np.array([1], "f2"), np.array([1j])]
)
def test_a_column_of_another_type_is_refused_by_name(column: np.ndarray) -> None:
    with pytest.raises(TypeError, match=r"column 'odd': .* cannot be stored"):
        pack({}, {"fine": np.zeros(1), "odd": column})


def test_a_chunk_cut_anywhere_is_called_corrupt() -> None:
    chunk = pack({"tick": 1}, {"x": np.arange(50), "y": np.zeros(3)})
    for length in range(len(chunk)):
        with pytest.raises(ValueError, match=r"chunk"):
            unpack(chunk[:length])


def test_a_flipped_bit_anywhere_is_found() -> None:
    chunk = pack({"tick": 1}, {"x": np.arange(50), "y": np.zeros(3)})
    original = unpack(chunk)
    for position in range(len(chunk) * 8):
        damaged = bytearray(chunk)
        damaged[position // 8] ^= 1 << position % 8
        try:
            meta, columns = unpack(bytes(damaged))
        except ValueError:
            continue
        # Some bits of a zstd frame's own header mean nothing; then nothing may have changed.
        assert (meta, bits(columns)) == (original[0], bits(original[1]))


@pytest.mark.parametrize("garbage", [b"", b"PDC1", b"PDC1" + bytes(40), b"\x80\x04K\x01.", b"PDC1garbage" * 9])
def test_garbage_is_no_chunk(garbage: bytes) -> None:
    with pytest.raises(ValueError, match="chunk"):
        unpack(garbage)


def test_a_forged_size_takes_no_memory() -> None:
    import zstandard

    forged = b"PDC1" + zstandard.ZstdCompressor(write_content_size=True).compress(bytes((1 << 30) + 1))
    assert len(forged) < 200_000
    with pytest.raises(ValueError, match="claims to hold 1073741825 bytes"):
        unpack(forged)


FLEET = {
    "moments": np.array([1_800_000_015.0, 1_800_000_030.0, np.nan, 1_800_000_000.0] * 100),
    "cores": np.array([5, 1017, 250, 33] * 100) / 1000,
    "rates": np.random.default_rng(1).uniform(0, 100, 400),
    "zeros": np.array([0.0, -0.0, 1.0, 2.0] * 100),
    "unknown": np.array([-1, 4, 7, -1] * 100, np.int64),
    "ends": np.array([-(1 << 63), (1 << 63) - 1] * 200, np.int64),
    "near_the_end": np.array([(1 << 63) - 3, (1 << 63) - 1] * 200, np.int64),
    "scraped": np.full(400, 1_800_000_010.25),
    "nothing": np.full(400, np.nan),
    "odd_nan": np.array([0x7FF8_0000_0000_0001, 0] * 200, np.uint64).view(np.float64),
    "vast": np.array([1e300, np.inf, 0.0, 1.0] * 100),
}


@pytest.mark.parametrize("name", FLEET)
def test_a_column_of_a_fleet_comes_back_bit_for_bit(name: str) -> None:
    columns = {name: FLEET[name], "table": FLEET[name].reshape(4, 100)}
    assert bits(unpack(pack({}, columns))[1]) == bits(columns)


def test_what_a_fleet_has_in_common_is_written_once() -> None:
    from podium.ledger.encoding import encoded

    written = {name: (form.how, form.stored, len(body)) for name, (form, body) in
               ((name, encoded(name, column)) for name, column in FLEET.items())}  # fmt: skip
    assert written == {
        "moments": ("counts", "|u1", 400),
        "cores": ("decimals", "<u2", 800),
        "rates": ("plain", "", 3200),
        "zeros": ("plain", "", 3200),
        "unknown": ("counts", "|u1", 400),
        "ends": ("plain", "", 3200),
        "near_the_end": ("counts", "|u1", 400),
        "scraped": ("alike", "", 8),
        "nothing": ("alike", "", 8),
        "odd_nan": ("plain", "", 3200),
        "vast": ("plain", "", 3200),
    }


def test_a_chunk_of_the_first_version_is_read() -> None:
    import struct

    import msgspec
    import zstandard

    header = msgspec.msgpack.encode({"columns": [["x", "<i2", [3]]], "meta": {"tick": 7}})
    body = struct.pack(">I", len(header)) + header + bytes([1, 2, 3, 0, 0, 1])
    assert str(unpack(b"PDC1" + zstandard.ZstdCompressor().compress(body))) == str(
        ({"tick": 7}, {"x": np.array([1, 2, 259], np.int16)})
    )
