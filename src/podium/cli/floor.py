"""`podium floor`: the raised minimums of HPAs in a cluster, seen and given back without a running Podium."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.loop.modes.neighbours import FloorResult
    from podium.loop.modes.surroundings import Autoscaler


@click.group()
def command() -> None:
    """Show the floors that Podium put under HPAs, or give them back; Podium need not run.

    Each HPA says itself what its minimum was, in its annotation podium.dev/floor.
    """


_context = click.option("--context", metavar="NAME", help="The kubeconfig's context (default: the current one).")
_namespace = click.option("--namespace", default="", metavar="NAME", help="Only there (default: everywhere).")


@command.command("list")
@_namespace
@_context
@options.output
def list_(namespace: str, context: str | None, form: str, output: str | None) -> int:
    """List the floors of a cluster."""
    found = asyncio.run(_raised(namespace, context))
    if form == "json":
        options.emit(options.as_json([_plain(one) for one in found]), output)
        return outcome.DONE
    lines = [_line(one) for one in found]
    options.emit("\n".join(lines or ["no HPA bears a floor of Podium's"]), output)
    return outcome.DONE


@command.command("give-back")
@click.option("--all", "every", is_flag=True, help="All of them.")
@click.option("--expired", is_flag=True, help="Those whose time has passed, as when every Podium is dead.")
@_namespace
@_context
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be done.")
@options.output
def give_back(
    every: bool, expired: bool, namespace: str, context: str | None, dry: bool, form: str, output: str | None
) -> int:
    """Put every HPA's own minReplicas back, provided nobody changes it meanwhile.

    A minimum that somebody else wrote over a floor stays. A running Podium would raise floors anew: pause it first
    (`podium pause everything --reason …`). Exit code 1 where one could not be given back.
    """
    if every == expired:
        raise outcome.BadInput("say which: --all, or --expired for those whose time has passed")
    results = asyncio.run(_give_back(namespace, context, expired=expired, dry=dry))
    if form == "json":
        told = [_plain_result(one) for one in results]
        options.emit(options.as_json(told), output)
    else:
        lines = [f"{one.command.key.namespace}: {one.command.words}: {_fate(one, dry=dry)}" for one in results]
        options.emit("\n".join(lines or ["nothing had to be given back"]), output)
    return outcome.DONE if dry or all(one.fate == "written" for one in results) else outcome.NEGATIVE


async def _raised(namespace: str, context: str | None) -> list[Autoscaler]:
    from podium.cli import reached
    from podium.loop.clusters.kubernetes.surroundings import KubernetesSurroundings
    from podium.loop.modes import returning

    async with reached.cluster(context) as client:
        return await returning.raised(KubernetesSurroundings("local", client), [namespace])


async def _give_back(namespace: str, context: str | None, *, expired: bool, dry: bool) -> list[FloorResult]:
    from podium.cli import reached
    from podium.loop.clusters.kubernetes.surroundings import KubernetesSurroundings
    from podium.loop.modes import returning
    from podium.model.clock import wall_clock

    async with reached.cluster(context) as client:
        around, which = KubernetesSurroundings("local", client), "expired" if expired else "all"
        given = returning.given_back(around, [namespace], which, wall_clock(), dry=dry)  # type: ignore[arg-type]
        return [one async for one in given]


def _line(one: Autoscaler) -> str:
    from podium.model import clock

    floor = one.floor
    if floor is None:
        return ""
    own = f"its own: {floor.original}" if one.minimum == floor.raised else "written by somebody else since"
    return f"{one.namespace}/{one.name}: minReplicas {one.minimum} ({own}), until {clock.rfc3339(int(floor.until))}"


def _plain(one: Autoscaler) -> dict[str, Any]:
    from podium.model import clock

    floor = one.floor
    return {
        "namespace": one.namespace,
        "name": one.name,
        "workload": str(one.target).partition("/")[2],
        "minReplicas": one.minimum,
        "original": None if floor is None else floor.original,
        "raised": None if floor is None else floor.raised,
        "until": None if floor is None else clock.rfc3339(int(floor.until)),
    }


def _plain_result(one: FloorResult) -> dict[str, Any]:
    made = one.command
    return {
        "namespace": made.key.namespace,
        "name": made.autoscaler,
        "before": made.current,
        "minReplicas": made.minimum,
        "fate": str(one.fate),
        "words": one.words,
    }


def _fate(one: FloorResult, *, dry: bool) -> str:
    if dry:
        return "would be written"
    return str(one.fate) + (f": {one.words}" if one.words else "")
