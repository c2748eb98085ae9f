"""The Prometheus source: one instant query for the whole fleet; labels say whom each series measures.

A series belongs to what its labels name beside `namespace`: the pod if there is one, else the workload. Labels are
taken at their word and never guessed from names. An instant query's values carry the time of the evaluation: how old
the sample behind them is, is for Prometheus to bound (its staleness markers, and `lookback_seconds` where it is heard).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat

import msgspec
import numpy as np

from podium.clients import prometheus as clients
from podium.clients.prometheus import PrometheusClient, Refused, Silent, Unusable
from podium.clients.remote_read import RemoteReader, matchers_of
from podium.clients.vectors import Vector
from podium.model.arrays import UNKNOWN, Float64s, Int64s
from podium.signals.raw import raw_past
from podium.signals.source import Garbage, Late, Permanent, Reading, Subject, Temporary


class _Labels(msgspec.Struct):
    namespace: str = ""
    pod: str = ""
    deployment: str = ""
    statefulset: str = ""
    replicaset: str = ""
    workload: str = ""
    workload_type: str = ""  # the kind of `workload`, as the kubernetes-mixin's recording rules have it

    def subject(self) -> Subject | None:
        """Whom the series measures; None when it does not say."""
        if not self.namespace:
            return None
        for kind in ("pod", "deployment", "statefulset", "replicaset"):
            if name := getattr(self, kind):
                return Subject(self.namespace, kind, name)
        if self.workload:
            return Subject(self.namespace, self.workload_type.lower() or "workload", self.workload)
        return None


def subject_of(labels: Mapping[str, str]) -> Subject | None:
    """Whom a series with these labels measures; None when they do not say."""
    return msgspec.convert(labels, _Labels).subject()


POINTS_AT_ONCE = 1_000_000  # of a range query: about 25 MB on the wire
STEPS_AT_ONCE = 10_000  # Prometheus refuses more than 11,000 points per series

_LABELS = msgspec.json.Decoder(_Labels)


_NEW = Subject("", "", "")  # no series has this one


class _Names:
    """Whom labels name, decoded once and shared by all queries: most of them speak of the same pods or workloads."""

    def __init__(self) -> None:
        self._known: dict[bytes, Subject | None] = {}

    def of(self, labels: tuple[bytes, ...]) -> list[Subject | None]:
        """[m] the subject of each; None where the labels name none."""
        found = list(map(self._known.get, labels, repeat(_NEW)))
        for row in [row for row, subject in enumerate(found) if subject is _NEW]:
            found[row] = self._known[labels[row]] = _LABELS.decode(labels[row]).subject()
        return found

    def keep(self, seen: Iterable[_Seen]) -> None:
        """Forget what none of these names, once it is as much again."""
        live = [one.labels for one in seen]
        if len(self._known) > 2 * sum(map(len, live)):
            self._known = {label: self._known[label] for labels in live for label in labels}


class _Seen:
    """The series of a query's last answer, to be recognised in the next one: in any order, and without decoding."""

    def __init__(self, labels: tuple[bytes, ...], names: _Names) -> None:
        self.labels = labels
        self._rows = dict(zip(labels, range(len(labels)), strict=True))
        if len(self._rows) < len(labels):
            twice = next(one for row, one in enumerate(labels) if self._rows[one] != row).decode(errors="replace")
            raise _Twice(f"the answer holds the same series twice: {twice[:200]}")
        found = names.of(labels)
        self.placed = np.array([row for row, subject in enumerate(found) if subject is not None], np.int64)
        self.subjects = tuple(subject for subject in found if subject is not None)

    def order_of(self, labels: tuple[bytes, ...]) -> Int64s | None:
        """[m] where each of our series stands in `labels`; None unless they are the same ones in another order."""
        if len(labels) != len(self.labels):
            return None
        rows = np.fromiter(map(self._rows.get, labels, repeat(UNKNOWN)), np.int64, len(labels))
        order = np.full(len(labels), UNKNOWN, np.int64)
        order[rows[rows >= 0]] = np.flatnonzero(rows >= 0)
        return order if (order >= 0).all() else None


class _Twice(Exception):
    """One series, two values."""


