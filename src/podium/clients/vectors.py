"""The answer to an instant query, decoded while it arrives: a block of series at a time, into arrays.

100,000 series are 10 to 20 MB. Decoded at the end they would stop everything else for a fifth of a second; in blocks no
stop is longer than some milliseconds, what is decoded is not kept as text, and most of it is done while the server
still writes.
"""

from __future__ import annotations

import dataclasses
import math
from operator import attrgetter

import msgspec
import numpy as np

from podium.model.arrays import Float64s

BLOCK_BYTES = 256 * 1024  # decoded at once: about 2,000 series, 2 ms

_BEGIN = b'"result":[{"metric":'  # of the first series; what lies before it is the envelope's head
_BETWEEN = b'"]},{"metric":'  # inside text both quotes would be escaped, so this is always between two series
_HEAD_BYTES = 4096  # a head that is longer is not Prometheus'; such an answer is decoded whole


@dataclasses.dataclass(frozen=True, slots=True)
class Vector:
    """The series of an instant query, a row each."""

    labels: tuple[bytes, ...]  # each series' labels as the JSON object that was sent
    values: Float64s  # NaN and infinities are legal
    at: Float64s  # Unix seconds
    notes: tuple[str, ...]  # what PromQL remarked


class _Point(msgspec.Struct, frozen=True, array_like=True, gc=False):
    at: float
    value: float


class _Sample(msgspec.Struct, frozen=True, gc=False):
    metric: msgspec.Raw
    value: _Point = _Point(math.nan, math.nan)  # native histograms have `histogram` instead


class _Spelled(msgspec.Struct, frozen=True, array_like=True, gc=False):
    at: float
    value: str


class _SpelledSample(msgspec.Struct, frozen=True, gc=False):
    metric: msgspec.Raw
    value: _Spelled = _Spelled(math.nan, "NaN")


# Numbers come as text. msgspec reads them itself, but for `+Inf`; then Python's float does.
_SAMPLES = msgspec.json.Decoder(list[_Sample], strict=False)
_SPELLED = msgspec.json.Decoder(list[_SpelledSample])
_METRIC, _VALUE, _AT = attrgetter("metric"), attrgetter("value.value"), attrgetter("value.at")


class Arriving:
    """What has come so far. `take` every part, then decode `rest` as the envelope and `close` with its last series."""

    def __init__(self) -> None:
        self._head = b""
        self._rest = bytearray()
        self._labels: list[bytes] = []
        self._values: list[Float64s] = []
        self._at: list[Float64s] = []

    def take(self, part: bytes) -> None:
        """The next bytes. Raises msgspec.DecodeError or ValueError for a series that is none."""
        self._rest += part
        if len(self._rest) < BLOCK_BYTES:
            return
        if not self._head:
            found = self._rest.find(_BEGIN, 0, _HEAD_BYTES)
            if found < 0:
                return
            begin = found + _BEGIN.index(b"{")
            self._head = bytes(self._rest[:begin])
            del self._rest[:begin]
        cut = self._rest.rfind(_BETWEEN)
        if cut > 0:
            end = cut + _BETWEEN.index(b",")
            self._decode(b"[" + self._rest[:end] + b"]")
            del self._rest[: end + 1]

    def rest(self) -> bytes:
        """The envelope with the series that are not decoded yet."""
        return self._head + bytes(self._rest)

    def close(self, series: bytes | msgspec.Raw, notes: tuple[str, ...]) -> Vector:
        """The vector, with the last `series` (a JSON list). Raises as `take` does."""
        self._decode(series)
        return Vector(tuple(self._labels), np.concatenate(self._values), np.concatenate(self._at), notes)

    def _decode(self, series: bytes | bytearray | msgspec.Raw) -> None:
        try:
            samples = _SAMPLES.decode(series)
        except msgspec.ValidationError:
            spelled = _SPELLED.decode(series)
            samples = [_Sample(one.metric, _Point(one.value.at, float(one.value.value))) for one in spelled]
        self._labels += map(bytes, map(_METRIC, samples))
        self._values.append(np.fromiter(map(_VALUE, samples), np.float64, len(samples)))
        self._at.append(np.fromiter(map(_AT, samples), np.float64, len(samples)))
