"""The installation: its settings, its database, its documents, and the Podium that runs on them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from podium.cli import running, store
from podium.cli.checks.row import Row, State
from podium.cli.outcome import BadInput, OutOfReach
from podium.clients import database as databases
from podium.documents.collection import Documents
from podium.documents.problem import Invalid
from podium.documents.secret import Unreadable
from podium.model import clock
from podium.settings import Loaded

_TROUBLES = (databases.Temporary, databases.Permanent, Unreadable, BadInput)


def settings(loaded: Loaded) -> Iterator[Row]:
    """The settings file, and variables that mean nothing here."""
    yield Row("settings", "ok", str(loaded.file) if loaded.file else "no file: all defaults")
    for note in loaded.notes:
        yield Row("settings", "hint", note)


def wrong(what: str, error: Invalid) -> list[Row]:
    """Every mistake that somebody wrote."""
    return [Row(what, "wrong", str(problem)) for problem in error.problems]


def database(loaded: Loaded) -> Row:
    """Whether the database can be written, and of which version it is. Makes nothing."""
    file = store.file_of(loaded)
    if file is not None and not file.exists():
        there = next(place for place in file.parents if place.exists())
        if os.access(there, os.W_OK | os.X_OK) and there.is_dir():
            return Row("database", "ok", f"{file} is not there yet; `podium run` makes it")
        return Row("database", "wrong", f"{file} cannot be made", f"give this user write access to {there}")
    try:
        with store.ledger(loaded) as ledger:
            summary = ledger.summary()
    except _TROUBLES as error:
        words, _, remedy = str(error).partition("; ")
        return Row("database", "hint" if isinstance(error, BadInput) else "wrong", words, remedy)
    words = f"{ledger.url}, revision {summary.revision}"
    if file is not None and not os.access(file.parent, os.W_OK | os.X_OK):
        return Row("database", "wrong", f"{words}, its directory is read-only", f"give write access to {file.parent}")
    if summary.holder and summary.expires_us > summary.now_us:
        words += f"; {summary.holder} leads until {clock.rfc3339(summary.expires_us // 1_000_000)} unless it renews"
    return Row("database", "ok", words)


async def documents(loaded: Loaded) -> tuple[list[Row], Documents]:
    """The documents, and where they lie."""
    from podium.clients.kubernetes import errors
    from podium.wiring import authority

    path, from_cluster = loaded.value.documents.path, loaded.value.documents.authority == "kubernetes"
    if path is None and not from_cluster:
        words = "documents.path is not set, so nothing is scaled"
        return [Row("documents", "wrong", words, "name a folder of policies and signals in podium.yaml")], Documents()
    try:
        found = await authority.load(loaded)
    except Invalid as error:
        return wrong("documents", error), Documents()
    except (errors.Temporary, errors.Permanent) as error:
        return [Row("documents", "wrong", str(error))], Documents()
    where = f"cluster {loaded.value.clusters[0].name}" if from_cluster else str(path)
    return [Row("documents", "ok" if len(found) else "hint", f"{len(found)} in {where}")], found


def _standing(state: str, said: str) -> State:
    """Of a source: an answer that needs words is not plainly right."""
    if state != "ok":
        return "wrong"
    return "hint" if said else "ok"


async def running_here(loaded: Loaded) -> list[Row]:
    """What the Podium that runs on this installation says of its sources and guards."""
    from podium.cli.remote import Remote

    here = running.find(store.folder(loaded))
    if here is None:
        return [Row("podium", "ok", "does not run on these settings at the moment", "podium run")]
    try:
        fleet = await Remote(here.url, here.token).fleet()
    except (OutOfReach, BadInput) as error:
        return [Row("podium", "wrong", f"process {here.pid} runs, but does not answer: {error}")]
    rows = [Row("podium", "ok", f"turn {fleet.tick}, {fleet.total.workloads} workloads; {fleet.next}")]
    for source in fleet.sources:
        said = source.words.removeprefix(f"{source.name}: ")
        words, state = said or source.where, _standing(source.state, said)
        rows.append(Row(f"its source {source.name}", state, f"{source.state}: {words}"))
    told = {source.name for source in fleet.sources if source.state != "ok"}
    guards = (guard for guard in fleet.guards if not any(guard.startswith(f"source {name} ") for name in told))
    return [*rows, *(Row("its guard", "hint", guard) for guard in guards)]
