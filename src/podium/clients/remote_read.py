"""Prometheus' remote read: raw samples of plain selectors, as protobuf in snappy. The fast way to days of history.

3.6 million samples take about a second, where range queries as JSON take five. Only the response type SAMPLES is asked
for: STREAMED_XOR_CHUNKS would be unpacked bit by bit, which Python does a hundred times slower than it sends.
https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from podium.clients import http, messages
from podium.clients.prometheus import Endpoint, Refused, Silent, Unusable
from podium.model.arrays import Float64s, Int64s


class Operator(enum.IntEnum):
    """How a matcher compares; the numbers are those on the wire."""

    EQUAL = 0
    NOT_EQUAL = 1
    MATCHES = 2
    MATCHES_NOT = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label."""

    label: str
    operator: Operator
    value: str


@dataclasses.dataclass(frozen=True, slots=True)
class Samples:
    """One series as it was stored: times rise; a NaN says that the series had ended or was never a number."""

    labels: bytes  # as the JSON object that a query would answer
    at: Float64s  # Unix seconds
    value: Float64s


_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_TEXT = r'"(?:[^"\\\n]|\\["\\])*"|\'(?:[^\'\\\n]|\\[\'\\])*\''
_ONE = re.compile(rf"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*({_TEXT})\s*")
_SELECTOR = re.compile(rf"\s*({_NAME})?\s*(?:\{{(.*)\}})?\s*", re.DOTALL)
_OPERATORS = {"=": Operator.EQUAL, "!=": Operator.NOT_EQUAL, "=~": Operator.MATCHES, "!~": Operator.MATCHES_NOT}


def matchers_of(query: str) -> tuple[Matcher, ...] | None:
    """The matchers of a plain selector such as `load{job="web"}`; None when `query` is anything else.

    A selector with an offset, a range or an escape beyond quotes and backslashes counts as anything else.
    """
    found = _SELECTOR.fullmatch(query)
    if found is None or not (found[1] or found[2]):
        return None
    out = [Matcher("__name__", Operator.EQUAL, found[1])] if found[1] else []
    rest = (found[2] or "").strip()
    while rest:
        one = _ONE.match(rest)
        if one is None:
            return None
        out.append(Matcher(one[1], _OPERATORS[one[2]], re.sub(r"\\(.)", r"\1", one[3][1:-1])))
        rest = rest[one.end() :]
        if rest and not rest.startswith(","):
            return None
        rest = rest[1:].strip()
    return tuple(out) if out else None


class RemoteReader(Endpoint):
    """The remote read endpoint of one server. `most_bytes` bounds an answer unpacked."""

    path = "/api/v1/read"
    accept = "application/x-protobuf"
    always: ClassVar[Mapping[str, str]] = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Read-Version": "0.1.0",
    }

    async def read(self, matchers: Sequence[Matcher], start: float, end: float) -> list[Samples]:
        """All samples of the series that match, with times from `start` to `end` (Unix seconds).

        Raises Silent, Unusable or Refused: a server that has no remote read refuses, too.
        """
        import cramjam

        asked = bytes(cramjam.snappy.compress_raw(_request(matchers, start, end)))
        answer = await self._ask("POST", self._url, form=asked)
        return list(_series(self._unpacked(answer), self.address))

    def _unpacked(self, answer: http.HttpAnswer) -> bytes:
        import cramjam

        if answer.status != 200:
            words = " ".join(answer.body[:200].decode(errors="replace").split())
            kind = Silent if answer.status >= 500 or answer.status == 429 else Refused
            raise kind(f"{self.address}: HTTP {answer.status}: {words}")
        try:
            # The length stands at the front; what unpacks to more than allowed is not unpacked.
            if (size := cramjam.snappy.decompress_raw_len(answer.body)) > self._most_bytes:
                raise Unusable(
                    f"{self.address}: the answer is larger than {self._most_bytes:,} bytes unpacked ({size:,})"
                )
            return bytes(cramjam.snappy.decompress_raw(answer.body))
        except cramjam.DecompressionError as error:
            came = f"HTTP {answer.status}, {answer.content_type}, {len(answer.body)} bytes"
            raise Unusable(f"{self.address}: {came}, is not snappy ({error})") from error


