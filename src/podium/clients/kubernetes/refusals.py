"""What the API server answered instead of what it was asked for, as an error that says so in a sentence."""

from __future__ import annotations

import msgspec

from podium.clients import http
from podium.clients.kubernetes import objects
from podium.clients.kubernetes.errors import (
    Conflict,
    Expired,
    Forbidden,
    Missing,
    Permanent,
    Temporary,
    Unauthorized,
)
from podium.clients.kubernetes.where import Where


def refusal(verb: str, where: Where | str, url: str, answer: http.HttpAnswer) -> Exception:
    """The error of an answer that is none, to a `verb` of `where`; `url` as people may see it."""
    words = _words(answer)
    came = f"{url}: HTTP {answer.status}" + (f": {words}" if words else "")
    match answer.status:
        case 401:
            return Unauthorized(f"{url}: the credentials are missing, wrong or expired (HTTP 401)")
        case 403:
            right = where if isinstance(where, str) else where.right
            return Forbidden(f"{url}: the right to {verb} {right} is missing: {words}")
        case 404:
            return Missing(f"{url}: there is no such thing: {words}")
        case 409:
            return Conflict(came)
        case 410:
            return Expired(came)
        case 408 | 429:
            return Temporary(came, _seconds(answer.retry_after))
        case status if status >= 500:
            return Temporary(came, _seconds(answer.retry_after))
        case status if 300 <= status < 400:
            return Permanent(f"{came}, a redirect to {http.shown(answer.location)}, which is not followed")
    return Permanent(came)


def _words(answer: http.HttpAnswer) -> str:
    """The API server's own sentence, or the start of whatever came."""
    try:
        failure = msgspec.json.decode(answer.body, type=objects.Failure)
        text = failure.message or failure.reason
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = answer.body[:120].decode(errors="replace")
    return " ".join(text.split())[:500]


def _seconds(retry_after: str) -> float | None:
    """Seconds of a Retry-After header; the API server never sends the other form, a date."""
    return float(retry_after) if retry_after.isdecimal() else None
