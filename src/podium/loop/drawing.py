"""What our SVGs share: paper and ink in light and dark, the head of a drawing, round steps for an axis."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

STYLE = """\
  .paper { fill: #ffffff } .ink { fill: #1b2430 } .soft { fill: #5b6775 } .grid { stroke: #e3e8ee }
  text { font: 13px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif }
  .title { font-size: 17px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #11161d } .ink { fill: #e8edf3 } .soft { fill: #9aa7b5 } .grid { stroke: #28313c }
  }"""


def page(title: str, subtitle: str, width: int, height: int, left: int, style: str, parts: list[str]) -> str:
    """A drawing that stands by itself, without a script or a font: `parts` under a head, on paper."""
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}\n{style}\n</style>",
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
        f'<text class="ink title" x="{left}" y="34">{escape(title)}</text>',
        f'<text class="soft" x="{left}" y="56">{escape(subtitle)}</text>',
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def round_steps(low: float, high: float, about: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, `about` so many or fewer. `high` lies above `low`."""
    raw = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw)
    first = math.ceil(low / step)
    return [round(number * step, 10) for number in range(first, math.floor(high / step) + 1)]
