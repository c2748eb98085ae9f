"""`podium resume`: a pause taken back."""

from __future__ import annotations

import click

from podium.cli import orders


@click.command()
@click.argument("target")
@click.option(
    "--direction",
    type=click.Choice(["up", "down", "both"]),
    default="both",
    show_default=True,
    help="Which pauses: those of one direction, or whatever their direction.",
)
@orders.shared
def command(target: str, direction: str, asked: orders.Asked) -> int:
    """Take the pauses of TARGET back: a workload, a namespace (`shop/*`), or `everything`.

    Only what was ordered of that same target is taken back: a workload stays paused while its namespace is. A pause
    that a document holds is taken away there. Exit code 1 when nothing is paused.
    """
    return orders.carry_out("resume", target, asked, direction=direction)
