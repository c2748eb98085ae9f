"""A judged recording as SVG: the series with its episodes above, the scores below."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import numpy as np

from podium.foresight.anomalies.recording import Judgement
from podium.loop.drawing import page, round_steps
from podium.model.arrays import Float64s, Int64s

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP = 64, 26, 92
MIDDLE, LOWER, BOTTOM = 300, 324, 390  # the series ends, the scores begin and end
COLUMNS = WIDTH - LEFT - RIGHT
STYLE = """\
  .load { stroke: #1b2430; fill: none } .episode { fill: #b4552d; opacity: .22 } .score { stroke: #b4552d; fill: none }
  .alarm { stroke: #8a94a0; stroke-dasharray: 3 3 } .small { font-size: 11px }
  @media (prefers-color-scheme: dark) {
    .load { stroke: #e8edf3 } .episode { fill: #e08a5f; opacity: .3 } .score { stroke: #e08a5f }
  }"""


def draw(name: str, at: Float64s, values: Float64s, judged: Judgement) -> str:
    """The drawing as SVG text. A column of it shows the lowest and the highest of its rows, so nothing is lost."""
    first, last = float(at.min()), float(at.max())
    span = max(last - first, 1.0)
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    column = np.minimum((at - first) / span * COLUMNS, COLUMNS - 1).astype(np.int64)
    parts = [*_axes(first, span, low, high)]
    for one in judged.episodes:
        x, end = (LEFT + (moment - first) / span * COLUMNS for moment in (one.begin, one.end))
        said = f"{one.kind or 'not over yet'}, {one.severity}, score {one.peak:.2f}"
        place = f'x="{x - 1:.1f}" y="{TOP}" width="{max(end - x, 0) + 2:.1f}" height="{MIDDLE - TOP}"'
        parts.append(f'<rect class="episode" {place}><title>{said}</title></rect>')
    parts.append(_path("load", column, values, lambda value: MIDDLE - (value - low) / (high - low) * (MIDDLE - TOP)))
    parts.append(_path("score", column, judged.score, lambda score: BOTTOM - score * (BOTTOM - LOWER)))
    count = len(judged.episodes)
    words = "nothing out of the ordinary" if not count else f"{count} {'anomaly' if count == 1 else 'anomalies'}"
    return page(f"{name}: what was out of the ordinary", words, WIDTH, HEIGHT, LEFT, STYLE, parts)


def _path(kind: str, column: Int64s, values: Float64s, y: Callable[[float], float]) -> str:
    """A line through the lowest and highest value of each column; columns without a value are bridged."""
    known = ~np.isnan(values)
    low, high = np.full(COLUMNS, np.inf), np.full(COLUMNS, -np.inf)
    np.minimum.at(low, column[known], values[known])
    np.maximum.at(high, column[known], values[known])
    places = np.flatnonzero(high >= low).tolist()
    points = [f"{LEFT + place} {y(float(edge[place])):.1f}" for place in places for edge in (low, high)]
    return f'<path class="{kind}" d="M{" L".join(points)}"/>' if points else ""


def _axes(first: float, span: float, low: float, high: float) -> list[str]:
    right = WIDTH - RIGHT
    out = []
    for value in round_steps(low, high, 4):
        y = MIDDLE - (value - low) / (high - low) * (MIDDLE - TOP)
        out.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="soft small" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    half = (LOWER + BOTTOM) / 2
    out.append(f'<line class="alarm" x1="{LEFT}" x2="{right}" y1="{half}" y2="{half}"/>')
    out.append(f'<text class="soft small" x="{LEFT - 8}" y="{half + 4}" text-anchor="end">0.5</text>')
    out.append(f'<text class="soft small" x="{LEFT}" y="{LOWER - 6}">score</text>')
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        moment = datetime.datetime.fromtimestamp(first + share * span, datetime.UTC)
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        x, form = LEFT + share * COLUMNS, "%Y-%m-%d" if span > 4 * 86400 else "%d %b %H:%M"
        out.append(
            f'<text class="soft small" x="{x:.1f}" y="{BOTTOM + 20}" text-anchor="{anchor}">{moment:{form}}</text>'
        )
    return out
