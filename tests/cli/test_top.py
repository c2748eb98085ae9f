"""`podium top`: the fleet of a running Podium, once or live, and what it says when there is none."""

from __future__ import annotations

import contextlib
import fcntl
import http.server
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from tests.cli.outside import environment, podium
from tests.journeys.installation import Installation, rising

from podium.cli import fleet, tables
from podium.loop.tell.figures import Totals
from podium.loop.tell.view import FleetView, SourceRow, WorkloadRow

pytestmark = pytest.mark.timeout(240)
TOKEN = "a-token-for-tests-only"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    place = Installation.lay(tmp_path_factory.mktemp("running") / "here", rising(60 * 10), speed=60)
    place.start()
    place.until_ready()
    yield place
    assert place.stop() == 0


def test_the_podium_of_this_machine_is_found_without_options(running: Installation) -> None:
    done = podium("top", at=running.folder)
    assert (done.code, done.err) == (0, "")
    assert re.match(r"turn \d+ of 2026-03-02T\S+Z, simulated, 60 x, 4 workloads\n", done.out)
    assert re.search(r"^shop/web +own ", done.out, re.MULTILINE)
    assert "\x1b" not in done.out


def test_machines_get_the_view_itself(running: Installation) -> None:
    answer = podium("top", "-o", "json", at=running.folder).answer
    assert set(answer) == {*FleetView.__struct_fields__, "workloads"}
    assert [row["key"].rpartition("/")[2] for row in answer["workloads"]] == ["cart", "mail", "search", "web"]


def test_another_machine_is_asked_by_its_address_and_token(running: Installation, tmp_path: Path) -> None:
    url = running.url()
    assert podium("top", "--url", url, "--token", TOKEN, at=tmp_path).code == 0
    assert podium("top", "--url", url, at=tmp_path, PODIUM_TOKEN=TOKEN).code == 0
    assert podium("top", "--url", f"{url}/?token={TOKEN}", at=tmp_path).code == 0


def test_a_wrong_token_is_bad_input(running: Installation, tmp_path: Path) -> None:
    done = podium("top", "--url", running.url(), "--token", "not-the-right-token", at=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "Give the token with --token or PODIUM_TOKEN." in done.err


def test_nobody_at_home_is_out_of_reach(tmp_path: Path) -> None:
    assert podium("top", at=tmp_path).code == 3
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    done = podium("top", "--url", address, "--token", TOKEN, at=tmp_path)
    assert (done.code, "connection refused: nothing listens there" in done.err) == (3, True)


def test_an_address_that_is_none_is_bad_input(tmp_path: Path) -> None:
    done = podium("top", "--url", "localhost:8080", "--token", TOKEN, at=tmp_path)
    assert (done.code, "expected one as in http://127.0.0.1:8080" in done.err) == (2, True)


def test_silence_is_out_of_reach(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = podium("top", "--url", address, "--token", TOKEN, at=tmp_path)
    assert (done.code, "no answer within 5 s" in done.err) == (3, True)


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (200, b"<html>a router's login page</html>", 2, "this is no fleet of this version of Podium"),
        (200, b'{"at": 1, "tick": "many"}', 2, "this is no fleet of this version of Podium"),
        (404, b"no such page", 2, "HTTP 404: no such page; is this a Podium?"),
        (503, b'{"detail": "starting"}', 3, "HTTP 503: starting"),
    ],
)
def test_somebody_elses_answer_is_said_to_be_one(
    status: int, body: bytes, code: int, said: str, tmp_path: Path
) -> None:
    with answering(status, body) as address:
        done = podium("top", "--url", address, "--token", TOKEN, at=tmp_path)
    assert (done.code, said in done.err, len(done.err.splitlines())) == (code, True, 1), done.err


@pytest.mark.slow
def test_live_it_shows_a_lost_connection_and_finds_the_next_start_by_itself(tmp_path: Path) -> None:
    place = Installation.lay(tmp_path / "here", rising(60 * 10), speed=60)
    place.start()
    place.until_ready()
    with Terminal(place.folder, "top") as terminal:
        terminal.until(rb"turn \d+ of 2026-03-02")
        place.kill()
        terminal.until(rb"connection lost, trying again")
        place.start()
        place.until_ready()
        terminal.until_without(b"connection lost")
        assert terminal.interrupt() == 0
    assert place.stop() == 0


def view(count: int = 2, **changes: object) -> FleetView:
    total = Totals(
        tenant="", workloads=count, replicas=5, ready=5, wanted=5, unknown=0, states={"steady": count}, shadow=None
    )
    fields: dict[str, object] = {
        "at": 1_772_431_200.0, "tick": 7, "due": None, "interval_seconds": 15.0, "speed": 1.0, "simulated": False,
        "fleet": "f", "total": total, "tenants": (), "tenant_count": 1, "sources": (), "reduction": None, "pauses": (),
        "guards": (), "next": "next turn in 12 s",
    }  # fmt: skip
    return FleetView(**(fields | changes))  # type: ignore[arg-type]


