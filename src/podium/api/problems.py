"""Errors on the wire: `application/problem+json` (RFC 9457) with every fault of the request at once."""

from __future__ import annotations

import http
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

_log = structlog.get_logger(__name__)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a request: where, what was expected, what came."""

    path: str
    line: int | None = None
    expected: str
    got: str | None = None


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What a problem looks like on the wire."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[Fault, ...] = ()


class Problem(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, status: int, detail: str, errors: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors


def answer(status: int, detail: str, errors: tuple[Fault, ...] = (), headers: dict[str, str] | None = None) -> Response:
    """The response that says so."""
    body = Body(title=http.HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    sent = {"cache-control": "no-store", **(headers or {})}
    if status == http.HTTPStatus.UNAUTHORIZED:
        sent["www-authenticate"] = 'Bearer realm="podium"'
    return Response(msgspec.json.encode(body), status, sent, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Render every error of the application as a problem."""
    for kind, render in (
        (Problem, _problem),
        (HTTPException, _http),
        (RequestValidationError, _validation),
        (Exception, _unexpected),
    ):
        app.add_exception_handler(kind, _as_handler(render))


def _as_handler(render: Callable[[Request, Any], Response]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def respond(request: Request, error: Exception) -> Response:
        return render(request, error)

    return respond


def _problem(_request: Request, error: Problem) -> Response:
    return answer(error.status, error.detail, error.errors)


def _http(request: Request, error: HTTPException) -> Response:
    details = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.url.path} does not take {request.method}.",
    }
    return answer(
        error.status_code, details.get(error.status_code, str(error.detail)), headers=dict(error.headers or {})
    )


def _validation(_request: Request, error: RequestValidationError) -> Response:
    faults = tuple(_fault(each) for each in error.errors())
    count = "One value is" if len(faults) == 1 else f"{len(faults)} values are"
    return answer(400, f"{count} not as expected.", faults)


def _fault(error: dict[str, Any]) -> Fault:
    path = _shown(".".join(str(part) for part in error["loc"]))
    if error["type"] == "extra_forbidden":
        return Fault(path=path, expected="no such parameter", got=_shown(error["input"]))
    got = None if error["type"] == "missing" else _shown(error["input"])
    return Fault(path=path, expected=error["msg"].removeprefix("Value error, "), got=got)


def _shown(value: object) -> str:
    text = str(value).encode("utf-8", "backslashreplace").decode()  # JSON may hold half a character, as in "\ud800"
    return text if len(text) <= 200 else text[:200] + "…"


def _unexpected(request: Request, error: Exception) -> Response:
    """A fault of ours: told in full to the log, in one line to the caller."""
    _log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return answer(500, "Podium failed to answer this request; its log says why.")
