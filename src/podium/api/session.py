"""`/session`: the token, exchanged for a cookie that the page's requests and its event stream carry."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict

from podium.api import answers, guard
from podium.api.access import SESSION_SECONDS, Access
from podium.api.documented import returns
from podium.api.problems import Fault, Problem


class Credentials(BaseModel):
    """What is exchanged."""

    model_config = ConfigDict(extra="forbid")

    token: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A page's session: when it ends (Unix seconds), and what its writes must show in `X-CSRF-Token`."""

    expires: float
    csrf: str


def router(access: Access) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(tags=["session"])

    @routes.post("/session", responses=returns(Session))
    async def sign_in(request: Request, shown: Credentials) -> Response:
        """Exchange the token for a cookie session."""
        if not access.token_matches(shown.token):
            fault = Fault(path="body.token", expected="the token that Podium printed when it started")
            raise Problem(401, "This token is not the right one.", (fault,))
        cookie = access.open_session()
        answer = answers.plain(_session(access, cookie))
        set_cookie(request, answer, cookie)
        return answer

    @routes.get("/session", responses=returns(Session))
    async def show(request: Request) -> Response:
        """The session this request belongs to."""
        cookie = guard.session_cookie(request.headers)
        if access.session_expiry(cookie) is None:
            raise Problem(404, "This request carries a token and no session.")
        return answers.plain(_session(access, cookie))

    @routes.delete("/session", status_code=204)
    async def sign_out(request: Request, x_csrf_token: Annotated[str, Header()] = "") -> Response:
        """End the session; a copy of its cookie is refused from now on."""
        del x_csrf_token  # the guard has compared it; it is named here for the documentation
        access.end_session(guard.session_cookie(request.headers))
        answer = Response(status_code=204)
        answer.delete_cookie(guard.cookie_name(request.headers), path="/", httponly=True, samesite="strict")
        return answer

    return routes


def set_cookie(request: Request, answer: Response, cookie: str) -> None:
    """Give the browser its session: out of scripts' reach, and never sent from another site."""
    answer.set_cookie(
        guard.cookie_name(request.headers),
        cookie,
        max_age=int(SESSION_SECONDS),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _session(access: Access, cookie: str) -> Session:
    return Session(expires=access.session_expiry(cookie) or 0.0, csrf=access.csrf(cookie))
