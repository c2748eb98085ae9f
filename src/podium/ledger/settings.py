"""The `database` branch of the settings."""

from __future__ import annotations

import re
from typing import Annotated

import pydantic

from podium.documents.secret import Secret
from podium.documents.shape import Shape
from podium.documents.values import PositiveSeconds, unexpected

_URL = re.compile(r"(sqlite|postgresql)(\+[a-z0-9]+)?://.*")


def _url(value: str) -> str:
    if _URL.fullmatch(value) is None:
        raise unexpected("a database URL, as in sqlite:///podium.db or postgresql://user@host/podium")
    return value


DatabaseUrl = Annotated[str, pydantic.AfterValidator(_url)]


class Retention(Shape):
    """How long the ledger keeps what."""

    inputs: PositiveSeconds = 7 * 86400.0
    """Age at which recorded inputs of ticks are dropped: last week can be replayed."""
    changes: PositiveSeconds = 90 * 86400.0
    """Age at which decisions are dropped: a quarter, the usual span of a review."""
    metrics: PositiveSeconds = 30 * 86400.0
    """Age at which kept samples of signals are dropped: a month to look back on and to back-test."""
    metrics_step: PositiveSeconds = 60.0
    """Time between two kept samples of a series: what forecasts are made on. 15s keeps all, in four times the room."""


class DatabaseSettings(Shape):
    """The one database."""

    url: DatabaseUrl = ""
    """SQLite or PostgreSQL; by default `podium.db` in the platform's state directory ($XDG_STATE_HOME/podium)."""
    password: Secret | None = None
    """Reference to the password, so that the URL needs none."""
    retention: Retention = Retention()
    """How long the ledger keeps what."""
