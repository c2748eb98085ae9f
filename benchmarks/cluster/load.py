"""The load of many workloads, as Prometheus answers it to Podium and as an adapter answers it to the HPA controller."""

from __future__ import annotations

import contextlib
import functools
import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from podium.clients import messages
from testbed.certificates import Pair

EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1"
Loads = dict[tuple[str, str], float]  # namespace and Deployment -> load


class LoadServer(ThreadingHTTPServer):
    """Both doors on one port; `loads` may be changed at any time. `questions` counts what was asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, loads: Loads) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.loads = loads
        self.questions = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


def wobbling(at: float) -> float:
    """A factor: a load that never changes by a hair is taken for a source that stands still."""
    return 1 - 0.0001 * (at * 0.618 % 1)


def remote_write(loads: Loads, at: float) -> bytes:
    """The loads as a Prometheus pushes them: a WriteRequest in snappy."""
    import cramjam

    request = _written()["WriteRequest"]()
    for (namespace, name), load in loads.items():
        series = request.timeseries.add()
        for label, value in (("__name__", "load"), ("deployment", name), ("namespace", namespace)):
            series.labels.add(name=label, value=value)
        series.samples.add(value=load * wobbling(at), timestamp=round(at * 1000))
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


@functools.cache
def _written() -> dict[str, Any]:
    return messages.built(
        "benchmarks.remote_write",
        {
            "Label": [("name", 1, "string"), ("value", 2, "string")],
            "Sample": [("value", 1, "double"), ("timestamp", 2, "int64")],
            "TimeSeries": [("labels", 1, "[]Label"), ("samples", 2, "[]Sample")],
            "WriteRequest": [("timeseries", 1, "[]TimeSeries")],
        },
    )


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LoadServer

    def do_GET(self) -> None:
        self.server.questions += 1
        address = urlsplit(self.path)
        asked = parse_qs(address.query)
        body = self._external(address.path, asked) if address.path.startswith(EXTERNAL) else self._prometheus(asked)
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _prometheus(self, asked: dict[str, list[str]]) -> dict[str, object]:
        if "time" not in asked:
            return {"status": "success", "data": {"resultType": "matrix", "result": []}}
        at = float(asked["time"][0])
        wobble = wobbling(at)
        series = [
            {"metric": {"namespace": namespace, "deployment": name}, "value": [at, f"{load * wobble:.4f}"]}
            for (namespace, name), load in self.server.loads.items()
        ]
        return {"status": "success", "data": {"resultType": "vector", "result": series}}

    def _external(self, path: str, asked: dict[str, list[str]]) -> dict[str, object]:
        parts = path.removeprefix(EXTERNAL).strip("/").split("/")
        if len(parts) < 3:
            load = {"name": "load", "namespaced": True, "kind": "ExternalMetricValueList", "verbs": ["get"]}
            version = "external.metrics.k8s.io/v1beta1"
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [load]}
        name = asked["labelSelector"][0].partition("=")[2]
        value = self.server.loads.get((parts[1], name), 0.0)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        item = {"metricName": "load", "metricLabels": {}, "timestamp": now, "value": f"{round(value * 1000)}m"}
        return {
            "kind": "ExternalMetricValueList",
            "apiVersion": "external.metrics.k8s.io/v1beta1",
            "metadata": {},
            "items": [item],
        }

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving(loads: Loads, tls: Pair | None = None) -> Iterator[LoadServer]:
    """A server of these loads; with TLS as an aggregated API must have it."""
    server = LoadServer(loads)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
