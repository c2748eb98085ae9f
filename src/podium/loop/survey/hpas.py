"""What an HPA tells of itself: what its metrics ask for, and what keeps it from it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from podium.loop.evaluate.autoscaler import DEFAULT_METRICS, Metric, Target
from podium.loop.survey.objects import Current, CurrentMetric, Hpa, Quantity
from podium.model.quantities import parse_milli


def metrics(hpa: Hpa) -> list[Metric]:
    """Its metrics; the API server's default where nobody wrote one."""
    return hpa.spec.metrics or list(DEFAULT_METRICS)


def asked_for(hpa: Hpa) -> int | None:
    """Replicas that the metrics want together, before any limit; None as soon as one of them is not known."""
    told = hpa.status.current_metrics or []
    wanted = metrics(hpa)
    if not told or len(told) != len(wanted) or hpa.status.current_replicas < 1:
        return None
    out = []
    for metric, current in zip(wanted, told, strict=True):
        ratio = _ratio(metric, current)
        if ratio is None:
            return None
        out.append(math.ceil(round(hpa.status.current_replicas * ratio, 6)))
    return max(out)


def fullness(hpa: Hpa) -> Iterator[tuple[str, float]]:
    """Each metric that is known by name, over its target: 1.3 is 30 % above."""
    for metric, current in zip(metrics(hpa), hpa.status.current_metrics or [], strict=False):
        ratio = _ratio(metric, current)
        if ratio is not None:
            yield name_of(metric), ratio


def name_of(metric: Metric) -> str:
    """`cpu`, or what its metric is called."""
    for part in (metric.resource, metric.container_resource):
        if part is not None:
            return part.name
    for other in (metric.pods, metric.external, metric.object):
        if other is not None:
            return other.metric.name
    return metric.type


def _ratio(metric: Metric, current: CurrentMetric) -> float | None:
    pairs = (
        (metric.resource, current.resource),
        (metric.container_resource, current.container_resource),
        (metric.pods, current.pods),
        (metric.object, current.object),
        (metric.external, current.external),
    )
    for wanted, told in pairs:
        if wanted is not None and told is not None and metric.type == current.type:
            return _over(wanted.target, told.current)
    return None


def _over(target: Target, current: Current) -> float | None:
    if target.type == "Utilization":
        have, want = current.average_utilization, target.average_utilization
        return have / want if have is not None and want else None
    name = "value" if target.type == "Value" else "average_value"
    have_milli, want_milli = _milli(getattr(current, name)), _milli(getattr(target, name))
    return have_milli / want_milli if have_milli is not None and want_milli else None


def _milli(quantity: Quantity | None) -> int | None:
    try:
        return None if quantity is None else parse_milli(str(quantity))
    except ValueError:
        return None
