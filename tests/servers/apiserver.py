"""A small API server in memory: lists, gets, creates, patches and deletes with versions. What was asked is kept.

It stands in for a cluster where a test is about what is asked and in which order; what a real one makes of it is
tried on the control plane of testbed/.
"""

from __future__ import annotations

import copy
import http.server
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: here
clusters: [{{name: here, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: me, user: {{}}}}]
contexts: [{{name: here, context: {{cluster: here, user: me}}}}]
"""


class ApiServer:
    """Objects by path, as in `/api/v1/namespaces/shop/pods/web-1`."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.served: set[str] = set()  # resources that exist although no object does: "autoscaling/v2/…"
        self.refused: dict[str, int] = {}  # "VERB resource" or "VERB" -> status
        self.asked: list[tuple[str, str]] = []
        self.wrote: list[tuple[str, str]] = []
        self.dies_before: int | None = None  # so many writes are answered, then nobody is there any more
        self.kills: tuple[int, int] | None = None  # (writes, process): so many are done, then it is killed unanswered
        self.port = 0
        self._version = 100

    def put(self, group: str, resource: str, value: dict[str, Any]) -> dict[str, Any]:
        """Lay an object down; `group` is `apps/v1`, or `v1`."""
        metadata = value.setdefault("metadata", {})
        inside = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
        path = f"/{'apis' if '/' in group else 'api'}/{group}{inside}/{resource}/{metadata['name']}"
        self._version += 1
        metadata["resourceVersion"] = str(self._version)
        self.objects[path] = value
        return value

    def at(self, path: str) -> dict[str, Any]:
        """One object."""
        return self.objects[path]

    def kubeconfig(self, folder: Path) -> Path:
        """A kubeconfig whose context `here` leads to it."""
        file = folder / "kubeconfig"
        file.write_text(KUBECONFIG.format(port=self.port))
        return file

    def answer(self, verb: str, target: str, body: bytes, kind: str) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        path = urlsplit(target).path
        self.asked.append((verb, path))
        resource = self._resource(path)
        status = self.refused.get(f"{verb} {resource}") or self.refused.get(verb)
        if status:
            return status, _failure(status, f"{verb} {path} is refused")
        if path == "/version":
            return 200, {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}
        if verb == "GET":
            return self._get(path)
        if self.dies_before is not None:
            if self.dies_before == 0:
                return 0, {}
            self.dies_before -= 1
        self.wrote.append((verb, path))
        done: tuple[int, dict[str, Any]] = getattr(self, f"_{verb.lower()}")(path, json.loads(body or b"{}"), kind)
        if self.kills is not None and len(self.wrote) >= self.kills[0]:
            os.kill(self.kills[1], signal.SIGKILL)
            self.kills = None
            return 0, {}
        return done

    @staticmethod
    def _resource(path: str) -> str:
        parts = path.strip("/").split("/")
        rest = parts[3:] if parts[0] == "apis" else parts[2:]
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            rest = rest[2:]
        group = f".{parts[1]}" if parts[0] == "apis" and len(parts) > 1 else ""
        return (rest[0] if rest else "") + group

    def _get(self, path: str) -> tuple[int, dict[str, Any]]:
        if path in self.objects:
            return 200, self.objects[path]
        resource = self._resource(path)
        parts = path.strip("/").split("/")
        rest = parts[3:] if parts[0] == "apis" else parts[2:]
        named = len(rest) in (2, 4) and not (rest[0] == "namespaces" and len(rest) == 2)
        if named:
            return 404, _failure(404, f"{path} not found")
        namespace = rest[1] if rest[0] == "namespaces" else ""
        known = [(key, one) for key, one in self.objects.items() if self._resource(key) == resource]
        if not known and resource not in self.served:
            return 404, _failure(404, "the server could not find the requested resource")
        mine = [one for _, one in known if not namespace or one["metadata"].get("namespace") == namespace]
        return 200, {"metadata": {"resourceVersion": str(self._version)}, "items": mine}

    def _post(self, path: str, body: dict[str, Any], kind: str) -> tuple[int, dict[str, Any]]:
        del kind
        whole = f"{path}/{body['metadata']['name']}"
        if whole in self.objects:
            return 409, _failure(409, "already exists")
        return 201, self._kept(whole, body)

    def _patch(self, path: str, body: Any, kind: str) -> tuple[int, dict[str, Any]]:
        there = self.objects.get(path)
        if "apply-patch" in kind:
            return 200, self._kept(path, body)
        if there is None:
            return 404, _failure(404, f"{path} not found")
        merged = _json_patched(there, body) if "json-patch" in kind else _merged(there, body)
        if merged is None or merged["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
            return 409, _failure(409, "the object has been modified")
        return 200, self._kept(path, merged)

    def _delete(self, path: str, body: dict[str, Any], kind: str) -> tuple[int, dict[str, Any]]:
        del kind
        there = self.objects.get(path)
        if there is None:
            return 404, _failure(404, f"{path} not found")
        wanted = body.get("preconditions", {}).get("resourceVersion")
        if wanted not in (None, there["metadata"]["resourceVersion"]):
            return 409, _failure(409, "the object has been modified")
        del self.objects[path]
        return 200, {"kind": "Status", "status": "Success"}

    def _kept(self, path: str, value: dict[str, Any]) -> dict[str, Any]:
        self._version += 1
        whole = copy.deepcopy(value)
        whole["metadata"]["resourceVersion"] = str(self._version)
        self.objects[path] = whole
        return whole


def _failure(status: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "message": message, "code": status}


def _merged(there: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    out = dict(there) if isinstance(there, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = _merged(out.get(name), value)
    return out


def _json_patched(there: Any, operations: list[dict[str, Any]]) -> Any:
    """RFC 6902, of which add, replace, remove and test of members of objects."""
    out = copy.deepcopy(there)
    for one in operations:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in one["path"].split("/")[1:]]
        target = out
        for part in way:
            target = target[part]
        if one["op"] == "test":
            if target.get(last) != one["value"]:
                return None
        elif one["op"] == "remove":
            del target[last]
        else:
            target[last] = one["value"]
    return out


@contextmanager
def running() -> Iterator[ApiServer]:
    """One that answers until the block ends."""
    state = ApiServer()

    class Door(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = state.answer(self.command, self.path, body, self.headers.get("Content-Type") or "")
            if status == 0:
                self.close_connection = True
                return
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _any  # noqa: N815  as http.server names them

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        server.daemon_threads = True
        state.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield state
        server.shutdown()
