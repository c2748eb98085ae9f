"""The example's forecaster, where LightGBM is installed: it comes in by the door, learns, and survives a restart."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from podium.foresight import installed
from podium.foresight.forecaster import Forecaster

pytest.importorskip("lightgbm")
EXAMPLE = Path(__file__).parents[2] / "examples" / "05-forecaster"
STEP, DAY = 300.0, 288
MEDIAN, AHEAD = np.array([0.5]), np.array([300.0, 1800.0])


@pytest.fixture
def lightgbm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forecaster:
    """As if the example's package were installed."""
    info = tmp_path / "podium_lightgbm-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: podium-lightgbm\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[podium.forecasters]\nlightgbm = podium_lightgbm:build\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(EXAMPLE))
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "podium_lightgbm", raising=False)
    return installed.load("lightgbm")(STEP, 4)


def test_another_package_s_forecaster_learns_the_day_and_survives_a_restart(lightgbm: Forecaster) -> None:
    rng = np.random.default_rng(1)
    of_day = np.arange(4 * DAY)[:, None] * 2 * np.pi / DAY
    loads = 100 * (2 + np.sin(of_day + np.array([0, 1, 2, 3]))) * np.exp(0.02 * rng.standard_normal((4 * DAY, 4)))
    said = np.empty((len(loads), 4))
    for number, row in enumerate(loads, 1):
        lightgbm.learn(number * STEP, row)
        said[number - 1] = lightgbm.quantiles(number * STEP, MEDIAN, AHEAD)[0, 1]
    missed, stayed = (np.abs(loads[6:] - one[:-6])[-DAY:].mean() for one in (said, loads))
    assert missed < 0.6 * stayed
    again = installed.load("lightgbm")(STEP, 0)
    again.restore(lightgbm.state())
    at = len(loads) * STEP
    np.testing.assert_array_equal(again.quantiles(at, MEDIAN, AHEAD), lightgbm.quantiles(at, MEDIAN, AHEAD))
    again.learn(at + STEP, loads[0])
    lightgbm.learn(at + STEP, loads[0])
    after = at + STEP
    np.testing.assert_allclose(
        again.quantiles(after, MEDIAN, AHEAD), lightgbm.quantiles(after, MEDIAN, AHEAD), rtol=1e-6
    )
