"""`podium pause`: no scaling in a direction, for a time or until it is taken back."""

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
    help="Which way is not taken.",
)
@click.option("--for", "lasting", metavar="DURATION", help="How long, as in 2h (default: until it is taken back).")
@orders.shared
def command(target: str, direction: str, lasting: str | None, asked: orders.Asked) -> int:
    """Pause scaling of TARGET in a running Podium, from its next turn on.

    TARGET is a workload (`web`, `shop/web`, or its whole key), a namespace (`shop/*`), or `everything`. Time is that of
    the loop's clock. `podium explain` and the page say who paused it, why, and until when.
    """
    return orders.carry_out("pause", target, asked, direction=direction, **{"for": lasting})
