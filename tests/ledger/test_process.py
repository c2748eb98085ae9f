"""When a process is certainly gone."""

from __future__ import annotations

import dataclasses
import subprocess

from podium.ledger import process


def test_the_calling_process_lives() -> None:
    assert not process.is_gone(process.current())


def test_a_number_that_was_given_to_another_process_is_gone() -> None:
    mine = process.current()
    assert process.is_gone(dataclasses.replace(mine, started=mine.started - 1))


def test_a_process_that_ended_is_gone() -> None:
    with subprocess.Popen(["true"]) as ended:
        started = process._started(ended.pid)
    assert process.is_gone(dataclasses.replace(process.current(), pid=ended.pid, started=started or 1))


def test_nobody_can_tell_about_another_host_or_an_unknown_start() -> None:
    gone = dataclasses.replace(process.current(), started=1)
    assert not process.is_gone(dataclasses.replace(gone, host="elsewhere"))
    assert not process.is_gone(dataclasses.replace(gone, started=0))
