"""`podium predict`: whether the time ahead needs more replicas, asked of a running Podium."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.cli.remote import Remote

SHOWN = 20  # workloads in the table for people; JSON has up to a hundred


@click.command(short_help="Say whether the time ahead needs more replicas, and how sure that is.")
@click.argument("workload", required=False)
@click.option("--horizon", default="30m", show_default=True, metavar="TIME", help="How far ahead, 30m at most.")
@click.option(
    "--confidence", type=float, default=0.8, show_default=True, metavar="SHARE",
    help="How sure one wants to be before more is advised.",
)  # fmt: skip
@click.option("--url", metavar="URL", help="Where Podium answers (default: the one that runs on this machine).")
@click.option("--token", envvar="PODIUM_TOKEN", show_envvar=True, metavar="TOKEN", help="What opens its door.")
@options.config
@options.demo
@options.output
def command(
    workload: str | None,
    horizon: str,
    confidence: float,
    url: str | None,
    token: str | None,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
    form: str,
    output: str | None,
) -> None:
    """Ask the running Podium what scaling will be needed within --horizon: by how much, and how sure that is.

    WORKLOAD is a key as `local/shop/deployment.apps/web`, or enough of it: `shop/web`, `web`. Left out, all are asked
    about.
    """
    from podium.cli import top
    from podium.loop.predict import horizon_of, threshold_of

    try:
        asked = {"horizon": f"{horizon_of(horizon):g}", "confidence": f"{threshold_of(confidence):g}"}
    except ValueError as error:
        raise outcome.BadInput(str(error)) from error
    remote = top.find(url, token, config, flags, of_demo=of_demo)
    told = asyncio.run(_asked(remote, workload, urlencode(asked)))
    if form == "json":
        options.emit(options.as_json(told), output)
    else:
        from podium.cli import tables

        tables.show(_one(told) if workload else _all(told), output)


async def _asked(remote: Remote, workload: str | None, query: str) -> Any:
    if workload is None:
        return await remote.read(f"/api/v1/prediction?{query}")
    from podium.cli import orders

    return await remote.read(f"{await orders.path_of(remote, workload)}/prediction?{query}")


def _one(told: Any) -> list[RenderableType]:
    from rich.text import Text

    from podium.cli import tables
    from podium.model import clock

    load = _number(told["load"])
    rows = [
        ("scale factor", f"{told['scale_factor']:.3g}"),
        ("confidence", _share(told["confidence"])),
        ("replicas", f"{tables.count(told['replicas'])} now, {tables.count(told['needed'])} needed"),
        ("load", f"{load} now, {_number(told['capacity_per_replica'])} a replica"),
        ("largest ahead", ", ".join(f"{level}: {_number(value)}" for level, value in told["quantiles"].items()) or "-"),
        ("trusted", "yes" if told["trusted"] else "no: the forecast has not earned a say"),
        ("from", f"{clock.rfc3339(round(told['at']))}, for {clock.duration(told['horizon_seconds'])}"),
    ]
    return [Text(told["words"], style="bold"), "", tables.pairs(rows)]


def _all(told: Any) -> list[RenderableType]:
    from rich.text import Text

    from podium.cli import tables
    from podium.model import clock

    far, items = clock.duration(told["horizon_seconds"]), told["items"]
    head = f"No workload of {told['workloads']} will need more replicas within {far}."
    if told["should_scale_up"]:
        head = f"More replicas will be needed within {far}: {told['scale_factor']:.3g} times those of now in sum."
    parts: list[RenderableType] = [Text(head, style="bold")]
    if items:
        right = [(name, "right") for name in ("replicas", "needed", "factor", "confidence")]
        table = tables.table("workload", *right)  # type: ignore[arg-type]
        for one in items[:SHOWN]:
            counts = tables.count(one["replicas"]), tables.count(one["needed"])
            table.add_row(Text(one["key"]), *counts, f"{one['scale_factor']:.3g}", _share(one["confidence"]))
        parts += ["", table]
        if len(items) > SHOWN:
            parts += [f"and {len(items) - SHOWN} more: -o json names up to a hundred"]
    return parts


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
