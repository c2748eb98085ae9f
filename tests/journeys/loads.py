"""A small server that answers Prometheus' queries with the load a test asks for, from the test's own process."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Loads = Callable[[float], dict[str, float]]  # Unix seconds -> load per Deployment


def steady(loads: Mapping[str, float]) -> Loads:
    """These loads, up to a thousandth less: what never changes by a hair is taken for a source that stands still."""
    return lambda at: {name: load * (1 - 0.001 * (at * 0.618 % 1)) for name, load in loads.items()}


class LoadServer(ThreadingHTTPServer):
    """`loads` may be replaced at any time. It knows no past: range queries have no result."""

    daemon_threads = True

    def __init__(self, namespace: str, loads: Loads) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.namespace = namespace
        self.loads = loads

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LoadServer

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        data: dict[str, object] = {"resultType": "matrix", "result": []}
        if not address.path.endswith("_range"):
            at = float(parse_qs(address.query)["time"][0])
            data = {"resultType": "vector", "result": [self._series(*one, at) for one in self.server.loads(at).items()]}
        body = json.dumps({"status": "success", "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _series(self, name: str, load: float, at: float) -> dict[str, object]:
        return {"metric": {"namespace": self.server.namespace, "deployment": name}, "value": [at, str(load)]}

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving(namespace: str, loads: Loads) -> Iterator[LoadServer]:
    """A server for the block."""
    with LoadServer(namespace, loads) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
