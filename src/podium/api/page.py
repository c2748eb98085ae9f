"""`/`: the page, as `dashboard/` built it. It holds no data; everything it shows comes through the API."""

from __future__ import annotations

import pathlib

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse

from podium.api.access import Access
from podium.api.problems import Problem
from podium.api.session import set_cookie

BUILT = pathlib.Path(__file__).parent / "static"
MISSING = (
    "The page is not built: run `npm ci && npm run build` in dashboard/, then reload. The API under /api/v1 works.\n"
)
LONGEST_NAME = 100  # what the build writes has some 30 characters; a file system refuses 256 with an error
_FOREVER = "public, max-age=31536000, immutable"  # a name in assets/ holds the hash of its content


def router(access: Access, built: pathlib.Path) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def page(request: Request) -> Response:
        """The page; with `?token=…` sign in first and come back without it, so that no history keeps the token."""
        shown = request.query_params.get("token")
        if shown is not None:
            return _signed_in(request, access, shown)
        index = built / "index.html"
        if not index.is_file():
            return PlainTextResponse(MISSING, 503, headers={"cache-control": "no-store"})
        return FileResponse(index, headers={"cache-control": "no-cache"})

    @routes.get("/assets/{name}")
    async def asset(name: str) -> Response:
        """Scripts and styles."""
        return _file(built / "assets", name, _FOREVER)

    @routes.get("/favicon.svg")
    async def favicon() -> Response:
        """The sign in the browser's tab."""
        return _file(built, "favicon.svg", "public, max-age=3600")

    return routes


def _signed_in(request: Request, access: Access, shown: str) -> Response:
    right = access.token_matches(shown)
    answer = RedirectResponse("/" if right else "/#/refused", 303, headers={"cache-control": "no-store"})
    if right:
        set_cookie(request, answer, access.open_session())
    return answer


def _file(folder: pathlib.Path, name: str, keep: str) -> Response:
    path = folder / name
    if path.parent != folder or len(name) > LONGEST_NAME or not path.is_file():
        raise Problem(404, f"The page has no file {name}.")
    return FileResponse(path, headers={"cache-control": keep})
