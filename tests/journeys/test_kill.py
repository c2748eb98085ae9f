"""kill -9 at any moment, on the simulated cluster."""

from __future__ import annotations

import pytest
from tests.journeys.installation import BY_LOAD_ALONE, Installation, rising
from tests.journeys.survival import Survival, killed_again_and_again

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation whose load only rises, killed fifty times at random instants and then stopped in order."""
    return killed_again_and_again(
        Installation.lay(tmp_path_factory.mktemp("kill") / "here", rising(60 * 10), speed=120, more=BY_LOAD_ALONE)
    )


class TestOnTheSimulation(Survival):
    """The common assertions, here."""
