"""`podium tune --apply` and `--check --apply`: the file changed in place, recorded where a Podium runs, taken back."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import pathlib
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import msgspec
import pytest
from click.testing import Result
from tests.cli.test_from_ledger import call
from tests.documents.samples import SIGNAL
from tests.loop import scenes
from tests.loop.backtest.past import BEGIN, laid
from tests.loop.backtest.test_likely import score

from podium.cli import applied, outcome
from podium.documents.loading import loads
from podium.kinds import KINDS
from podium.loop.backtest import promise, tune
from podium.loop.policy import ScalingPolicy
from podium.loop.tabulate import Policies

KEY = "local/shop/deployment.apps/web"
POLICY = """\
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata:
  name: web  # the shop window
  namespace: shop
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  replicas: {min: 2, max: 60}  # two zones
  load: {signal: requests_per_second, capacityPerReplica: 85}
"""
# Ten replicas stood there under a load that needs twelve at noon: more was unserved than this promises.
PROMISE = promise.Promise(
    at=BEGIN, risk=0.001, unserved=0.001, cost=9.0, before={"spec.replicas.min": 4}, after={"spec.replicas.min": 2}
)
TUNED = POLICY.replace(
    "  namespace: shop\n",
    f"  namespace: shop\n  annotations:\n    podium.dev/tuned: '{msgspec.json.encode(PROMISE).decode()}'\n",
)
KEPT = TUNED.replace('"unserved":0.001', '"unserved":0.5')
SETTINGS = """\
apiVersion: podium.dev/v1alpha1
kind: Settings
documents: {{path: policies}}
database: {{url: "sqlite:///{folder}/podium.db"}}
sources: [{{name: prom, kind: prometheus, url: "http://127.0.0.1:9"}}]
"""
THREE = POLICY.replace("min: 2", "min: 3")
CART = POLICY.replace("name: web  #", "name: cart  #")
ANCHORED = POLICY.replace("{min: 2", "&r {min: 2")
NOW = ("web", "--apply", "--yes")
Place = Callable[..., tuple[str, ...]]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], pathlib.Path]:
    """The database of two and a half days under a policy: laid once, and copied for whoever needs it."""

    @functools.cache
    def made(followed: str) -> pathlib.Path:
        (document,) = loads(followed.encode(), "web.yaml", KINDS)
        assert isinstance(document, ScalingPolicy)
        folder = tmp_path_factory.mktemp("past")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(scenes, "policies", lambda: Policies({scenes.WEB: document}))
            laid(folder, days=2.5)
        return folder

    return made


@pytest.fixture
def place(tmp_path: pathlib.Path, past: Callable[[str], pathlib.Path]) -> Place:
    """An installation with `policy` in a file and a past under `followed`: the options that name it."""

    def made(policy: str, followed: str | None = None) -> tuple[str, ...]:
        shutil.copytree(past(followed or policy), tmp_path, dirs_exist_ok=True)
        (tmp_path / "policies").mkdir()
        (tmp_path / "policies" / "web.yaml").write_text(policy)
        (tmp_path / "policies" / "signal.yaml").write_text(SIGNAL)
        (tmp_path / "podium.yaml").write_text(SETTINGS.format(folder=tmp_path))
        return "--config", str(tmp_path / "podium.yaml")

    return made


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the search had found that fewer replicas are enough; how it searches is tested elsewhere."""
    present = tune.Setting(0.001, 300, 2, 60)
    scores = (score([2000] * 4), score([1500] * 4))
    made = tune.Tuned(
        risk=0.001, present=present, chosen=dataclasses.replace(present, minimum=1), tried=30, first_days=4,
        first=scores, rest=scores, saved=(1.0, 2.0), holds=True,
        changes=(tune.Change("spec.replicas.min", 2, 1, "99 in 100 minutes needed 1 or more"),),
    )  # fmt: skip
    monkeypatch.setattr(tune, "tune", lambda *_: made)


def written(folder: pathlib.Path) -> str:
    return (folder / "policies" / "web.yaml").read_text()


def tuning(place: tuple[str, ...], *words: str) -> Result:
    return call("tune", *words, *place)


def test_a_proposal_is_written_where_the_policy_is_and_its_comments_stay(
    place: Place, found: None, tmp_path: pathlib.Path
) -> None:
    done = tuning(place(POLICY), "web", "--apply", "--yes")
    assert done.exit_code == 0, done.stderr
    assert "+  replicas: {min: 1, max: 60}  # two zones" in done.stdout
    assert "no Podium runs here, so nobody recorded who did it" in done.stdout
    note: list[str] = []
    rest: list[str] = []
    for line in written(tmp_path).splitlines(keepends=True):
        (note if "annotations:" in line or "podium.dev/tuned" in line else rest).append(line)
    assert "".join(rest) == POLICY.replace("min: 2", "min: 1")
    (document,) = loads(written(tmp_path).encode(), "web.yaml", KINDS)
    assert isinstance(document, ScalingPolicy)
    given = promise.promise_of(document)
    assert given is not None
    assert (given.before, given.after) == ({"spec.replicas.min": 2}, {"spec.replicas.min": 1})


