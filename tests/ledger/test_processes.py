"""Real processes that lead, freeze and are killed, on both databases."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podium.ledger.errors import Led
from podium.ledger.lease import Leadership
from podium.ledger.ledger import Ledger

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/podium.db"
    return str(request.getfixturevalue("postgresql").database())


@pytest.fixture
def start(url: str, tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def begin(ttl_seconds: float = 60.0, pause_seconds: float = 0.0) -> subprocess.Popen[str]:
        words = [url, str(tmp_path / "heads"), str(ttl_seconds), str(pause_seconds)]
        command = [sys.executable, str(Path(__file__).with_name("writer.py")), *words]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def ledger(url: str, tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(url, heads=tmp_path / "heads")
    yield opened
    opened.close()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def lead_when_allowed(ledger: Ledger) -> Leadership:
    """What a standby does: ask again when the other's term is over."""
    while True:
        try:
            return ledger.lead("standby", 60)
        except Led:
            time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_writer_killed_twenty_times_loses_nothing_it_acknowledged(start: Start, ledger: Ledger) -> None:
    dice = random.Random(20)
    acknowledged = 0
    for epoch in range(1, 21):
        process = start(pause_seconds=0.002)
        assert line(process) == f"epoch {epoch}"  # the one before is gone: no waiting for its term of 60 s
        time.sleep(dice.uniform(0, 0.15))
        process.kill()
        lines = process.communicate()[0].split("\n")[:-1]  # a last line without its end was never said
        acknowledged = max([acknowledged, *map(int, lines)])
        found = ledger.verify()
        assert found.findings == ()
        assert found.entries >= acknowledged
        assert (found.signed_seq or 0) <= found.entries
    assert acknowledged > 20
    assert found.signed_seq is not None
    assert found.signed_seq > 0
    events = [entry.at_us for entry in ledger.entries(["event"])]
    assert [entry.at_us for entry in ledger.entries(["tick"])] == events  # each batch is whole


def test_a_frozen_leader_loses_its_place_and_its_next_append_is_refused(start: Start, ledger: Ledger) -> None:
    process = start(ttl_seconds=1.0, pause_seconds=0.01)
    assert [line(process), line(process)] == ["epoch 1", "2"]
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(Led, match=r"writer .* leads until"):  # frozen is not gone: its term counts
        ledger.lead("standby", 60)
    assert lead_when_allowed(ledger).epoch == 2
    before = ledger.verify()
    process.send_signal(signal.SIGCONT)
    rest = process.communicate(timeout=30)[0].split()
    assert rest[-1] == "stale"
    assert ledger.verify().entries == before.entries
    assert ledger.verify().findings == ()


def test_a_killed_leader_on_this_host_is_replaced_at_once(start: Start, ledger: Ledger) -> None:
    process = start(ttl_seconds=3600.0, pause_seconds=0.01)
    assert line(process) == "epoch 1"
    process.kill()
    process.wait()
    assert ledger.lead("standby", 60).epoch == 2


def test_a_killed_leader_that_nobody_has_buried_counts_as_gone(start: Start, ledger: Ledger) -> None:
    process = start(ttl_seconds=3600.0, pause_seconds=0.01)
    assert line(process) == "epoch 1"
    process.kill()
    time.sleep(0.3)  # a zombie until it is waited for
    assert ledger.lead("standby", 60).epoch == 2
