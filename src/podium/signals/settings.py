"""The `sources` branch of the settings: the systems that measure."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from podium.documents.secret import Secret
from podium.documents.shape import Objection, Shape
from podium.documents.values import Label, PositiveSeconds, unexpected

_URL = re.compile(r"https?://[^\s/]+.*")


def _http_url(value: str) -> str:
    if _URL.fullmatch(value) is None:
        raise unexpected("an HTTP address, as in http://127.0.0.1:9090")
    return value.rstrip("/")


HttpUrl = Annotated[str, pydantic.AfterValidator(_http_url)]


class SourceSettings(Shape):
    """One source of signals."""

    name: Label
    """What signals call it."""
    kind: Literal["prometheus", "replay", "cluster", "push"]
    """prometheus asks a server, replay reads a recording, cluster asks a cluster's own resource metrics, push waits to
    be told at /ingest."""
    url: HttpUrl | None = None
    """The server's address (prometheus)."""
    bearer: Secret | None = None
    """Reference to the token sent with every request (prometheus), or that senders must show (push): it opens nothing
    but this source; left out, senders show the token of the HTTP door."""
    timeout: PositiveSeconds = 5.0
    """Longest wait for an answer: a third of the usual tick, so that a silent source never makes a tick late."""
    path: pathlib.Path | None = None
    """The recording, CSV, CSV.gz or Parquet (replay)."""
    series: Annotated[int, Field(ge=1, le=2_000_000)] | None = None
    """How many series are kept in memory at most, about 1 kB each (push); left out, 200,000."""
    cluster: Label | None = None
    """Which cluster (cluster); may be left out when there is only one."""

    def objections(self) -> Iterator[Objection]:
        """Each kind has what it needs, and nothing that would do nothing."""
        belongs = {
            "url": ("prometheus",),
            "bearer": ("prometheus", "push"),
            "path": ("replay",),
            "series": ("push",),
            "cluster": ("cluster",),
        }
        for field, kinds in belongs.items():
            if self.kind not in kinds and getattr(self, field) is not None:
                yield Objection((field,), f"nothing here, because kind is {self.kind}")
        if self.kind == "prometheus" and self.url is None:
            yield Objection(("url",), "the server's address, because kind is prometheus")
        if self.kind == "replay" and self.path is None:
            yield Objection(("path",), "the recording's path, because kind is replay")
