"""`podium db`: the database of the ledger, looked after."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.ledger.ledger import Ledger
    from podium.ledger.verification import Verification
    from podium.settings import Loaded


@click.group()
def command() -> None:
    """Look after the database: verify the ledger, see what is held, drop what is old."""


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


@command.command("purge", short_help="Drop what is older than the settings keep.")
@click.option(
    "--older-than",
    metavar="DURATION",
    help="Age of samples to drop, as in 7d (default: the setting database.retention.metrics).",
)
@click.option("--dry-run", is_flag=True, help="Say what would be dropped, and drop nothing.")
@options.config
@options.demo
@options.output
def purge(
    older_than: str | None,
    dry_run: bool,
    config: str | None,
    flags: tuple[str, ...],
    of_demo: bool,
    form: str,
    output: str | None,
) -> int:
    """Drop samples and recorded turns that are older than the settings keep, as a running Podium does every hour.

    The hash chain stays provable: an entry's payload goes, its digest stays. The room is used again; the file does not
    shrink.
    """
    from podium.cli import store
    from podium.signals.history.history import History
    from podium.wiring.installation import retained

    loaded = options.recorded(config, flags, of_demo=of_demo)
    kept = loaded.value.database.retention
    samples_age = kept.metrics if older_than is None else _age(older_than)
    with store.ledger(loaded) as ledger:
        now, history = _now(loaded, ledger), History(ledger.database)
        chunks = history.purge(now - samples_age, dry_run=dry_run)
        entries = {}
        for kind, age in retained(kept).items():
            before_us = round((now - age) * 1e6)
            entries[kind] = ledger.purgeable(kind, before_us) if dry_run else ledger.purge(kind, before_us)
    _show_purged(_Purged(dry_run, now, samples_age, chunks, retained(kept), entries), form, output)
    return outcome.DONE


def _age(text: str) -> float:
    """Seconds of `--older-than`. Raises BadParameter."""
    from podium.model import clock

    try:
        return clock.parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--older-than") from error


@dataclasses.dataclass(frozen=True)
class _Purged:
    """What was dropped, or would be."""

    dry_run: bool
    now: float
    samples_age: float
    chunks: int
    ages: dict[str, float]
    entries: dict[str, int]


def _now(loaded: Loaded, ledger: Ledger) -> float:
    """The time that ages count from: a simulated cluster has one of its own, which its newest turn tells."""
    from podium.loop.remember import record
    from podium.model import clock

    simulated = any(cluster.kind == "simulated" for cluster in loaded.value.clusters)
    newest = ledger.latest(record.TURN) if simulated else None
    return clock.wall_clock() if newest is None else newest.at_us / 1e6


def _show_purged(purged: _Purged, form: str, output: str | None) -> None:
    from podium.cli import tables
    from podium.model import clock

    if form == "json":
        ledger = [
            {"kind": kind, "olderThan": clock.duration(purged.ages[kind]), "entries": count}
            for kind, count in purged.entries.items()
        ]
        samples = {"olderThan": clock.duration(purged.samples_age), "chunks": purged.chunks}
        answer = {"dryRun": purged.dry_run, "now": clock.rfc3339(purged.now), "samples": samples, "ledger": ledger}
        options.emit(options.as_json(answer), output)
        return
    table = tables.table("what", "older than", ("would be dropped" if purged.dry_run else "dropped", "right"))
    table.add_row("samples of signals, in chunks", clock.duration(purged.samples_age), tables.count(purged.chunks))
    for kind, count in purged.entries.items():
        table.add_row(f"entries of kind {kind}", clock.duration(purged.ages[kind]), tables.count(count))
    tables.show([table], output)


def _facts(ledger: Ledger) -> dict[str, Any]:
    from podium.model import clock
    from podium.signals.history.history import History

    summary, samples = ledger.summary(), History(ledger.database).summary()
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
        "samples": {
            "chunks": samples.chunks, "samples": samples.samples, "bytes": samples.bytes,
            "first": None if samples.first_us is None else clock.rfc3339(samples.first_us // 1_000_000),
            "last": None if samples.last_us is None else clock.rfc3339(samples.last_us // 1_000_000),
        },
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
        ("samples", _samples(facts["samples"])),
        ("epoch", str(facts["epoch"])),
        ("leader", leader),
    ]
    tables.show([tables.pairs(rows), "", table], output)


def _samples(facts: dict[str, Any]) -> str:
    from podium.cli import tables

    if not facts["chunks"]:
        return "none stored yet: every half hour, until then the ledger holds them"
    each = facts["bytes"] / max(facts["samples"], 1)
    span = f"from {facts['first']} to {facts['last']}"
    return f"{tables.count(facts['samples'])} {span}, {tables.count(facts['bytes'])} bytes, {each:.1f} each"