def row(name: str, **changes: object) -> WorkloadRow:
    fields: dict[str, object] = {
        "key": f"local/shop/deployment.apps/{name}", "tenant": "shop", "mode": "own", "state": "steady", "replicas": 5,
        "ready": 5, "wanted": 5, "minimum": 1, "maximum": 9, "load": 512.5, "load_unit": "per_second",
        "load_origin": "", "capacity_per_replica": 100.0, "use": 1.025, "expected": 600.0, "coverage": 0.951,
        "trusted": True, "paused": "none", "hpa": None, "shadow": None,
    }  # fmt: skip
    return WorkloadRow(**(fields | changes))  # type: ignore[arg-type]


def lines(
    shown: FleetView, rows: list[WorkloadRow], width: str, monkeypatch: pytest.MonkeyPatch, **arguments: object
) -> list[str]:
    monkeypatch.setenv("COLUMNS", width)
    return tables.plain(fleet.picture(shown, rows, **arguments)).splitlines()  # type: ignore[arg-type]


def test_a_picture_of_the_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = row("web", wanted=9, ready=4, troubles=("refused: has changed",))
    unknown = row("mail", load=None, coverage=None, trusted=False, replicas=None, ready=None, wanted=None)
    silent = SourceRow(
        name="prom", kind="prometheus", where="", state="silent", since=1_772_431_110.0, words="no answer",
        workloads=2, held=2,
    )  # fmt: skip
    assert lines(view(sources=(silent,), guards=("reduction guard",)), [unknown, moving], "80", monkeypatch) == [
        "turn 7 of 2026-03-02T06:00:00Z, 2 workloads",
        "",
        "workload    mode   replicas   ready    load       forecast   held by",
        "────────────────────────────────────────────────────────────────────────────────",
        "shop/mail   own           -       -       -        not yet",
        "shop/web    own       5 > 9       4   512/s   trusted 95 %   refused: has",
        "                                                             changed; its",
        "                                                             maximum of 9",
        "",
        "source prom  silent for 1m30s  no answer",
        "! reduction guard",
        "next turn in 12 s",
    ]


def test_a_page_of_a_big_fleet_fits_the_screen_and_says_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    big = view(200, guards=("reduction guard",))
    rows = [row(f"w{number:03}") for number in range(fleet.room(big, 20))]
    shown = lines(big, rows, "80", monkeypatch, total=200, first=40)
    assert len(shown) <= 20
    assert f"41 to {40 + len(rows)} of 200" in shown


def test_a_tenant_is_shown_where_the_namespace_does_not_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = lines(view(), [row("cart"), row("web", tenant="acme")], "100", monkeypatch)
    assert shown[2].split()[:2] == ["workload", "tenant"]
    assert shown[4].split()[:2] == ["shop/cart", "shop"]
    assert shown[5].split()[:2] == ["shop/web", "acme"]


def test_what_a_filter_may_say_is_told_by_the_podium_that_refused_it(running: Installation) -> None:
    done = podium("top", "--once", "--filter", "colour:red", at=running.folder)
    assert (done.code, done.out) == (2, "")
    assert "query.filter: expected words, or field:value with a field of tenant," in done.err


def test_a_table_holds_what_was_asked_for_in_the_order_that_was_asked_for(running: Installation) -> None:
    done = podium("top", "--sort", "-key", "--filter", "shop/ a", "--limit", "2", "-o", "json", at=running.folder)
    assert [one["key"].rpartition("/")[2] for one in done.answer["workloads"]] == ["web", "search"]


def test_keys_order_filter_and_leave_a_live_table(running: Installation) -> None:
    with Terminal(running.folder, "top") as terminal:
        terminal.until(rb"by state")
        terminal.type(b"s")
        terminal.until(rb"by replicas")
        terminal.type(b"/cart\r")
        terminal.until(rb"only cart")
        terminal.until_without(b"shop/web")
        terminal.type(b"q")
        assert terminal.ended() == 0


@contextlib.contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that says one thing to everybody."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            del words

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


class Terminal:
    """A program on a terminal of 24 lines and 80 columns."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder, self._arguments = folder, arguments

    def __enter__(self) -> Self:
        self._out, self._mark = b"", 0
        self._fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "podium.cli.main", *self._arguments],
            cwd=self._folder, env=environment(self._folder, TERM="xterm"), stdin=inner, stdout=inner, stderr=inner,
        )  # fmt: skip
        os.close(inner)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._fd)

    def until(self, pattern: bytes, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self._out[self._mark :])):
            assert time.monotonic() < deadline, self._out[-3000:]
            self._read(0.2)
        self._mark += found.end()

    def until_without(self, text: bytes, seconds: float = 60.0) -> None:
        """Wait for a whole picture that does not say `text`."""
        deadline = time.monotonic() + seconds
        while True:
            assert time.monotonic() < deadline, self._out[-3000:]
            self._read(0.2)
            pictures = self._out[self._mark :].split(b"\x1b[H")  # each begins in the upper left corner
            if any(b"turn " in picture and text not in picture for picture in pictures[1:-1]):
                return

    def type(self, keys: bytes) -> None:
        """What a person types."""
        os.write(self._fd, keys)

    def interrupt(self) -> int:
        """ctrl-C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        """The exit code, once it has ended."""
        deadline = time.monotonic() + 20
        while self._process.poll() is None:
            assert time.monotonic() < deadline, self._out[-3000:]
            self._read(0.1)
        return self._process.returncode

    def _read(self, seconds: float) -> None:
        if select.select([self._fd], [], [], seconds)[0]:
            with contextlib.suppress(OSError):  # the other side has closed
                self._out += os.read(self._fd, 65536)
