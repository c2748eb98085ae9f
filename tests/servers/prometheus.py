"""A real Prometheus on loopback, from the machine's own program, scraping an exporter process of ours."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HOW = "Prometheus' server program is missing; Debian: apt-get install prometheus, or set PODIUM_PROMETHEUS_BIN"

# Serves a file as /metrics, read anew for every scrape. A value such as `3/s` is a counter that rises by so much.
EXPORTER = """
import http.server, pathlib, re, sys, time

class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        since_year = time.time() % 31536000
        body = re.sub(
            rb"(?m) ([0-9.]+)/s$",
            lambda found: b" %.6f" % (float(found[1]) * since_year),
            pathlib.Path(sys.argv[2]).read_bytes(),
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Metrics).serve_forever()
"""

CONFIGURATION = """
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
scrape_configs:
  - job_name: exporter
    honor_labels: true
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Server:
    """One running Prometheus and its exporter. `process` and `exporter` may be frozen or killed by whoever owns it."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.port, self.exporter_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.exporter: subprocess.Popen[bytes] | None = None
        (folder / "metrics").write_text("")
        (folder / "prometheus.yml").write_text(CONFIGURATION.format(port=self.exporter_port))

    def start(self) -> None:
        if self.exporter is None:
            command = [sys.executable, "-c", EXPORTER, str(self.exporter_port), str(self.folder / "metrics")]
            self.exporter = subprocess.Popen(command)
        options = [
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([self.program, *options], stdout=log, stderr=log)
        self._eventually(self._ready)

    def stop(self) -> None:
        for process in (self.process, self.exporter):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait(30)

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def remember(self, *lines: str) -> None:
        """Start again with these samples (OpenMetrics, with times in seconds) as blocks of history."""
        self.kill()
        text = self.folder / "history"
        text.write_text("".join(line + "\n" for line in [*lines, "# EOF"]))
        tool = Path(self.program).with_name("promtool")
        made = [tool, "tsdb", "create-blocks-from", "openmetrics", "-q", text, self.folder / "data"]
        subprocess.run(made, check=True, capture_output=True)
        self.start()

    def expose(self, *lines: str) -> None:
        """Let the exporter say these lines (text exposition format) from the next scrape on."""
        new = self.folder / "metrics.new"
        new.write_text("".join(line + "\n" for line in lines))
        new.rename(self.folder / "metrics")

    def series(self, query: str) -> list[dict[str, Any]]:
        """What the server answers, asked without Podium."""
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            return list(json.load(answer)["data"]["result"])

    def until(self, query: str, count: int) -> None:
        """Wait until `query` answers `count` series."""
        self._eventually(lambda: len(self.series(query)) == count)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _eventually(self, holds: Any) -> None:
        for _ in range(300):
            if holds():
                return
            time.sleep(0.1)
        raise RuntimeError((self.folder / "log").read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def prometheus() -> Iterator[Server]:
    """A running server for the session. Tests expose metrics under names of their own: the last one exposes all."""
    yield from _running()


@pytest.fixture
def own_prometheus() -> Iterator[Server]:
    """A server for one test that freezes or kills it."""
    yield from _running()


def _running() -> Iterator[Server]:
    program = os.environ.get("PODIUM_PROMETHEUS_BIN") or shutil.which("prometheus")
    if program is None:
        pytest.skip(HOW)
    folder = Path(tempfile.mkdtemp(prefix="podium-prometheus-"))
    server = Server(program, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
