"""`podium gitops`: what Argo CD and Flux must leave alone, from the policies."""

from __future__ import annotations

import click

from podium.cli import options, outcome


@click.command()
@click.option(
    "--for",
    "tool",
    type=click.Choice(["argocd", "flux"]),
    required=True,
    help="argocd: a piece of an Application's spec; flux: a piece of a HelmRelease's spec.",
)
@options.config
@click.option("--output", metavar="FILE", help="Write it there.")
def command(tool: str, config: str | None, flags: tuple[str, ...], output: str | None) -> int:
    """Print what a GitOps tool must not put back: the fields that Podium writes in modes own and floor.

    Modes recommend and metric write nothing that lies in Git, and need nothing here.
    """
    import asyncio

    from podium.loop.modes import gitops
    from podium.loop.policy import ScalingPolicy
    from podium.wiring import authority

    loaded = options.load(config, flags)
    policies = asyncio.run(authority.load(loaded)).of(ScalingPolicy)
    made = {"argocd": gitops.argocd, "flux": gitops.flux}[tool](policies, loaded.value.loop.mode)
    options.emit(made, output)
    return outcome.DONE
