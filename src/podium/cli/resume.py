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
def command(
    target: str,
    direction: str,
    reason: str,
    dry_run: bool,
    key: str,
    url: str | None,
    token: str | None,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
    form: str,
    output: str | None,
) -> int:
    """Take the pauses of TARGET back: a workload, a namespace (`shop/*`), or `everything`.

    Only what was ordered of that same target is taken back: a workload stays paused while its namespace is. A pause
    that a document holds is taken away there. Exit code 1 when nothing is paused.
    """
    from podium.cli import top

    answer = orders.give(
        lambda: top.find(url, token, config, flags, of_demo=of_demo),
        target,
        "resume",
        {"direction": direction, "reason": reason},
        dry_run=dry_run,
        key=key,
    )
    return orders.tell(answer, f"resumed: {target}", form, output)
