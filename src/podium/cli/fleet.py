"""The fleet as lines for a terminal: one per workload that fits, then sources, guards and what comes next."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from podium.cli import tables
from podium.loop.tell.view import FleetView, WorkloadRow
from podium.loop.tell.words import number
from podium.model import clock

TOLD = ("unknown", "troubled", "short", "limited", "held")  # states that are counted in the head
_UNITS = {"per_second": "/s", "cores": " cores", "seconds": " s", "bytes": " bytes"}


def picture(
    fleet: FleetView,
    rows: Sequence[WorkloadRow],
    *,
    age_seconds: float | None = None,
    trouble: str = "",
    below: Sequence[RenderableType] = (),
    total: int | None = None,
    first: int = 0,
) -> list[RenderableType]:
    """The whole answer, from the turn's head to what comes next.

    `age_seconds`: how long ago the view came; `trouble`: why no newer one comes; `below`: lines at the end.
    `total`: how many workloads were let through, of which `rows` are those from number `first` (0 is the first) on.
    """
    total = len(rows) if total is None else total
    parts: list[RenderableType] = [_head(fleet, age_seconds), ""]
    if trouble:
        parts.insert(1, Text(f"connection lost, trying again: {trouble}", style="bold red"))
    if rows:
        parts.append(_workloads(rows))
    if len(rows) < total:
        parts.append(Text(f"{first + 1} to {first + len(rows)} of {total}", style="dim"))
    parts.append("")
    guards = [Text(f"! {words}", style="yellow") for words in fleet.guards]
    return [*parts, *([_sources(fleet)] if fleet.sources else []), *guards, Text(fleet.next), *below]


def room(fleet: FleetView, height: int, *, trouble: bool = False, below: int = 0) -> int:
    """How many workloads fit on a screen of `height` lines."""
    return max(height - 8 - len(fleet.sources) - len(fleet.guards) - trouble - below, 3)


def _head(fleet: FleetView, age_seconds: float | None) -> Text:
    words = [f"turn {fleet.tick} of {clock.rfc3339(round(fleet.at))}" if fleet.tick else "no turn yet"]
    if age_seconds is not None and fleet.tick:
        words.append(f"{age_seconds:.0f} s ago")
    if fleet.simulated:
        words.append(f"simulated, {fleet.speed:g} x")
    count = fleet.total.workloads
    states = [f"{fleet.total.states[name]} {name}" for name in TOLD if name in fleet.total.states]
    return Text(", ".join([*words, f"{count} workload{'' if count == 1 else 's'}", *states]), style="bold")


def _workloads(rows: Sequence[WorkloadRow]) -> Table:
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


def _names(rows: Sequence[WorkloadRow]) -> dict[str, str]:
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
