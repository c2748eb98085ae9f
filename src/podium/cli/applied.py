"""A policy changed where it is written: found in the settings' folder, shown as a diff, confirmed, recorded."""

from __future__ import annotations

import asyncio
import dataclasses
import difflib
import pathlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.documents.document import Document
    from podium.loop.policy import ScalingPolicy
    from podium.model.identity import WorkloadKey
    from podium.settings import Loaded


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What is to be changed in the policy of a workload, and why."""

    did: Literal["applied", "withdrawn"]
    key: WorkloadKey
    document: ScalingPolicy  # as it was followed
    before: Mapping[str, Any]  # path -> value
    after: Mapping[str, Any]
    annotation: tuple[str, str | None]  # None: taken out
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Edit:
    """The same in a file."""

    wish: Wish
    file: pathlib.Path
    old: bytes
    new: bytes

    @property
    def diff(self) -> str:
        """As `diff -u` shows it."""
        name, now = str(self.file), f"{self.file}, {self.wish.did}"
        old, new = self.old.decode().splitlines(), self.new.decode().splitlines()
        return "\n".join(difflib.unified_diff(old, new, name, now, lineterm=""))


def asking(*, yes: bool, form: str) -> None:
    """Refuse, before the work, what nobody could confirm after it. Raises BadInput."""
    if not yes and (form == "json" or not somebody_here()):
        raise outcome.BadInput("nobody is here to confirm it; --yes applies it without asking")


def somebody_here() -> bool:
    """Whether a person can answer a question."""
    return sys.stdin.isatty()


def edit_of(loaded: Loaded, wish: Wish) -> Edit:
    """The change in the file that holds the policy. Raises BadInput and Invalid."""
    from podium.documents import edit, reading
    from podium.documents.source import Mark

    found = _written(loaded, wish.document)
    file, mark = pathlib.Path(found.source.file), found.source.at() or Mark(1, 1)
    name, note = wish.annotation
    place = ("metadata", "annotations", name)
    given = {tuple(path.split(".")): value for path, value in wish.after.items()}
    gone = () if note is not None else (place,)
    try:
        data = file.read_bytes()
        new = edit.edited(data, mark, given if note is None else given | {place: note}, gone)
    except (OSError, edit.Uneditable, reading.Unreadable) as error:
        said = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise outcome.BadInput(
            f"{file}: cannot be changed: {said}; without --apply, --output FILE.yaml writes the document"
        ) from error
    return Edit(wish, file, data, new)


def _written(loaded: Loaded, document: ScalingPolicy) -> Document:
    from podium.loop.policy import ScalingPolicy
    from podium.wiring import authority

    if options.is_demo(loaded):
        raise outcome.BadInput("the demo's policies are a part of Podium and stay as they are; leave --apply out")
    folder = authority.folder(loaded)
    found = folder.load().find(ScalingPolicy, document.namespace, document.metadata.name)
    if found is None:
        raise outcome.BadInput(
            f"{folder.path}: there is no ScalingPolicy {document.namespace}/{document.metadata.name}"
        )
    if found.digest() != document.digest():
        raise outcome.BadInput(
            f"{found.source}: this policy was changed since Podium followed it last; start `podium run`, and ask again"
        )
    return found


def confirmed(one: Edit, *, yes: bool) -> bool:
    """Whether the person who has seen the diff wants it."""
    return yes or click.confirm(f"Write this to {one.file}?", default=False)


def put(one: Edit, loaded: Loaded, url: str | None, token: str | None) -> str:
    """Record the change with the running Podium, if there is one, and write it. The outcome in words.

    Raises OutOfReach where one is named and does not answer; then nothing is written.
    """
    from podium.documents import edit

    try:
        if one.file.read_bytes() != one.old:
            raise outcome.BadInput(f"{one.file}: was changed meanwhile; nothing was written")
        told = _record(one.wish, loaded, url, token)
        edit.replace(one.file, one.new)
    except OSError as error:
        raise outcome.BadInput(f"{one.file}: cannot be written: {error.strerror}") from error
    return f"{one.wish.did}: {one.file}; {told}"


def _record(wish: Wish, loaded: Loaded, url: str | None, token: str | None) -> str:
    from podium.cli import orders, running, store
    from podium.cli.remote import Remote

    here = running.find(store.folder(loaded))
    if url is None and here is None:
        return "no Podium runs here, so nobody recorded who did it"
    remote = Remote(
        url or (here.url if here else ""), token or (here.token if here and url in (None, here.url) else "")
    )
    body = {"did": wish.did, "before": wish.before, "after": wish.after, "reason": wish.reason[:500]}
    asyncio.run(remote.write(f"/api/v1/workloads/{wish.key}/tuning", body, {"X-Podium-Actor": orders.me()}))
    return "recorded in the ledger, and followed as soon as the running Podium has read it"
