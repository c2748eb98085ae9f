"""docs/reference/presets.md, written from the presets themselves: what each asks, and what of it may be changed."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

from podium.model.clock import duration
from podium.signals.presets import ACCEPTED, PRESETS, Preset
from podium.signals.promql import owners_of_pods

INTRODUCTION = pathlib.Path(__file__).with_name("presets.md")


def _section(name: str, preset: Preset) -> Iterator[str]:
    parameters = ", ".join(f"`{one}`" for one in ACCEPTED[preset.family])
    yield f"\n## {name}\n"
    yield f"{preset.sentence}\n"
    yield "| unit | reduce | interval | missing after | parameters |"
    yield "|---|---|---|---|---|"
    needed = "; `workload` or `labels` is required" if preset.needs_workload else ""
    times = f"{duration(preset.interval_seconds)} | {duration(preset.stale_after_seconds)}"
    yield f"| `{preset.unit}` | `{preset.reduce}` | {times} | {parameters}{needed} |\n"
    query = preset.promql().replace(owners_of_pods("kube-state-metrics"), "OWNERS")
    yield f"```promql\n{query}\n```"


def render() -> str:
    """The page."""
    introduction = INTRODUCTION.read_text(encoding="utf-8")
    lines = [introduction.replace("{owners}", owners_of_pods("kube-state-metrics")).rstrip()]
    for name, preset in PRESETS.items():
        lines += _section(name, preset)
    return "\n".join(lines) + "\n"
