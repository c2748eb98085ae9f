"""A rehearsal as SVG: the load and what was said of it, and below six origins from near, from the best to the worst."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

import numpy as np

from podium.loop.drawing import page, round_steps
from podium.loop.rehearse.answer import Answer
from podium.loop.rehearse.rehearsal import Said
from podium.model.arrays import Float64s, Int64s
from podium.model.clock import duration

WIDTH, HEIGHT = 760, 560
LEFT, RIGHT = 64, 26
NEAR = 6  # origins shown from near
THIN = 1340  # points of a line: two for each of its pixels
PAST = 2.0  # horizons of the past shown before each of them
STYLE = """\
  .load { stroke: #1b2430; fill: none } .said { stroke: #1f7a66; fill: none } .dot { fill: #1f7a66 }
  .band { fill: #1f7a66 } .bar { stroke: #1f7a66 } .now { stroke: #8a94a0 } .small { font-size: 11px }
  @media (prefers-color-scheme: dark) {
    .load { stroke: #e8edf3 } .said { stroke: #59c3a6 } .dot { fill: #59c3a6 } .band { fill: #59c3a6 }
    .bar { stroke: #59c3a6 } .now { stroke: #6c7886 }
  }"""
# Between the median and .9, up to .95, up to .99: fainter outwards.
SHADES = (0.42, 0.26, 0.14)


def draw(told: Answer) -> str:
    """The drawing as SVG text."""
    said, far = told.said, duration(told.wanted.horizon_seconds)
    parts = [
        *_legend(),
        *_overview(told, _Panel(LEFT, 98, WIDTH - LEFT - RIGHT, 176)),
        f'<text class="ink" x="{LEFT}" y="322">Six of the {len(said.rows)} moments from near, '
        "from the smallest error to the largest</text>"
        if len(said.rows) > NEAR
        else f'<text class="ink" x="{LEFT}" y="322">Each moment from near</text>',
        *_from_near(said),
    ]
    title = f"{said.steps.name}: what was foreseen {far} ahead, and what came"
    return page(title, told.verdict(), WIDTH, HEIGHT, LEFT, STYLE, parts)


class _Panel:
    """A rectangle with a time to the right and a load upwards."""

    def __init__(self, x: float, y: float, width: float, height: float) -> None:
        self.left, self.top, self.right, self.bottom = x, y, x + width, y + height
        self.span, self.top_value, self.lowest = (0.0, 1.0), 1.0, 0.0

    def scale(self, span: tuple[float, float], lowest: float, highest: float) -> None:
        self.span = span
        self.lowest = lowest
        self.top_value = highest if highest > lowest else lowest + 1.0

    def x(self, at: float) -> float:
        begin, end = self.span
        return self.left + (at - begin) / max(end - begin, 1e-9) * (self.right - self.left)

    def y(self, load: float) -> float:
        share = (load - self.lowest) / (self.top_value - self.lowest)
        return self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - self.top)

    def line(self, at: Float64s, load: Float64s, name: str, width: float) -> list[str]:
        """A line with holes where the load is unknown."""
        out = []
        for piece in _pieces(load):
            places = " ".join(
                f"{self.x(moment):.1f},{self.y(value):.1f}"
                for moment, value in zip(at[piece].tolist(), load[piece].tolist(), strict=True)
            )
            shape = "stroke-linejoin='round' stroke-linecap='round'"
            out.append(f'<polyline class="{name}" points="{places}" stroke-width="{width}" {shape}/>')
        return out

    def levels(self, about: int, size: str = "") -> list[str]:
        """Lines across at round loads, with their numbers."""
        out = []
        for load in round_steps(self.lowest, self.top_value, about):
            y = self.y(load)
            out.append(f'<line class="grid" x1="{self.left}" x2="{self.right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            out.append(
                f'<text class="soft {size}" x="{self.left - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(load)}</text>'
            )
        return out


def _legend() -> list[str]:
    x, y, out = LEFT, 82, []
    for name, width, mark in (
        ("load", 52, '<line class="load" x1="{x}" x2="{end}" y1="{y}" y2="{y}" stroke-width="1.6"/>'),
        ("median", 70, '<line class="said" x1="{x}" x2="{end}" y1="{y}" y2="{y}" stroke-width="2"/>'),
    ):
        out.append(mark.format(x=x, end=x + 18, y=y - 4))
        out.append(f'<text class="soft small" x="{x + 24}" y="{y}">{name}</text>')
        x += 24 + width
    for name, shade in zip(("up to 90 %", "95 %", "99 %"), SHADES, strict=True):
        out.append(f'<rect class="band" x="{x}" y="{y - 10}" width="18" height="11" rx="2" opacity="{shade}"/>')
        out.append(f'<text class="soft small" x="{x + 24}" y="{y}">{name}</text>')
        x += 24 + 24 + 6 * len(name)
    return out


def _overview(told: Answer, panel: _Panel) -> list[str]:
    """The load of the judged part; where each origin looked, its 95 % quantile and its median over the load."""
    said = told.said
    steps, far = said.steps, float(said.ahead[-1])
    targets = said.origins + far
    begin, end = float(said.origins[0]), float(targets[-1])
    first = int(said.rows[0])
    load = steps.load[first : first + round((end - begin) / steps.step_seconds) + 1]
    at: Float64s = begin + np.arange(len(load)).astype(np.float64) * steps.step_seconds
    high = said.quantiles[:, 2, -1].astype(np.float64)
    panel.scale((begin, max(end, begin + 1)), 0.0, _ceiling([load, high]))
    out = [*panel.levels(4), *_days(panel)]
    middle = said.quantiles[:, 0, -1].astype(np.float64)
    apart = (panel.right - panel.left) / max(len(targets), 1)
    width = min(max(apart * 0.45, 1.5), 5.0)
    for moment, low, top in zip(targets.tolist(), middle.tolist(), high.tolist(), strict=True):
        if math.isfinite(low) and math.isfinite(top):
            x = panel.x(moment)
            out.append(
                f'<line class="bar" x1="{x:.1f}" x2="{x:.1f}" y1="{panel.y(low):.1f}" y2="{panel.y(top):.1f}" '
                f'stroke-width="{width:.1f}" stroke-linecap="round" opacity=".45"/>'
            )
    out += panel.line(*_thinned(at, load), "load", 1.1 if len(load) <= THIN else 0.7)
    size = min(max(apart * 0.22, 1.8), 2.8)
    for moment, low in zip(targets.tolist(), middle.tolist(), strict=True):
        if math.isfinite(low):
            out.append(f'<circle class="dot" cx="{panel.x(moment):.1f}" cy="{panel.y(low):.1f}" r="{size:.1f}"/>')
    return out


def _from_near(said: Said) -> list[str]:
    out = []
    for place, number in enumerate(_chosen(said)):
        column, row = place % 3, place // 3
        x = LEFT + column * ((WIDTH - LEFT - RIGHT + 40) / 3)
        panel = _Panel(x, 352 + row * 102, (WIDTH - LEFT - RIGHT + 40) / 3 - 40, 62)
        out += _one(said, number, panel)
    return out


def _one(said: Said, number: int, panel: _Panel) -> list[str]:
    """One origin: the past, the band, and what came."""
    origin, far, steps = float(said.origins[number]), float(said.ahead[-1]), said.steps
    back, ahead = round(PAST * far / steps.step_seconds), round(far / steps.step_seconds)
    row = int(said.rows[number])
    begin = max(row - back, 0)
    load = steps.load[begin : row + ahead + 1]
    at = (steps.first + begin + np.arange(len(load))) * steps.step_seconds
    curves = said.quantiles[number].astype(np.float64)
    highest = _ceiling([load, curves[2]])
    known = load[~np.isnan(load)]
    lowest = float(min(known.min(initial=highest), np.nanmin(curves[0], initial=highest)))
    panel.scale((origin - PAST * far, origin + far), *_room(lowest, highest))
    out = [*panel.levels(3, "small")]
    moments = np.concatenate([[origin], origin + said.ahead])
    start = said.last[number]
    for lower, shade in zip(range(3), SHADES, strict=True):
        edges = [np.concatenate([[start], curves[level]]) for level in (lower, lower + 1)]
        if not any(np.isnan(edge).any() for edge in edges):
            out.append(_area(panel, moments, edges[0], edges[1], shade))
    out += panel.line(moments, np.concatenate([[start], curves[0]]), "said", 1.8)
    out += panel.line(at.astype(np.float64), load, "load", 1.3)
    x = panel.x(origin)
    out.append(
        f'<line class="now" x1="{x:.1f}" x2="{x:.1f}" y1="{panel.top - 4:.1f}" y2="{panel.bottom}" '
        'stroke-dasharray="2 3"/>'
    )
    name = _moment(origin) + _off(said, number)
    out.append(f'<text class="soft small" x="{panel.left:.1f}" y="{panel.top - 9:.1f}">{name}</text>')
    return out


def _off(said: Said, number: int) -> str:
    actual, middle = said.actual[number, -1], said.quantiles[number, 0, -1]
    if not (math.isfinite(actual) and math.isfinite(middle) and actual > 0):
        return ""
    return f", off by {abs(middle - actual) / actual:.1%}"


def _area(panel: _Panel, at: Float64s, low: Float64s, high: Float64s, shade: float) -> str:
    there = [f"{panel.x(m):.1f},{panel.y(v):.1f}" for m, v in zip(at.tolist(), high.tolist(), strict=True)]
    back = [f"{panel.x(m):.1f},{panel.y(v):.1f}" for m, v in zip(at.tolist(), low.tolist(), strict=True)]
    return f'<polygon class="band" points="{" ".join(there + back[::-1])}" opacity="{shade}"/>'


def _chosen(said: Said) -> list[int]:
    """Origins by the size of their error at the horizon, evenly from the smallest to the largest."""
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(said.quantiles[:, 0, -1] - said.actual[:, -1]) / said.actual[:, -1]
    order = np.argsort(np.where(np.isfinite(error), error, np.inf), kind="stable")
    usable: Int64s = order[np.isfinite(error[order])] if np.isfinite(error).any() else order
    picks = np.unique(np.rint(np.linspace(0, len(usable) - 1, min(NEAR, len(usable)))).astype(np.int64))
    return [int(usable[pick]) for pick in picks]


def _room(lowest: float, highest: float) -> tuple[float, float]:
    """Limits around a small drawing: from zero where that is near."""
    if lowest < highest * 0.5:
        return 0.0, highest
    spare = (highest - lowest) * 0.25
    return max(lowest - spare, 0.0), highest


def _ceiling(parts: Sequence[Float64s]) -> float:
    """A little above nearly everything: one absurd reading does not flatten the rest."""
    values = np.concatenate([part[np.isfinite(part)] for part in parts])
    if not len(values):
        return 1.0
    highest, usual = float(values.max()), float(np.quantile(values, 0.999)) * 3
    return max(min(highest, usual) * 1.06, 1e-9)


def _thinned(at: Float64s, load: Float64s, most: int = THIN // 2) -> tuple[Float64s, Float64s]:
    """The lowest and the highest of each stretch, so that peaks stay; NaN where a whole stretch is unknown."""
    if len(load) <= 2 * most:
        return at, load
    edges = np.linspace(0, len(load), most + 1).astype(np.int64)
    moments, values = [], []
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = load[begin:end]
        if np.isnan(part).all():
            moments.append(at[begin])
            values.append(np.nan)
            continue
        for row in sorted({int(np.nanargmin(part)), int(np.nanargmax(part))}):
            moments.append(at[begin + row])
            values.append(part[row])
    return np.array(moments), np.array(values)


def _pieces(load: Float64s) -> list[slice]:
    """Stretches of known loads."""
    known = np.concatenate([[False], ~np.isnan(load), [False]])
    turns = np.flatnonzero(np.diff(known.astype(np.int8)))
    return [slice(begin, end) for begin, end in zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True)]


def _days(panel: _Panel) -> list[str]:
    """Midnights (UTC) below the axis, as many as have room; hours where there is but a day."""
    begin, end = panel.span
    steps = (3600, 3 * 3600, 6 * 3600, 86400, 2 * 86400, 7 * 86400, 28 * 86400, 140 * 86400)
    step = next((one for one in steps if (end - begin) / one <= 9), steps[-1])
    out = []
    for moment in np.arange(math.ceil(begin / step) * step, end + 1, step).tolist():
        x, when = panel.x(moment), datetime.datetime.fromtimestamp(moment, datetime.UTC)
        words = f"{when:%H:%M}" if step < 86400 and when.hour else f"{when.day} {when:%b}"
        out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{panel.top}" y2="{panel.bottom}"/>')
        out.append(f'<text class="soft small" x="{x:.1f}" y="{panel.bottom + 17}" text-anchor="middle">{words}</text>')
    return out


def _moment(at: float) -> str:
    when = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return f"{when.day} {when:%b %H:%M}"


def _short(load: float) -> str:
    """1200000 -> `1.2M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(load) >= size:
            return f"{load / size:g}{letter}"
    return f"{load:g}"
