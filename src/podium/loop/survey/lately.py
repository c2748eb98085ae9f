"""What a Prometheus tells of single pods over the last day: how often they were throttled, and their most memory."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from podium.clients.prometheus import PrometheusClient
from podium.signals.prometheus import PrometheusSource
from podium.signals.promql import matchers
from podium.signals.source import Permanent

Pod = tuple[str, str]  # namespace, name
CONTAINERS = 'container!="",container!="POD"'  # neither a pod's own sum nor its pause container
LONGEST_SECONDS = 86_400  # a range over every pod for longer takes a Prometheus more than it is worth


@dataclasses.dataclass(frozen=True, slots=True)
class Lately:
    """By pod, over `seconds`; nothing where no Prometheus was asked."""

    seconds: int = 0
    throttled: Mapping[Pod, float] = dataclasses.field(default_factory=dict)  # share of CPU periods
    memory: Mapping[Pod, int] = dataclasses.field(default_factory=dict)  # bytes, the most of each container together
    missing: tuple[str, ...] = ()


async def read(client: PrometheusClient, until: float, minutes: int, namespace: str) -> Lately:
    """Ask for the last of `minutes`, at most a day. Raises Temporary where the server does not answer."""
    source, seconds = PrometheusSource("lately", client), min(minutes * 60, LONGEST_SECONDS)
    where = matchers(CONTAINERS, f'namespace="{namespace}"' if namespace else "")
    periods = [
        f"sum by (namespace, pod) (increase(container_cpu_cfs_{name}_total{{{where}}}[{seconds}s]))"
        for name in ("throttled_periods", "periods")
    ]
    memory = f"max_over_time(container_memory_working_set_bytes{{{where}}}[{seconds}s])"
    queries = (f"{periods[0]} / ({periods[1]} > 0)", f"sum by (namespace, pod) ({memory})")
    found: list[dict[Pod, float]] = []
    missing = []
    for query in queries:
        try:
            reading = await source.read(query, until)
        except Permanent as error:
            missing.append(str(error))
            found.append({})
            continue
        pairs = zip(reading.subjects, reading.values.tolist(), strict=True)
        found.append({(one.namespace, one.name): value for one, value in pairs if math.isfinite(value)})
    throttled, most = found
    return Lately(seconds, throttled, {pod: round(value) for pod, value in most.items()}, tuple(missing))
