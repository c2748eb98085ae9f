"""Forecasters come in through one door, ours included."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from podium.foresight import installed


def test_ours_are_offered_by_name() -> None:
    assert {"damped-trend", "last-value", "log-holt-winters", "mixture", "ridge", "seasonal-profile"} <= set(
        installed.names()
    )


@pytest.mark.parametrize(
    "name", ["damped-trend", "last-value", "log-holt-winters", "mixture", "ridge", "seasonal-profile"]
)
def test_a_forecaster_answers_to_the_name_it_was_loaded_by(name: str) -> None:
    forecaster = installed.load(name)(60.0, 2)
    assert (forecaster.name, forecaster.step_seconds) == (name, 60.0)


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(installed.Unknown, match=r"no forecaster is called 'oracle'; installed are .*last-value"):
        installed.load("oracle")


def test_another_package_adds_one_by_the_same_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "fortune-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fortune\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[podium.forecasters]\nfortune = fortune_cookie:build\n")
    (tmp_path / "fortune_cookie.py").write_text(
        "from podium.foresight.last_value import last_value\n"
        "def build(step, size):\n    return last_value(step, size)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    forecaster = installed.load("fortune")(60.0, 1)
    forecaster.learn(60.0, np.array([3.0]))
    assert "fortune" in installed.names()
    sys.modules.pop("fortune_cookie")
