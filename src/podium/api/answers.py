"""Rendering: values to JSON by msgspec, with an ETag, and 304 for who has it already."""

from __future__ import annotations

import hashlib

import msgspec
from fastapi import Request, Response

JSON = "application/json"


def plain(value: object) -> Response:
    """An answer that is not kept: it is old a moment later. NaN becomes null. Bytes are JSON already."""
    return Response(_body(value), headers={"cache-control": "no-store"}, media_type=JSON)


def tagged(request: Request, value: object, etag: str | None = None) -> Response:
    """An answer with an ETag, of its bytes unless given; `If-None-Match` with the same one is answered with 304."""
    body = _body(value)
    etag = tag(body) if etag is None else etag
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if _holds(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


def tag(body: bytes) -> str:
    """The ETag of an answer."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def _body(value: object) -> bytes:
    return value if isinstance(value, bytes) else msgspec.json.encode(value)


def _holds(header: str, etag: str) -> bool:
    shown = {part.strip().removeprefix("W/") for part in header.split(",")}
    return etag in shown or "*" in shown
