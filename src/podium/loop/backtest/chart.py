"""Cost against unserved load as an SVG that stands by itself: light and dark, without a script or a font."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from podium.loop.backtest.contender import Kind
from podium.loop.drawing import page, round_steps

WIDTH, HEIGHT = 760, 490
LEFT, RIGHT, TOP, BOTTOM = 74, 26, 112, 64
SMALLEST = 1e-5  # a share below it is drawn at the edge as "none"
STYLE = """\
  .risk { stroke: #b4552d } .risk-word { fill: #b4552d } .good { fill: #2f7d6a; opacity: .07 }
  .podium { fill: #1f7a66 } .hpa { fill: #4a6fa5 } .kpa { fill: #8a5fa8 } .static { fill: #8a8f98 }
  .keda { fill: #b0517b } .fft { fill: #2c7fa0 }
  .oracle { fill: #1b2430 } .hpa-line { stroke: #4a6fa5 } .podium-line { stroke: #1f7a66 } .recorded { fill: #b8860b }
  .name { font-size: 12.5px; font-weight: 600 }
  .halo { stroke: #ffffff; stroke-width: 3.5px; paint-order: stroke; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) {
    .risk { stroke: #e08a5f } .risk-word { fill: #e08a5f } .good { fill: #59c3a6; opacity: .08 }
    .podium { fill: #59c3a6 } .hpa { fill: #86a8dc } .kpa { fill: #c19be0 } .static { fill: #9aa0a9 }
    .keda { fill: #e08db0 } .fft { fill: #6cbcd9 }
    .oracle { fill: #e8edf3 } .hpa-line { stroke: #86a8dc } .podium-line { stroke: #59c3a6 } .recorded { fill: #e0b64a }
    .halo { stroke: #11161d }
  }"""


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """One policy: what it cost over the oracle, and the share of the load that it left unserved."""

    name: str
    kind: Kind | str
    cost: float
    unserved: float


def draw(title: str, subtitle: str, points: Sequence[Point], risk: float) -> str:
    """The chart as SVG text. Left and down is better; the shaded part keeps to the asked risk."""
    axes = _Axes(points, risk)
    parts = [
        *axes.drawn(),
        *_sweep(axes, [point for point in points if point.kind == "hpa"], "hpa-line"),
        *_sweep(axes, [point for point in points if point.kind == "podium"], "podium-line"),
        *_marks(axes, points),
    ]
    return page(title, subtitle, WIDTH, HEIGHT, LEFT, STYLE, parts)


class _Axes:
    """Where a cost and a share lie: cost to the right, the share upwards on a logarithmic scale."""

    def __init__(self, points: Sequence[Point], risk: float) -> None:
        shares = [point.unserved for point in points if point.unserved > SMALLEST] + [risk]
        self.risk = risk
        self.low = 10.0 ** (math.floor(math.log10(min(shares))) - 0.5)
        self.high = 10.0 ** math.ceil(math.log10(max(shares) * 1.3))
        costs = [point.cost for point in points]
        self.least = min(1.0, *costs)
        self.most = max(*costs, self.least + 0.5)
        spare = (self.most - self.least) * 0.08
        self.least, self.most = max(self.least - spare, 0.0), self.most + spare

    def x(self, cost: float) -> float:
        share = (cost - self.least) / (self.most - self.least)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, unserved: float) -> float:
        share = math.log(max(unserved, self.low) / self.low) / math.log(self.high / self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def drawn(self) -> list[str]:
        right, bottom, limit = WIDTH - RIGHT, HEIGHT - BOTTOM, self.y(self.risk)
        out = [f'<rect class="good" x="{LEFT}" y="{limit:.1f}" width="{right - LEFT}" height="{bottom - limit:.1f}"/>']
        for cost in round_steps(self.least, self.most):
            x = self.x(cost)
            out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>')
            out.append(f'<text class="soft" x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{cost:g} ×</text>')
        for power in range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1):
            y = self.y(10.0**power)
            out.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            out.append(
                f'<text class="soft" x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{percent(10.0**power)}</text>'
            )
        out.append(f'<text class="soft" x="{LEFT - 10}" y="{bottom + 4}" text-anchor="end">none</text>')
        out.append(
            f'<line class="risk" x1="{LEFT}" x2="{right}" y1="{limit:.1f}" y2="{limit:.1f}" stroke-dasharray="5 4"/>'
        )
        out.append(
            f'<text class="risk-word" x="{right - 4}" y="{limit - 7:.1f}" text-anchor="end">'
            f"asked: at most {percent(self.risk)}</text>"
        )
        out.append(
            f'<text class="ink" x="{(LEFT + right) / 2}" y="{HEIGHT - 18}" text-anchor="middle">'
            "cost: replica-hours, times those of an oracle that knows the future</text>"
        )
        out.append(f'<text class="ink" x="{LEFT - 54}" y="{TOP - 14}">load that found no capacity</text>')
        return out


def percent(share: float) -> str:
    """0.001 -> `0.1 %`."""
    return f"{share * 100:.3g} %"


def _sweep(axes: _Axes, points: Sequence[Point], name: str) -> list[str]:
    """A line through the policies of one family, by cost."""
    if len(points) < 2:
        return []
    places = " ".join(
        f"{axes.x(point.cost):.1f},{axes.y(point.unserved):.1f}" for point in sorted(points, key=lambda one: one.cost)
    )
    return [f'<polyline class="{name}" points="{places}" fill="none" stroke-width="1.6" opacity=".55"/>']


def _marks(axes: _Axes, points: Sequence[Point]) -> list[str]:
    """A dot per policy, and above it its name: higher where two names would lie on each other."""
    dots: list[str] = []
    names: list[str] = []
    taken: list[tuple[float, float]] = []  # centre of each name so far
    widest = max((7.6 * len(point.name) for point in points), default=0.0)
    for point in sorted(points, key=lambda one: (one.kind != "podium", one.cost)):
        x, y = axes.x(point.cost), axes.y(point.unserved)
        size = 7 if point.kind == "podium" else 5.5
        dots.append(f'<circle class="{point.kind}" cx="{x:.1f}" cy="{y:.1f}" r="{size}"/>')
        centre = min(max(x, LEFT + 3.8 * len(point.name)), WIDTH - RIGHT - 3.8 * len(point.name))
        line = y - 12
        while any(abs(centre - other) < widest and abs(line - level) < 15 for other, level in taken):
            line -= 15
        taken.append((centre, line))
        names.append(
            f'<text class="{point.kind} name halo" x="{centre:.1f}" y="{line:.1f}" text-anchor="middle">'
            f"{escape(point.name)}</text>"
        )
    return dots + names
