"""Fixtures of the journeys."""

from __future__ import annotations

import json

import pytest

from podium import kinds
from testbed.control_plane import ControlPlane


@pytest.fixture(scope="module")
def served(control_plane: ControlPlane) -> ControlPlane:
    """A real API server with our kinds."""
    crds = {"apiVersion": "v1", "kind": "List", "items": kinds.crds()}
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(crds))
    names = [f"crd/{crd['metadata']['name']}" for crd in kinds.crds()]
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)
    return control_plane
