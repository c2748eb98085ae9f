"""`podium uninstall`: Podium out of a cluster, its marks off the workloads. No replica changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.install.plan import Plan
    from podium.install.removal import Step


@click.command(short_help="Take Podium out of a cluster, and its marks off the workloads.")
@click.option("--namespace", default="podium", show_default=True, metavar="NAME", help="Where Podium runs.")
@click.option("--namespaced", "namespaces", multiple=True, metavar="NAME", help="As it was installed; repeatable.")
@click.option(
    "--everything",
    is_flag=True,
    help="Also what people wrote (the kinds, with every policy) and the ledger (the namespace).",
)
@click.option("--context", metavar="NAME", help="The kubeconfig's context (default: the current one).")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be done.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.output
def command(
    namespace: str, namespaces: tuple[str, ...], everything: bool, context: str | None, dry: bool, yes: bool,
    form: str, output: str | None,
) -> int:  # fmt: skip
    """End Podium, give every floor back, take its annotation off every workload, then delete its objects.

    The kinds with the policies, the namespace and the volume with the ledger stay, unless --everything is given. Exit
    code 1 when a floor could not be given back.
    """
    from podium.install.plan import Plan

    # Whatever the mode was: what is not there is passed over.
    plan = Plan(namespace=namespace, namespaces=namespaces, mode="own", replicas=2, serve=True)
    if not dry and not yes:
        _ask(plan, everything, context)
    done = asyncio.run(_run(plan, context, everything=everything, dry=dry))
    if form == "json":
        options.emit(options.as_json({"dry": dry, "steps": done}), output)
    else:
        lines = [f"{step.verb:9} {step.what}" for step in done]
        options.emit("\n".join([*lines, _last(done, dry=dry)]), output)
    return outcome.NEGATIVE if any(step.verb == "failed" for step in done) else outcome.DONE


def _ask(plan: Plan, everything: bool, context: str | None) -> None:
    where = f"context {context}" if context else "the current context"
    also = ", every policy and the ledger" if everything else ""
    click.confirm(f"take Podium{also} out of namespace {plan.namespace} in {where}?", abort=True, err=True)


def _last(done: list[Step], *, dry: bool) -> str:
    if not done:
        return "nothing of Podium is there"
    return "nothing was done: --dry-run" if dry else "done; no replica was written"


async def _run(plan: Plan, context: str | None, *, everything: bool, dry: bool) -> list[Step]:
    from podium.cli import reached
    from podium.install.removal import remove
    from podium.model.clock import wall_clock

    async with reached.cluster(context) as client:
        return [step async for step in remove(client, plan, wall_clock(), everything=everything, dry=dry)]