def _request(matchers: Sequence[Matcher], start: float, end: float) -> bytes:
    query = _messages()["Query"](start_timestamp_ms=round(start * 1000), end_timestamp_ms=round(end * 1000))
    for one in matchers:
        query.matchers.add(type=int(one.operator), name=one.label, value=one.value)
    return bytes(_messages()["ReadRequest"](queries=[query]).SerializeToString())


def _series(content: bytes, url: str) -> Iterator[Samples]:
    from google.protobuf.message import DecodeError

    try:
        answer = _messages()["ReadResponse"].FromString(content)
        for result in answer.results:
            for one in result.timeseries:
                labels = json.dumps({label.name: label.value for label in one.labels}, separators=(",", ":"))
                yield Samples(labels.encode(), *_rising(one.samples))
    except (DecodeError, ValueError) as error:
        raise Unusable(f"{url}: the answer is not a read response ({error})") from error


def _rising(encoded: Sequence[bytes]) -> tuple[Float64s, Float64s]:
    at, value = decoded(encoded)
    if (np.diff(at) < 0).any():
        raise ValueError("times that do not rise")
    return at, value


def decoded(encoded: Sequence[bytes]) -> tuple[Float64s, Float64s]:
    """Times (Unix seconds) and values of encoded Sample messages: those of one length are decoded together.

    A value is a tag (9) and 8 bytes, and is left out when it is zero; a time is a tag (16) and a varint. Raises
    ValueError for what is neither.
    """
    at, value = np.empty(len(encoded)), np.zeros(len(encoded))
    sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
    for size in np.unique(sizes).tolist():
        rows = np.flatnonzero(sizes == size)
        table = np.frombuffer(b"".join([encoded[row] for row in rows.tolist()]), np.uint8).reshape(len(rows), size)
        begin = 0
        if size and (table[:, 0] == 9).all() and size >= 9:
            value[rows] = np.ascontiguousarray(table[:, 1:9]).view("<f8")[:, 0]
            begin = 9
        at[rows] = _varints(table[:, begin:]) / 1000
    return at, value


def _varints(table: np.ndarray[Any, np.dtype[np.uint8]]) -> Int64s:
    """[k] the times in rows of a tag and a varint of one length."""
    width = table.shape[1] - 1
    if width == -1:
        return np.zeros(len(table), np.int64)  # the epoch itself, which is left out
    bits = table[:, 1:].astype(np.uint64)
    ends = (bits[:, :-1] >= 128).all() and (bits[:, -1:] < 128).all()
    if not 1 <= width <= 10 or not (table[:, 0] == 16).all() or not ends:
        raise ValueError("a sample that is neither a value nor a time")
    out = np.zeros(len(table), np.uint64)
    for place in range(width):
        out |= (bits[:, place] & np.uint64(127)) << np.uint64(7 * place)
    return out.view(np.int64)


@functools.cache
def _messages() -> dict[str, Any]:
    """The messages of prometheus/prompb/remote.proto and types.proto that are spoken here.

    Samples are declared as bytes, which look the same on the wire: decoded together, they take a tenth of the time.
    """
    return messages.built(
        "podium.wire",
        {
            "LabelMatcher": [("type", 1, "int32"), ("name", 2, "string"), ("value", 3, "string")],
            "Query": [
                ("start_timestamp_ms", 1, "int64"),
                ("end_timestamp_ms", 2, "int64"),
                ("matchers", 3, "[]LabelMatcher"),
            ],
            "ReadRequest": [("queries", 1, "[]Query")],
            "Label": [("name", 1, "string"), ("value", 2, "string")],
            "TimeSeries": [("labels", 1, "[]Label"), ("samples", 2, "[]bytes")],
            "QueryResult": [("timeseries", 1, "[]TimeSeries")],
            "ReadResponse": [("results", 1, "[]QueryResult")],
        },
    )
