"""What a source of pushed series is asked; and names as they are kept."""

from __future__ import annotations

import re

import msgspec

_ODD = re.compile(r"[^a-zA-Z0-9_:]")


class Pushed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is asked: the series of one metric with these labels."""

    metric: str
    match: tuple[tuple[str, str], ...] = ()
    rate: bool = False  # they count: their rise a second is wanted

    def query(self) -> str:
        """As a source is asked: JSON."""
        return msgspec.json.encode(self).decode()


def plain(name: str) -> str:
    """A name of a metric or a label as Prometheus writes it: `http.server.requests` is `http_server_requests`."""
    return _ODD.sub("_", name)


def question(metric: str, match: dict[str, str], *, rate: bool) -> str:
    """The query of a Signal's origin: names as they are kept."""
    labels = tuple(sorted((plain(name), value) for name, value in match.items()))
    return Pushed(metric=plain(metric), match=labels, rate=rate).query()
