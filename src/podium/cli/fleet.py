"""The fleet as lines for a terminal: one per workload, then sources, guards and what comes next."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from podium.cli import tables
from podium.loop.tell.view import FleetView, WorkloadRow
from podium.loop.tell.words import number
from podium.model import clock

_UNITS = {"per_second": "/s", "cores": " cores", "seconds": " s", "bytes": " bytes"}


def picture(
    fleet: FleetView, *, age_seconds: float | None = None, trouble: str = "", height: int | None = None
) -> list[RenderableType]:
    """The whole answer, from the turn's head to what comes next.

    `age_seconds`: how long ago the view came; `trouble`: why no newer one comes; `height`: lines there are room for.
    """
    below = _sources(fleet)
    guards = [Text(f"! {words}", style="yellow") for words in fleet.guards]
    room = None if height is None else max(height - 7 - len(fleet.sources) - len(guards) - bool(trouble), 3)
    shown = _fitting(fleet.workloads, room)
    parts: list[RenderableType] = [_head(fleet, age_seconds), ""]
    if trouble:
        parts.insert(1, Text(f"connection lost, trying again: {trouble}", style="bold red"))
    if fleet.workloads:
        parts.append(_workloads(shown))
        if len(shown) < len(fleet.workloads):
            parts.append(Text(f"… and {len(fleet.workloads) - len(shown)} more", style="dim"))
        parts.append("")
    return [*parts, *([below] if fleet.sources else []), *guards, Text(fleet.next)]


def _head(fleet: FleetView, age_seconds: float | None) -> Text:
    words = [f"turn {fleet.tick} of {clock.rfc3339(round(fleet.at))}" if fleet.tick else "no turn yet"]
    if age_seconds is not None and fleet.tick:
        words.append(f"{age_seconds:.0f} s ago")
    if fleet.simulated:
        words.append(f"simulated, {fleet.speed:g} x")
    count = len(fleet.workloads)
    return Text(", ".join([*words, f"{count} workload{'' if count == 1 else 's'}"]), style="bold")


def _fitting(rows: tuple[WorkloadRow, ...], room: int | None) -> list[WorkloadRow]:
    """All rows by key; where there is no room for all, those first that something happens to."""
    ordered = sorted(rows, key=lambda row: row.key)
    if room is None or len(ordered) <= room:
        return ordered
    busy = sorted(ordered, key=lambda row: (not row.troubles, row.wanted == row.replicas))
    return sorted(busy[: room - 1], key=lambda row: row.key)


def _workloads(rows: list[WorkloadRow]) -> Table:
    # A namespace is usually its own tenant: then the name says it already.
    tenants = any(row.tenant != row.key.split("/")[1] for row in rows)
    table = tables.table(
        "workload", *(["tenant"] if tenants else []), "mode", ("replicas", "right"), ("ready", "right"),
        ("load", "right"), ("forecast", "right"), "held by",
    )  # fmt: skip
    names = _names(rows)
    for row in rows:
        table.add_row(
            names[row.key],
            *([row.tenant] if tenants else []),
            row.mode,
            _replicas(row),
            _ready(row),
            _load(row),
            _forecast(row),
            Text("; ".join(_held(row)), style="yellow"),
        )
    return table


def _names(rows: list[WorkloadRow]) -> dict[str, str]:
    """Keys as short as they still differ: `shop/web`, else whole."""
    short = {row.key: f"{row.key.split('/')[1]}/{row.key.rpartition('/')[2]}" for row in rows}
    taken = list(short.values())
    return {key: name if taken.count(name) == 1 else key for key, name in short.items()}


def _replicas(row: WorkloadRow) -> Text:
    if row.replicas is None or row.wanted is None or row.replicas == row.wanted:
        return Text(tables.count(row.replicas))
    return Text(f"{row.replicas} > {row.wanted}", style="bold cyan")


def _ready(row: WorkloadRow) -> Text:
    fewer = row.ready is not None and row.replicas is not None and row.ready < row.replicas
    return Text(tables.count(row.ready), style="yellow" if fewer else "")


def _load(row: WorkloadRow) -> str:
    return tables.UNKNOWN if row.load is None else number(row.load) + _UNITS.get(row.load_unit, "")


def _forecast(row: WorkloadRow) -> Text:
    """`held 94 %` where it is trusted; what was measured of it is told either way."""
    share = "" if row.coverage is None else f"{100 * row.coverage:.0f} %"
    if row.trusted:
        return Text(f"trusted {share}".strip())
    return Text(f"not yet {share}".strip(), style="dim")


def _held(row: WorkloadRow) -> list[str]:
    said = list(row.troubles)
    if row.paused != "none":
        said.append("paused" if row.paused == "both" else f"paused {row.paused}")
    if row.wanted is not None and row.wanted == row.maximum:
        said.append(f"its maximum of {row.maximum}")
    elif row.wanted is not None and row.wanted == row.minimum:
        said.append(f"its minimum of {row.minimum}")
    return said


def _sources(fleet: FleetView) -> Table:
    grid = Table.grid(padding=(0, 2))
    for _ in range(3):
        grid.add_column(overflow="fold")
    for source in fleet.sources:
        lasting = ""
        if source.state != "ok" and source.since is not None:
            lasting = f" for {clock.duration(max(round(fleet.at - source.since), 0))}"
        words = source.words.removeprefix(f"{source.name}: ")
        about = Text(words) if words else Text(f"{source.kind}, {source.where}".rstrip(", "), style="dim")
        grid.add_row(Text(f"source {source.name}"), tables.words(source.state) + Text(lasting), about)
    return grid