@pytest.mark.parametrize(("answer", "code", "after"), [(True, 0, "min: 1"), (False, 1, "min: 2")])
def test_a_person_is_asked_before_anything_is_written(
    place: Place, found: None, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch,
    answer: bool, code: int, after: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(applied, "somebody_here", lambda: True)
    monkeypatch.setattr("click.confirm", lambda words, default: answer)
    done = tuning(place(POLICY), "web", "--apply")
    assert (done.exit_code, after in written(tmp_path)) == (code, True), done.stderr
    assert ("Nothing was changed." in done.stdout) is not answer


@contextlib.contextmanager
def answering(status: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A door that remembers what is posted to it."""
    posted: list[dict[str, Any]] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted.append(body | {"path": self.path, "by": self.headers["X-Podium-Actor"]})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b'{"detail": "this Podium does not lead"}')

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", posted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_running_podium_records_who_applied_what(place: Place, found: None, tmp_path: pathlib.Path) -> None:
    with answering(200) as (url, posted):
        done = tuning(place(POLICY), "web", "--apply", "--yes", "--url", url, "--token", "t" * 20, "-o", "json")
    (said,) = posted
    assert (done.exit_code, said["path"]) == (0, f"/api/v1/workloads/{KEY}/tuning")
    assert (said["did"], said["before"], said["after"]) == (
        "applied", {"spec.replicas.min": 2}, {"spec.replicas.min": 1},
    )  # fmt: skip
    assert "@" in said["by"]
    assert json.loads(done.stdout)["applied"].endswith("as soon as the running Podium has read it")


def test_nothing_is_written_that_cannot_be_recorded(place: Place, found: None, tmp_path: pathlib.Path) -> None:
    with answering(503) as (url, _):
        done = tuning(place(POLICY), "web", "--apply", "--yes", "--url", url, "--token", "t" * 20)
    assert (done.exit_code, written(tmp_path)) == (outcome.OUT_OF_REACH, POLICY)


def test_a_broken_promise_is_taken_back_in_place(place: Place, tmp_path: pathlib.Path) -> None:
    done = tuning(place(TUNED), "--check", "--apply", "--yes")
    assert done.exit_code == 1, done.stderr
    assert "did worse" in done.stdout
    assert written(tmp_path) == POLICY.replace("min: 2", "min: 4")


def test_without_apply_a_broken_promise_is_only_said(place: Place, tmp_path: pathlib.Path) -> None:
    done = tuning(place(TUNED), "web", "--check")
    assert (done.exit_code, written(tmp_path)) == (1, TUNED)
    assert "spec.replicas.min: was 4" in done.stdout
    assert "--apply takes it back" in done.stdout


def test_a_kept_promise_stays_applied(place: Place, tmp_path: pathlib.Path) -> None:
    done = tuning(place(KEPT), "--check", "--apply", "--yes")
    assert (done.exit_code, written(tmp_path)) == (0, KEPT), done.stdout
    assert "it kept what was promised" in done.stdout


def test_what_somebody_changed_since_is_left_to_them(place: Place, tmp_path: pathlib.Path) -> None:
    done = tuning(place(TUNED.replace("min: 2", "min: 3")), "--check", "--apply", "--yes")
    assert "spec.replicas.min: somebody changed it since; it stays" in done.stdout
    assert written(tmp_path) == POLICY.replace("min: 2", "min: 3")


@pytest.mark.parametrize(
    ("policy", "words", "said"),
    [
        (POLICY, ("web", "--apply"), "nobody is here to confirm it"),
        (THREE, NOW, "web.yaml:1: this policy was changed"),
        (CART, NOW, "no ScalingPolicy shop/web"),
        (POLICY, ("--check",), "no policy was tuned"),
        (POLICY, ("--apply", "--yes"), "expected one WORKLOAD"),
        (POLICY, (*NOW, "--output", "x.yaml"), "--output goes with one WORKLOAD"),
        (POLICY, (*NOW, "--url", "http://127.0.0.1:9"), "nothing listens there"),
    ],
)
def test_what_cannot_be_applied_is_one_clear_error(
    place: Place, found: None, tmp_path: pathlib.Path, policy: str, words: tuple[str, ...], said: str
) -> None:
    done = tuning(place(policy, POLICY), *words)
    assert (done.exit_code in (outcome.BAD_INPUT, outcome.OUT_OF_REACH), written(tmp_path)) == (True, policy)
    assert said in done.stderr


def test_an_anchor_is_in_nobodys_way(place: Place, found: None, tmp_path: pathlib.Path) -> None:
    done = tuning(place(ANCHORED, POLICY), *NOW)
    assert (done.exit_code, "&r {min: 1" in written(tmp_path)) == (0, True), done.stderr
