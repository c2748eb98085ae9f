"""A folder of documents, read as one set and read again whenever it changes.

A change that is wrong is reported and changes nothing: the set before it stays in force.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import pathlib
import stat
from collections.abc import AsyncGenerator, Iterator, Sequence

import watchfiles

from podium.documents import reading
from podium.documents.collection import Check, Documents, gather
from podium.documents.document import Document
from podium.documents.loading import Asides, Kinds, parse
from podium.documents.problem import Invalid, Problem, unreadable

SUFFIXES = (".yaml", ".yml", ".json")
SETTLE_SECONDS = 0.1  # an editor's rename and a kubelet's swap of `..data` are over by then
LOOK_AGAIN_SECONDS = 0.5  # how often to see whether the folder is still the same one: one stat


@dataclasses.dataclass(frozen=True)
class Folder:
    """Every document under `path`, which may also be a single file."""

    path: pathlib.Path
    kinds: Kinds
    checks: Sequence[Check] = ()
    asides: Asides = dataclasses.field(default_factory=dict)

    def load(self) -> Documents:
        """All documents as one set. Raises Invalid with every problem of every file."""
        return gather(*self.read(), self.checks)

    def read(self) -> tuple[list[Document], list[Problem]]:
        """The documents that are right, and every problem of those that are not, without the checks between them.

        Raises Invalid when there is no such folder.
        """
        documents: list[Document] = []
        problems: list[Problem] = []
        if not self.path.exists():
            raise Invalid([Problem(str(self.path), 0, 0, "", "a folder of documents", "nothing there")])
        files = [self.path] if self.path.is_file() else sorted(_documents(self.path, problems))
        for file in files:
            try:
                data = _content(file)
            except OSError as error:
                problems.append(Problem(str(file), 0, 0, "", "a file that can be read", unreadable(error)))
                continue
            found, wrong = parse(data, str(file), self.kinds, self.asides)
            documents += found
            problems += wrong
        return documents, problems

    async def changes(self, known: Documents) -> AsyncGenerator[Documents | Invalid]:
        """Every set that differs from the one before, starting from `known`; or why the newest is not in force.

        Never ends. After an Invalid comes the next set that is right, even if it is the one in force. A folder that
        vanishes is an Invalid, and is looked for again. Closing the iterator stops the watch.
        """
        last: Documents | Invalid = known
        while True:
            async with contextlib.aclosing(self._touched()) as touched:
                async for _ in touched:
                    new = await asyncio.to_thread(self._attempt)
                    if not _same(new, last):
                        last = new
                        yield new

    def _attempt(self) -> Documents | Invalid:
        try:
            return self.load()
        except Invalid as error:
            return error

    async def _touched(self) -> AsyncGenerator[None]:
        """Once when the watch stands (something may have changed before), then after every change.

        Ends when the folder was taken away or replaced, because a watch stays with what was there.
        """
        watched = self._identity()
        if watched is None:
            yield
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            return
        watch = watchfiles.awatch(
            self._watched(),
            watch_filter=None,
            step=int(SETTLE_SECONDS * 1000),
            yield_on_timeout=True,
            rust_timeout=int(LOOK_AGAIN_SECONDS * 1000),
        )
        first = True
        async with contextlib.aclosing(watch):
            async for changes in watch:
                if self._identity() != watched:
                    return
                if first or changes:
                    yield
                first = False

    def _identity(self) -> tuple[int, int] | None:
        """Which folder is there now; another one of the same name is another one."""
        try:
            found = self._watched().stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _watched(self) -> pathlib.Path:
        # A single file is watched through its folder: editors replace files, and a watch on the old one sees nothing.
        return self.path.parent if self.path.suffix.lower() in SUFFIXES and not self.path.is_dir() else self.path


def _content(file: pathlib.Path) -> bytes:
    """The text of a file, cut off where it is too long to be read anyway. Raises OSError."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError("not a regular file")  # opening a pipe would wait for a writer, and a device may have no end
    with file.open("rb") as opened:
        return opened.read(reading.MAX_BYTES + 1)


def _documents(path: pathlib.Path, problems: list[Problem]) -> Iterator[pathlib.Path]:
    """Files with documents under `path`, each folder once, links followed; folders that cannot be listed are problems.

    Hidden names are left out: editors' temporary files, `.git`, and the `..data` and `..2026_…` folders in which a
    kubelet keeps a ConfigMap's files, whose visible names are links into them.
    """

    def unlisted(error: OSError) -> None:
        # Passing over a folder in silence would take its policies out of force.
        got = error.strerror or str(error)
        problems.append(Problem(str(error.filename), 0, 0, "", "a folder that can be listed", got))

    seen: set[str] = set()
    for folder, names, files in os.walk(path, followlinks=True, onerror=unlisted):
        real = os.path.realpath(folder)
        if real in seen:  # a link to a folder around it
            names.clear()
            continue
        seen.add(real)
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in files:
            file = pathlib.Path(folder, name)
            if not name.startswith(".") and file.suffix.lower() in SUFFIXES:
                yield file


def _same(new: Documents | Invalid, last: Documents | Invalid) -> bool:
    if isinstance(new, Documents) and isinstance(last, Documents):
        return new.digest == last.digest
    if isinstance(new, Invalid) and isinstance(last, Invalid):
        return new.problems == last.problems
    return False
