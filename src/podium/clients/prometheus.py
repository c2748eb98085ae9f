"""Prometheus' HTTP API: instant and range queries, decoded into arrays. https://prometheus.io/docs/prometheus/latest/querying/api/"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Mapping
from typing import ClassVar

import aiohttp
import msgspec
import numpy as np

from podium.clients import http
from podium.clients.vectors import Arriving, Vector
from podium.model.arrays import Float64s

MOST_BYTES = 256 * 1024 * 1024  # about a million series
_LONGEST_GET = 2000  # characters of a query in an address; longer ones are sent as a form


class Silent(Exception):
    """No answer, or the server says that it cannot answer now (5xx, 429, its own timeout)."""


class Late(Silent):
    """The answer was not there in time."""


class Unusable(Exception):
    """An answer that is not Prometheus' own, is cut off or too large, or that Prometheus calls incomplete."""


class Refused(Exception):
    """The question is wrong or not allowed; the message holds Prometheus' own words."""


@dataclasses.dataclass(frozen=True, slots=True)
class Matrix:
    """The series of a range query over t even steps."""

    labels: tuple[bytes, ...]  # [m] as in Vector
    values: Float64s  # [t, m]; NaN where a series has no value


class _Run(msgspec.Struct):
    metric: msgspec.Raw
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct):
    result_type: str = msgspec.field(name="resultType")
    result: msgspec.Raw


class _Envelope(msgspec.Struct):
    status: str
    data: _Data | None = None
    error_type: str = msgspec.field(name="errorType", default="")
    error: str = ""
    warnings: list[str] = []
    infos: list[str] = []


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_RUNS = msgspec.json.Decoder(list[_Run])


def request_headers(
    accept: str, bearer: str, basic: tuple[str, str] | None, more: Mapping[str, str] | None
) -> dict[str, str]:
    """The headers of every request, credentials included. `basic` is (user, password)."""
    # Uncompressed: on one's own network inflating costs more than sending.
    headers = {"Accept": accept, "Accept-Encoding": "identity", **(more or {})}
    if basic is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    return headers


