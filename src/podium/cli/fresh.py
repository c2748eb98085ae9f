"""`podium run --fresh`: forget what was learned and recorded in a simulated cluster. A real one is never forgotten."""

from __future__ import annotations

import pathlib
import shutil
from typing import TYPE_CHECKING

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.settings import Loaded

BESIDE_SQLITE = ("", "-wal", "-shm", "-journal", ".heads", ".heads.key")  # what lies beside the ledger, and is it


def forget_demo() -> None:
    """Remove what the demo has learned and recorded, unless one runs just now."""
    from podium.cli import running

    folder = options.demo_folder()
    if (other := running.find(folder)) is not None:
        raise outcome.BadInput(f"a demo runs already (process {other.pid}, {other.url}); stop it before --fresh")
    shutil.rmtree(folder, ignore_errors=True)


def forget_own(loaded: Loaded, *, yes: bool) -> None:
    """Remove the ledger and the simulated world of an installation of one's own, once a person has agreed.

    Raises BadInput where something real would be forgotten, or where a Podium runs.
    """
    from podium.cli import running, store

    if any(cluster.kind != "simulated" for cluster in loaded.value.clusters):
        raise outcome.BadInput("--fresh is for simulated clusters: what was done to a real one stays on record")
    ledger = store.file_of(loaded)
    if ledger is None:
        raise outcome.BadInput("--fresh removes files, and the ledger of these settings lies in a database server")
    if (other := running.find(ledger.parent)) is not None:
        raise outcome.BadInput(f"Podium runs on this state (process {other.pid}, {other.url}); stop it before --fresh")
    files = [file for file in _kept(loaded, ledger) if file.is_file()]
    if not files:
        return
    if not yes:
        listed = "".join(f"\n  {file}" for file in files)
        click.confirm(f"Everything learned and recorded is forgotten. Remove{listed}\n?", abort=True, err=True)
    for file in files:
        file.unlink(missing_ok=True)


def _kept(loaded: Loaded, ledger: pathlib.Path) -> list[pathlib.Path]:
    """The files of the ledger and of each simulated world, there or not."""
    worlds = [ledger.parent / f"simulated-{cluster.name}.db" for cluster in loaded.value.clusters]
    files = [ledger.with_name(ledger.name + ending) for ending in BESIDE_SQLITE]
    return files + [world.with_name(world.name + ending) for world in worlds for ending in ("", "-wal", "-shm")]
