"""`podium db`: the database of the ledger, looked after."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.ledger.ledger import Ledger
    from podium.ledger.verification import Verification


@click.group()
def command() -> None:
    """Look after the ledger's database: verify it, see what it holds."""


@command.command("verify", short_help="Walk the hash chain and the signed heads.")
@options.config
@options.demo
@options.output
def verify(config: str | None, flags: tuple[str, ...], of_demo: bool, form: str, output: str | None) -> int:
    """Walk the hash chain and the signed heads; name every entry that is not what was written.

    Exit code 1 when something was edited, deleted, reordered, replaced or cut off.
    """
    from podium.cli import store

    with store.ledger(options.recorded(config, flags, of_demo=of_demo)) as ledger:
        found = ledger.verify()
        if form == "json":
            options.emit(options.as_json(dataclasses.asdict(found) | {"ok": found.ok, "database": ledger.url}), output)
        else:
            _show_verified(ledger, found, output)
    return outcome.DONE if found.ok else outcome.NEGATIVE


def _show_verified(ledger: Ledger, found: Verification, output: str | None) -> None:
    from rich.text import Text

    from podium.cli import tables

    if found.ok:
        head = Text(f"{found.entries} entries, each as it was written", style="bold")
    else:
        faults = len(found.findings)
        head = Text(f"{faults} finding{'s' * (faults > 1)} in {found.entries} entries", style="bold red")
    heads = (
        f"a head signed in {ledger.heads.path} vouches for everything up to entry {found.signed_seq}"
        if found.signed_seq is not None
        else f"no signed head in {ledger.heads.path}: rows missing at the end would not be noticed"
    )
    parts: list[Any] = [head, ""]
    if found.findings:
        table = tables.table(("entry", "right"), "fault", "what does not hold")
        for finding in found.findings:
            seq = tables.UNKNOWN if finding.seq is None else str(finding.seq)
            table.add_row(seq, Text(str(finding.fault), style="bold red"), Text(finding.sentence))
        parts += [table, ""]
    tables.show([*parts, tables.pairs([("database", ledger.url), ("heads", heads)])], output)


@command.command("info", short_help="Say what the database holds, and who leads.")
@options.config
@options.demo
@options.output
def info(config: str | None, flags: tuple[str, ...], of_demo: bool, form: str, output: str | None) -> int:
    """Say what the database holds: version, entries by kind, bytes, epoch, and who leads."""
    from podium.cli import store

    with store.ledger(options.recorded(config, flags, of_demo=of_demo)) as ledger:
        facts = _facts(ledger)
    if form == "json":
        options.emit(options.as_json(facts), output)
    else:
        _show_info(facts, output)
    return outcome.DONE


def _facts(ledger: Ledger) -> dict[str, Any]:
    from podium.model import clock

    summary = ledger.summary()
    leads = bool(summary.holder) and summary.expires_us > summary.now_us
    return {
        "database": ledger.url,
        "revision": summary.revision,
        "entries": sum(kind.entries for kind in summary.kinds),
        "bytes": sum(kind.bytes for kind in summary.kinds),
        "kinds": [
            {
                "kind": kind.kind, "entries": kind.entries, "bytes": kind.bytes, "purged": kind.purged,
                "first": clock.rfc3339(kind.first_us // 1_000_000), "last": clock.rfc3339(kind.last_us // 1_000_000),
            }
            for kind in summary.kinds
        ],
        "epoch": summary.epoch,
        "leader": summary.holder if leads else None,
        "last_leader": summary.holder or None,
        "leads_until": clock.rfc3339(summary.expires_us / 1e6) if leads else None,
    }  # fmt: skip


def _show_info(facts: dict[str, Any], output: str | None) -> None:
    from podium.cli import tables

    table = tables.table("kind", ("entries", "right"), ("bytes", "right"), ("purged", "right"), "first", "last")
    for row in facts["kinds"]:
        numbers = (tables.count(row[name]) for name in ("entries", "bytes", "purged"))
        table.add_row(row["kind"], *numbers, row["first"], row["last"])
    leader = "nobody"
    if facts["leader"]:
        leader = f"{facts['leader']}, until {facts['leads_until']} unless it renews"
    rows = [
        ("database", facts["database"]),
        ("version", f"revision {facts['revision']}, which is this Podium's"),
        ("entries", f"{tables.count(facts['entries'])}, {tables.count(facts['bytes'])} bytes"),
        ("epoch", str(facts["epoch"])),
        ("leader", leader),
    ]
    tables.show([tables.pairs(rows), "", table], output)
