"""`podium policy presets`: the ready-made queries of Signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.signals.presets import Preset


@click.command("presets", short_help="List the ready-made queries of Signals.")
@click.argument("name", required=False)
@options.output
def command(name: str | None, form: str, output: str | None) -> int:
    """List the ready-made queries that a Signal may name, or show one NAME with its PromQL."""
    from podium.cli.outcome import BadInput
    from podium.documents.problem import nearest
    from podium.signals.presets import PRESETS

    if name is not None and name not in PRESETS:
        raise BadInput(f"no preset {name!r}{nearest(name, list(PRESETS))}; `podium policy presets` lists them")
    wanted = PRESETS if name is None else {name: PRESETS[name]}
    if form == "json":
        options.emit(options.as_json([_row(one, preset) for one, preset in wanted.items()]), output)
    elif name is None:
        _list(output)
    else:
        _show(name, PRESETS[name], output)
    return outcome.DONE


def _row(name: str, preset: Preset) -> dict[str, Any]:
    from podium.model.clock import duration
    from podium.signals.presets import ACCEPTED

    return {
        "name": name,
        "measures": preset.sentence,
        "unit": preset.unit,
        "reduce": preset.reduce,
        "interval": duration(preset.interval_seconds),
        "staleAfter": duration(preset.stale_after_seconds),
        "metric": preset.metric or None,
        "parameters": list(ACCEPTED[preset.family]),
        "required": ["workload or labels"] if preset.needs_workload else [],
        "promql": preset.promql(),
        "promqlOfPast": None if preset.past is preset else preset.past.promql(),
    }


def _list(output: str | None) -> None:
    from podium.cli import tables
    from podium.signals.presets import PRESETS

    table = tables.table("preset", "unit", "what it measures")
    for name, preset in PRESETS.items():
        table.add_row(name, preset.unit, preset.sentence)
    tables.show([table, "", "One with its PromQL: podium policy presets NAME"], output)


def _show(name: str, preset: Preset, output: str | None) -> None:
    from podium.cli import tables

    row = _row(name, preset)
    rows = [
        ("measures", row["measures"]),
        ("unit", row["unit"]),
        ("reduce", row["reduce"]),
        ("interval", f"{row['interval']}, missing after {row['staleAfter']}"),
        ("parameters", ", ".join(row["parameters"])),
        *([("required", "workload, or labels that name it")] if row["required"] else []),
        ("PromQL", row["promql"]),
        *([("of the past", row["promqlOfPast"])] if row["promqlOfPast"] else []),
    ]
    tables.show([tables.pairs(rows)], output)