class Endpoint:
    """One address of a server: its limits and its connections, and what goes wrong there in the words above."""

    path: ClassVar[str]
    accept: ClassVar[str]
    always: ClassVar[Mapping[str, str]] = {}  # headers that every request carries, whatever was configured

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 5.0,
        most_bytes: int = MOST_BYTES,
        bearer: str = "",
        basic: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`url` may end in a path; `most_bytes` of an answer are read; `basic` is (user, password)."""
        self._url = url.rstrip("/") + self.path
        self.address = http.shown(self._url)  # for people: without credentials
        self._timeout_seconds = timeout_seconds
        self._most_bytes = most_bytes
        self._headers = request_headers(self.accept, bearer, basic, headers) | dict(self.always)
        self._session: aiohttp.ClientSession | None = None

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | bytes | None = None,
        sink: Callable[[bytes], None] | None = None,
    ) -> http.HttpAnswer:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers)
        try:
            return await http.ask(
                self._session,
                method,
                url,
                query=query,
                form=form,
                timeout_seconds=self._timeout_seconds,
                most_bytes=self._most_bytes,
                sink=sink,
            )
        except http.TooLate as error:
            raise Late(str(error)) from error
        except http.NoAnswer as error:
            raise Silent(str(error)) from error
        except http.TooLarge as error:
            raise Unusable(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await http.close(self._session)
            self._session = None


class PrometheusClient(Endpoint):
    """One server (or Thanos, Mimir, VictoriaMetrics: whatever speaks the same API)."""

    path = "/api/v1/query"  # and query_range
    accept = "application/json"

    async def instant(self, query: str, at: float, parameters: Mapping[str, str] | None = None) -> Vector:
        """All series of `query` as of `at` (Unix seconds). Raises Silent, Unusable or Refused."""
        wanted, arriving = {"query": query, "time": f"{at:.3f}", **(parameters or {})}, Arriving()
        try:
            success = await self._data("", wanted, arriving)
            if (kind := success.data.result_type) != "vector":
                raise Refused(f"{self.address}: the query answers a {kind}; expected a vector: a value per series")
            return arriving.close(success.data.result, success.notes)
        except (msgspec.DecodeError, ValueError) as error:
            raise Unusable(f"{self.address}: the answer holds something that is not a sample: {error}") from error

    async def range(
        self, query: str, start: float, step_seconds: float, steps: int, parameters: Mapping[str, str] | None = None
    ) -> Matrix:
        """All series of `query` at `start`, `start + step_seconds` …, `steps` times. Raises as `instant` does."""
        end = start + (steps - 1) * step_seconds
        times = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step_seconds:.3f}"}
        data = await self._data("_range", {"query": query, **times, **(parameters or {})})
        return _matrix(data, start, step_seconds, steps, self.address)

    async def _data(self, path: str, wanted: dict[str, str], arriving: Arriving | None = None) -> _Success:
        wanted["timeout"] = f"{self._timeout_seconds:g}"
        sink = None if arriving is None else arriving.take
        if len(wanted["query"]) > _LONGEST_GET:
            answer = await self._ask("POST", self._url + path, form=wanted, sink=sink)
        else:
            answer = await self._ask("GET", self._url + path, query=wanted, sink=sink)
        if arriving is not None and answer.status == 200:
            answer = dataclasses.replace(answer, body=arriving.rest())
        return _success(answer, self.address + path)


@dataclasses.dataclass(frozen=True, slots=True)
class _Success:
    data: _Data
    notes: tuple[str, ...]


def _success(answer: http.HttpAnswer, url: str) -> _Success:
    envelope = _envelope(answer, url)
    if envelope.status != "success" or envelope.data is None:
        words = f"{url}: {envelope.error_type or envelope.status}: {envelope.error or 'no data'}"
        if envelope.error_type in ("bad_data", "execution"):
            raise Refused(words)
        raise Silent(words)
    # Everything else warned of means that data is missing: a store that did not answer, a partial response.
    incomplete = [words for words in envelope.warnings if not words.startswith(("PromQL info", "PromQL warning"))]
    if incomplete:
        raise Unusable(f"{url}: the answer may be incomplete: {'; '.join(incomplete)}")
    return _Success(envelope.data, tuple(envelope.warnings + envelope.infos))


def _matrix(success: _Success, start: float, step_seconds: float, steps: int, url: str) -> Matrix:
    if (kind := success.data.result_type) != "matrix":
        raise Unusable(f"{url}_range: the answer is a {kind}; expected a matrix")
    try:
        runs = _RUNS.decode(success.data.result)
        values = np.full((steps, len(runs)), np.nan)
        for column, run in enumerate(runs):
            for at, number in run.values:
                row = round((at - start) / step_seconds)
                values[row if row >= 0 else steps, column] = float(number)  # before the start is outside, not the end
    except (msgspec.DecodeError, ValueError, IndexError) as error:
        raise Unusable(f"{url}_range: the answer holds something that was not asked for: {error}") from error
    return Matrix(tuple(bytes(one.metric) for one in runs), values)


def _envelope(answer: http.HttpAnswer, url: str) -> _Envelope:
    """Prometheus' own JSON, errors included, or the error that says what came instead."""
    came = f"{url}: HTTP {answer.status}"
    if 300 <= answer.status < 400:
        raise Refused(f"{came}, a redirect to {http.shown(answer.location)}, which is not followed")
    if answer.status in (401, 403):
        raise Refused(f"{came}: the credentials are {'missing or wrong' if answer.status == 401 else 'not enough'}")
    try:
        return _ENVELOPE.decode(answer.body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        start = " ".join(answer.body[:80].decode(errors="replace").split())
        words = f"{came}, {answer.content_type}, {len(answer.body)} bytes: {start!r}"
        if answer.status >= 500 or answer.status == 429:
            raise Silent(words) from error
        if answer.status >= 400:
            raise Refused(words) from error
        raise Unusable(f"{words} is not Prometheus' JSON ({error})") from error
