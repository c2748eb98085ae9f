"""kill -9 at any moment, on a real API server: what was written is read from the server's own audit log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.journeys.deployments import Deployments
from tests.journeys.installation import NAMES, Installation
from tests.journeys.loads import serving
from tests.journeys.survival import Survival, killed_again_and_again

from podium.model.clock import wall_clock
from testbed.control_plane import ControlPlane

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

STEEPNESS = (0.5, 0.9, 1.4, 2.0)  # load per second: a new replica every 20 s for the flattest, every 5 s for the last


@pytest.fixture(scope="module")
def survivor(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation whose load only rises, killed fifty times at random instants and then stopped in order."""
    begun, namespace = wall_clock(), "killed"
    control_plane.kubectl("create", "namespace", namespace)
    deployments = Deployments(control_plane, namespace)
    deployments.make(dict.fromkeys(NAMES, 3))

    def loads(at: float) -> dict[str, float]:
        return {name: 30 + slope * max(at - begun, 0.0) for name, slope in zip(NAMES, STEEPNESS, strict=True)}

    with serving(namespace, loads) as server:
        place = deployments.installation(tmp_path_factory.mktemp("kill") / "here", server.url, behavior="")
        yield killed_again_and_again(place)
    control_plane.kubectl("delete", "namespace", namespace, "--wait=false")


class TestOnARealCluster(Survival):
    """The common assertions, here."""