class PrometheusSource:
    """A Source over one server. Whoever makes it hands in the client and closes both through `close`."""

    def __init__(
        self,
        name: str,
        client: PrometheusClient,
        *,
        lookback_seconds: float | None = None,
        reader: RemoteReader | None = None,
    ) -> None:
        self.name = name
        self._client = client
        self._reader = reader  # for the past of plain selectors; None: it comes by range queries, too
        self._parameters = {} if lookback_seconds is None else {"lookback_delta": f"{lookback_seconds:g}"}
        self._seen: dict[str, _Seen] = {}
        self._names = _Names()

    async def read(self, query: str, now: float) -> Reading:
        """The query's vector at `now`. Raises Temporary, Garbage or Permanent with the URL and what came."""
        with self._errors(query):
            vector = await self._client.instant(query, now, self._parameters)
            seen, values, at = self._recognised(query, vector)
        unplaced = len(values) - len(seen.subjects)
        if unplaced:
            values, at = values[seen.placed], at[seen.placed]
        return Reading(seen.subjects, values, at, unplaced, vector.notes)

    def _recognised(self, query: str, vector: Vector) -> tuple[_Seen, Float64s, Float64s]:
        """The series of an answer, and its values and times in their order."""
        seen = self._seen.get(query)
        if seen is not None and seen.labels == vector.labels:
            return seen, vector.values, vector.at
        if seen is not None and (order := seen.order_of(vector.labels)) is not None:
            return seen, vector.values[order], vector.at[order]
        seen = self._seen[query] = _Seen(vector.labels, self._names)
        self._names.keep(self._seen.values())
        return seen, vector.values, vector.at

    async def past(self, query: str, at: Float64s, stale_after_seconds: float) -> tuple[tuple[Subject, ...], Float64s]:
        """See the port `Past`. `at` rises in even steps, else ValueError.

        A plain selector is read raw, where the server lets itself be read. Everything else comes by range queries; a
        server that knows no `lookback_delta` (2.42 does not) takes values for fresh during its own five minutes.
        """
        step = float(at[1] - at[0]) if len(at) > 1 else 1.0
        if not np.allclose(np.diff(at), step, rtol=0, atol=1e-3) or step <= 0:
            raise ValueError("the past is asked for in even, rising steps")
        with self._errors(query):
            if (found := await self._raw_past(query, at, stale_after_seconds)) is None:
                found = await self._asked_past(query, at, step, stale_after_seconds)
            labels, values = found
            subjects = [_LABELS.decode(one).subject() for one in labels]
        placed = [column for column, subject in enumerate(subjects) if subject is not None]
        return tuple(subject for subject in subjects if subject is not None), values[:, placed]

    async def _raw_past(
        self, query: str, at: Float64s, stale_after_seconds: float
    ) -> tuple[list[bytes], Float64s] | None:
        """None for what is no plain selector, and of a server that cannot be read."""
        matchers = matchers_of(query) if self._reader is not None else None
        if self._reader is None or matchers is None:
            return None
        try:
            return await raw_past(self._reader, matchers, at, stale_after_seconds)
        except Refused:
            return None  # what is wrong with the question itself, a range query says in PromQL's words

    async def _asked_past(
        self, query: str, at: Float64s, step: float, stale_after_seconds: float
    ) -> tuple[list[bytes], Float64s]:
        parameters = {"lookback_delta": f"{stale_after_seconds:g}"}
        columns: dict[bytes, int] = {}
        blocks: list[tuple[int, list[int], Float64s]] = []
        row, rows, most = 0, min(60, len(at)), STEPS_AT_ONCE
        while row < len(at):
            rows = min(rows, len(at) - row)
            try:
                matrix = await self._client.range(query, float(at[row]), step, rows, parameters)
            except Refused as error:
                if "too many samples" not in str(error) or rows == 1:
                    raise
                rows = max(1, rows // 4)  # the server counts what it loads for a rate, not what it answers
                most = rows
                continue
            places = [columns.setdefault(labels, len(columns)) for labels in matrix.labels]
            blocks.append((row, places, matrix.values))
            row += rows
            rows = max(1, min(most, POINTS_AT_ONCE // max(len(columns), 1)))
        values = np.full((len(at), len(columns)), np.nan)
        for row, places, block in blocks:
            values[row : row + len(block), places] = block
        return list(columns), values

    @contextlib.contextmanager
    def _errors(self, query: str) -> Iterator[None]:
        """The client's errors in the port's words."""
        try:
            yield
        except clients.Late as error:
            raise Late(str(error)) from error
        except Silent as error:
            raise Temporary(str(error)) from error
        except Unusable as error:
            raise Garbage(str(error)) from error
        except Refused as error:
            raise Permanent(f"{error} (query: {query[:200]})") from error
        except _Twice as error:
            raise Garbage(f"{self._client.address}: {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Garbage(f"{self._client.address}: labels that are not text: {error}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        if self._reader is not None:
            await self._reader.close()
