"""Fresh cases against Kubernetes' own code, which `benchmarks/peers` drives: needs Go, or the program that it built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.peers import build

ROOT = Path(__file__).parents[3]
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]  # a first build fetches and compiles Kubernetes


@pytest.fixture(scope="module")
def peer() -> Path:
    try:
        return build.peer()
    except build.Missing as missing:
        pytest.skip(str(missing))


def test_generated_cases_are_answered_as_upstream_answers_them(peer: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sample.xz"
    equality = [sys.executable, str(ROOT / "benchmarks/hpa_equality.py"), "--seed", "77", "--freeze", str(sample)]
    done = subprocess.run(
        [*equality, "--states", "300", "--timelines", "20"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, sample.stat().st_size > 0) == (0, True), done.stdout + done.stderr


def test_the_peer_says_what_it_cannot_drive(peer: Path) -> None:
    line = b'{"id": "a", "hpa": {}, "ticks": [{"at": 0, "rival": true}]}\n'
    done = subprocess.run([peer, "answer"], input=line, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == "peers: line 1: ticks[0]: fail and rival are not driven\n"


def test_the_calculators_pace_is_one_line_of_json(peer: Path) -> None:
    done = subprocess.run([peer, "bench", "-workloads", "50"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith('{"workloads":50,"seconds":0.')
