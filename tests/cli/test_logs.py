"""Logs that cannot be written: the program they tell of goes on."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

SAY = "import structlog; from podium.cli import logs; logs.configure({form!r}, 'info'); "
SAY += "[structlog.get_logger().info('scaled') for _ in range(3)]; print('went on')"


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_full_disk_under_the_log_stops_nothing(form: str) -> None:
    with pathlib.Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SAY.format(form=form)], stdout=subprocess.PIPE, stderr=full, check=False
        )
    assert done.stdout == b"went on\n"


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_reader_of_the_log_that_left_stops_nothing(form: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", SAY.format(form=form)], stdout=subprocess.PIPE, stderr=writing, check=False
    )
    os.close(writing)
    assert done.stdout == b"went on\n"


def test_a_directory_that_was_removed_under_the_program_is_said(tmp_path: pathlib.Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    left = f"cd {here} && rmdir {here} && exec {sys.executable} -m podium.cli.main settings show"
    done = subprocess.run(["/bin/sh", "-c", left], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "podium: the current directory is no longer there; change to one that is\n",
    )
