"""What a workload of the running loop will need: its row and its newest forecast as a prediction."""

from __future__ import annotations

from podium.loop.needs import Prediction, predict
from podium.loop.tell.view import Band, WorkloadRow


def of_workload(row: WorkloadRow, band: Band | None, at: float, horizon_seconds: float, threshold: float) -> Prediction:
    """The answer for a workload of a running loop, from its newest forecast."""
    return predict(
        row.key,
        at,
        {} if band is None else _largest(band, at, horizon_seconds),
        load=row.load,
        capacity=row.capacity_per_replica,
        replicas=row.replicas,
        horizon_seconds=horizon_seconds,
        threshold=threshold,
        trusted=row.trusted,
        maximum=row.maximum,
    )


def _largest(band: Band, at: float, horizon_seconds: float) -> dict[str, float | None]:
    """The largest of each quantile until the horizon; the nearest one where none lies within."""
    inside = [row for row, moment in enumerate(band.at) if at <= moment <= at + horizon_seconds + 1.0]
    ahead = [row for row, moment in enumerate(band.at) if moment >= at]
    rows = inside or ahead[:1]
    out: dict[str, float | None] = {}
    for level, curve in band.quantiles.items():
        values = [value for row in rows if (value := curve[row]) is not None]
        out[level] = max(values, default=None)
    return out
