"""The `documents` branch of the settings."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Literal

from podium.documents.shape import Objection, Shape
from podium.documents.values import Label


class DocumentsSettings(Shape):
    """Where policies, signals and the other documents come from."""

    authority: Literal["folder", "kubernetes"] = "folder"
    """Which side may be written: a folder of files, or the cluster's own objects; the other is read-only."""
    path: pathlib.Path | None = None
    """The folder, read with everything under it; left out, `podium run` shows its own example."""

    namespaces: tuple[Label, ...] = ()
    """Of the cluster's own objects those in these namespaces alone, which takes no right in others (kubernetes)."""

    def objections(self) -> Iterator[Objection]:
        """One side alone is followed."""
        if self.authority == "kubernetes" and self.path is not None:
            yield Objection(("path",), "nothing, because documents.authority is kubernetes")
        if self.authority == "folder" and self.namespaces:
            yield Objection(("namespaces",), "nothing, because documents.authority is folder")
