"""`podium believe`: what a suspect or frozen source says is taken for the truth."""

from __future__ import annotations

import click

from podium.cli import orders


@click.command()
@click.argument("source")
@orders.shared
def command(source: str, asked: orders.Asked) -> int:
    """Take what SOURCE says now for the truth: from the next turn on nothing is held on its account.

    It ends a suspicion; the next leap of its values is a new one.
    """
    return orders.carry_out("believe", source, asked)
