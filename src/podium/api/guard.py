"""The door itself, in front of every route: Host, Origin, token or session, CSRF, and the headers of every answer.

What is not named open here is closed. The open doors show nothing of the fleet: the page's own files, health and
readiness, and `/metrics`, which a scraper reads by address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.api import problems
from podium.api.access import Access

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
LONGEST_CREDENTIALS = 4096  # bytes of JSON around a token
INGEST = "/ingest/"
SENDER = "podium.sender"  # in the scope there: the source that the caller's token opens, and nothing else
READING = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS = {
    # Everything the page needs lies beside it. uPlot and Svelte set styles through the object model, which needs no
    # 'unsafe-inline'.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """ASGI middleware: refuses, or lets through."""

    def __init__(self, app: ASGIApp, access: Access, allowed_hosts: Collection[str]) -> None:
        self._app = app
        self._access = access
        self._hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = self._refuse(scope)
            await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refuse(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        path, method = scope["path"], scope["method"]
        return (
            self._wrong_host(path, headers)
            or _wrong_origin(path, method, headers)
            or (_too_long(method, headers) if _is_open(path, method) else self._unknown(scope, method, headers))
        )

    def _wrong_host(self, path: str, headers: Headers) -> Response | None:
        """DNS rebinding makes a browser send *its* host name to our address: a Host we do not know is refused.

        Probes are also taken by address, as a kubelet and a scraper send them: a rebound name is never an address.
        """
        host = headers.get("host", "").lower()
        name = _without_port(host)
        if host in self._hosts or name in self._hosts or (path in PROBES and _is_address(name)):
            return None
        known = ", ".join(sorted(self._hosts))
        fault = problems.Fault(path="header.host", expected=f"one of {known}", got=host or None)
        return problems.answer(421, "This address is not one Podium answers to; add it to api.hosts.", (fault,))

    def _unknown(self, scope: Scope, method: str, headers: Headers) -> Response | None:
        """At /ingest, the token of a source lets its sender in, too."""
        if scope["path"].startswith(INGEST):
            scheme, _, credential = headers.get("authorization", "").partition(" ")
            sender = self._access.sender(credential.strip()) if scheme.lower() == "bearer" else None
            if sender is not None:
                scope[SENDER] = sender
                return None
        return self._unknown_caller(method, headers)

    def _unknown_caller(self, method: str, headers: Headers) -> Response | None:
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if self._access.token_matches(credential.strip()):
                return None
            return problems.answer(401, "This token is not the right one; Podium printed it when it started.")
        cookie = session_cookie(headers)
        if self._access.session_expiry(cookie) is None:
            return problems.answer(401, "Show a token: `Authorization: Bearer …`, or sign in at /session.")
        if method not in READING and not self._access.csrf_matches(cookie, headers.get("x-csrf-token", "")):
            return problems.answer(
                403, "A write from a page needs the session's `X-CSRF-Token`; GET /session gives it."
            )
        return None


def cookie_name(headers: Headers) -> str:
    """Cookies are not kept apart by port, so two Podiums on one machine need two names: `podium_8080`."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"podium_{port}" if port.isdigit() else "podium"


def session_cookie(headers: Headers) -> str:
    """The session's cookie, or ""."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(cookie_name(headers))
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _is_open(path: str, method: str) -> bool:
    if path in PROBES or path in {"/", "/favicon.svg"} or path.startswith("/assets/"):
        return method in READING
    return path == "/session" and method == "POST"  # where the token is exchanged


def _wrong_origin(path: str, method: str, headers: Headers) -> Response | None:
    """A page of another origin, even of another port on this machine, may link here but not read or write."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower():
        fault = problems.Fault(path="header.origin", expected="the page's own origin", got=origin)
        return problems.answer(403, "Another site may not use this one.", (fault,))
    site = headers.get("sec-fetch-site", "none")
    if site in {"cross-site", "same-site"} and not (_is_open(path, method) and method in READING):
        fault = problems.Fault(path="header.sec-fetch-site", expected="same-origin or none", got=site)
        return problems.answer(403, "Another site may not use this one.", (fault,))
    return None


def _too_long(method: str, headers: Headers) -> Response | None:
    """Before anybody has said who they are, a body is a token and nothing longer."""
    if method in READING:
        return None
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) <= LONGEST_CREDENTIALS:
        return None
    fault = problems.Fault(
        path="header.content-length", expected=f"at most {LONGEST_CREDENTIALS} bytes", got=length or None
    )
    return problems.answer(413, "This is longer than a token.", (fault,))


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent
