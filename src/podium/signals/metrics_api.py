"""The metrics APIs of a cluster as a source: custom.metrics.k8s.io and external.metrics.k8s.io, as the HPA asks them.

A question names one metric of one namespace, as `Metric.query` writes it. Metrics of pods are asked for all pods of the
namespace at once; those of an object or of nothing in the cluster belong to the workload that asks.
"""

from __future__ import annotations

import asyncio
import datetime
from typing import Literal
from urllib.parse import quote, urlencode

import msgspec
import numpy as np

from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery
from podium.model.quantities import parse_milli
from podium.signals.source import Garbage, Permanent, Reading, Subject, Temporary

CUSTOM, EXTERNAL = "custom.metrics.k8s.io", "external.metrics.k8s.io"
_VERSIONS = ("v1beta2", "v1beta1")  # of the custom one: newer adapters serve both
_AT_ONCE = 16  # questions under way: a controller-manager has five
_FUTURE_SECONDS = 60.0


class Metric(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked. `selector` is a label selector of series, `of` the workload that a single value belongs to."""

    type: Literal["Pods", "Object", "External"]
    namespace: str
    name: str
    selector: str = ""
    object: tuple[str, str, str] | None = None  # group, kind and name of what is described
    of: tuple[str, str] | None = None  # kind and name of the workload

    def query(self) -> str:
        """As a source is asked: JSON."""
        return msgspec.json.encode(self).decode()


class _About(msgspec.Struct, frozen=True):
    """What a custom metric describes."""

    name: str = ""


class _Value(msgspec.Struct, frozen=True, rename="camel"):
    """One MetricValue or ExternalMetricValue."""

    value: str | int | float
    timestamp: datetime.datetime | None = None
    described_object: _About = _About()


class _Values(msgspec.Struct, frozen=True):
    """A list of them."""

    items: list[_Value] | None = None


class MetricsApiSource:
    """The metrics APIs of one cluster. The client is closed with it."""

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self._client = client
        self._discovery = Discovery(client)
        self._custom = ""  # the version of custom.metrics.k8s.io that is served, once it is known
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._subjects: dict[str, tuple[Subject, ...]] = {}

    async def read(self, query: str, now: float) -> Reading:
        """See the port."""
        metric = msgspec.json.decode(query, type=Metric)
        try:
            async with self._gate:
                answer = await self._client.get_path(await self._path(metric), _Values)
        except errors.Missing as error:
            self._custom = ""
            raise Permanent(str(error)) from error
        except errors.Temporary as error:
            kind = Garbage if "is not what the API promises" in str(error) else Temporary
            raise kind(str(error)) from error
        except errors.Permanent as error:
            raise Permanent(str(error)) from error
        return self._reading(query, metric, answer.items or [], now)

    async def close(self) -> None:
        """See the port."""
        await self._client.close()

    def _reading(self, query: str, metric: Metric, items: list[_Value], now: float) -> Reading:
        values, at = [self._number(one) for one in items], [_seconds(one, now) for one in items]
        if metric.type == "Pods":
            subjects = tuple(Subject(metric.namespace, "pod", one.described_object.name) for one in items)
        elif not items or metric.of is None:
            subjects, values, at = (), [], []
        else:
            # As the HPA: an external metric of several series is their sum, as old as the oldest.
            subjects, values, at = (Subject(metric.namespace, *metric.of),), [sum(values)], [min(at)]
        same = self._subjects.get(query)
        if same != subjects:
            same = self._subjects[query] = subjects
        return Reading(same, np.array(values, np.float64), np.array(at, np.float64))

    def _number(self, one: _Value) -> float:
        try:
            return parse_milli(str(one.value)) / 1000
        except ValueError as error:
            raise Garbage(f"{self._client.access.server}: {error}") from error

    async def _path(self, metric: Metric) -> str:
        if metric.type == "External":
            path = f"/apis/{EXTERNAL}/v1beta1/namespaces/{quote(metric.namespace)}/{quote(metric.name, safe='')}"
            return path + _asked(labelSelector=metric.selector)
        start = f"/apis/{CUSTOM}/{await self._version()}/namespaces/{quote(metric.namespace)}"
        about = "pods/*" if metric.object is None else await self._described(*metric.object)
        return f"{start}/{about}/{quote(metric.name, safe='')}" + _asked(metricLabelSelector=metric.selector)

    async def _described(self, group: str, kind: str, name: str) -> str:
        if not group and kind.lower() == "namespace":
            return "metrics"
        served = await self._discovery.find(group, kind)
        resource = f"{served.resource}.{group}" if group else served.resource
        return f"{resource}/{quote(name, safe='')}"

    async def _version(self) -> str:
        if not self._custom:
            group = await self._client.get_path(f"/apis/{CUSTOM}", objects.Group)
            there = {one.version for one in group.versions}
            self._custom = next((one for one in _VERSIONS if one in there), group.preferred_version.version)
        return self._custom


def _asked(**parameters: str) -> str:
    given = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _seconds(one: _Value, now: float) -> float:
    """When it was measured; an adapter whose clock is ahead of ours by less than a minute has measured now."""
    if one.timestamp is None:
        return now
    at = one.timestamp.timestamp()
    return now if now < at <= now + _FUTURE_SECONDS else at
