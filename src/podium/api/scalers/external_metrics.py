"""external.metrics.k8s.io/v1beta1: an aggregated API of Kubernetes with one metric, the replicas that Podium wants.

    GET /apis/external.metrics.k8s.io/v1beta1/namespaces/shop/podium-replicas?labelSelector=workload=web

The API server has checked the asker's rights before it passes a question on, and shows that it is the API server by a
certificate of its request-header authority; Podium's own token opens the door, too. What is not known is an error:
an HPA then does not scale down, and does all else as before. https://kubernetes.io/docs/tasks/extend-kubernetes/
"""

from __future__ import annotations

import asyncio
import hmac
import ssl
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from podium.clients.kubernetes import selectors
from podium.loop.modes.board import METRIC, Absent, Board, Unasked, Wanted
from podium.model import clock

GROUP = "external.metrics.k8s.io"
VERSION = "v1beta1"
ROOT = f"/apis/{GROUP}/{VERSION}"
_REASONS = {400: "BadRequest", 401: "Unauthorized", 404: "NotFound", 405: "MethodNotAllowed", 503: "ServiceUnavailable"}

Answer = tuple[int, dict[str, Any]]  # an HTTP status and a body


def answer(board: Board, path: str, query: Mapping[str, str]) -> Answer:
    """What the API says to a GET."""
    if path == f"/apis/{GROUP}":
        return 200, _group()
    if path == ROOT:
        return 200, _resources()
    parts = path.removeprefix(f"{ROOT}/").split("/")
    if not path.startswith(f"{ROOT}/") or len(parts) != 3 or parts[0] != "namespaces":
        return _failure(404, f"{path} is not served here")
    namespace, metric = parts[1:]
    if metric != METRIC:
        return _failure(404, f"there is no metric {metric}; there is {METRIC}")
    try:
        wanted = board.ask(namespace, selectors.parse(query.get("labelSelector", "")))
    except ValueError as error:
        return _failure(400, str(error))
    except Unasked as error:
        return _failure(404, str(error))
    except Absent as error:
        return _failure(503, str(error))
    return 200, _values([wanted])


class Door:
    """The API over TLS. `names` are the common names that the aggregator may have; none given, any that is signed."""

    def __init__(self, board: Board, token: str, names: Callable[[], tuple[str, ...]]) -> None:
        self._board = board
        self._token = token.encode()
        self._names = names

    async def serve(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        """Answer until cancelled. Raises OSError when the address cannot be had."""
        application = web.Application(client_max_size=1024)
        application.router.add_route("*", "/{path:.*}", self._respond)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, ssl_context=tls).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _respond(self, request: web.Request) -> web.Response:
        if request.path in ("/healthz", "/readyz", "/livez"):
            return web.Response(text="ok")
        if not self._admitted(request):
            status, body = _failure(401, "neither a certificate of the API server's aggregator nor Podium's token")
        elif request.method != "GET":
            status, body = _failure(405, "only GET is served")
        else:
            status, body = answer(self._board, request.path, request.query)
        return web.json_response(body, status=status)

    def _admitted(self, request: web.Request) -> bool:
        certificate = request.transport.get_extra_info("peercert") if request.transport is not None else None
        if certificate:  # TLS has proven who signed it
            allowed = self._names()
            return not allowed or _common_name(certificate) in allowed
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Bearer" and hmac.compare_digest(given.strip().encode(), self._token)


def _common_name(certificate: Mapping[str, Any]) -> str:
    pairs = [pair for part in certificate.get("subject", ()) for pair in part]
    return next((str(value) for name, value in pairs if name == "commonName"), "")


def _group() -> dict[str, Any]:
    version = {"groupVersion": f"{GROUP}/{VERSION}", "version": VERSION}
    return {"kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": [version], "preferredVersion": version}


def _resources() -> dict[str, Any]:
    resource = {
        "name": METRIC,
        "singularName": "",
        "namespaced": True,
        "kind": "ExternalMetricValueList",
        "verbs": ["get"],
    }
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{GROUP}/{VERSION}",
        "resources": [resource],
    }


def _values(wanted: list[Wanted]) -> dict[str, Any]:
    items = [
        {
            "metricName": METRIC,
            "metricLabels": one.labels,
            "timestamp": clock.rfc3339(int(one.at)),
            "value": str(one.replicas),
        }
        for one in wanted
    ]
    return {"kind": "ExternalMetricValueList", "apiVersion": f"{GROUP}/{VERSION}", "metadata": {}, "items": items}


def _failure(code: int, words: str) -> Answer:
    return code, {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"podium: {words}",
        "reason": _REASONS.get(code, HTTPStatus(code).phrase),
        "code": code,
    }
