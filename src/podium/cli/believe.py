"""`podium believe`: what a suspect or frozen source says is taken for the truth."""

from __future__ import annotations

import click

from podium.cli import orders


@click.command()
@click.argument("source")
@orders.shared
def command(
    source: str,
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
    """Take what SOURCE says now for the truth: from the next turn on nothing is held on its account.

    It ends a suspicion; the next leap of its values is a new one.
    """
    from podium.cli import top

    answer = orders.give(
        lambda: top.find(url, token, config, flags, of_demo=of_demo),
        source,
        "believe",
        {"reason": reason},
        dry_run=dry_run,
        key=key,
    )
    return orders.tell(answer, f"believed: {source}", form, output)
