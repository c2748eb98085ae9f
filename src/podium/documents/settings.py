"""The `documents` branch of the settings."""

from __future__ import annotations

import pathlib
from typing import Literal

from podium.documents.shape import Shape


class DocumentsSettings(Shape):
    """Where policies, signals and the other documents come from."""

    authority: Literal["folder", "kubernetes"] = "folder"
    """Which side may be written: a folder of files, or the cluster's own objects; the other is read-only."""
    path: pathlib.Path | None = None
    """The folder, read with everything under it; left out, `podium run` shows its own example."""
