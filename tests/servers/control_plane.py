"""A real control plane, one per test session: etcd, API server, controllers, scheduler, KWOK (see testbed/).

It is built first where that was not done yet, which takes minutes, unless PODIUM_TESTBED=off.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator

import pytest

from testbed import binaries
from testbed.control_plane import ControlPlane

_BUILD_SECONDS = 1800  # 380 s were measured on two shared cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cluster tests run on one worker, and the first of them may have to wait for the build."""
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.xdist_group("cluster"))
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(120 if binaries.complete() else _BUILD_SECONDS))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with three Ready nodes, shared by the session's tests: each takes a namespace of its own."""
    if os.environ.get("PODIUM_TESTBED") == "off" and not binaries.complete():
        pytest.skip(f"the control plane is not built and PODIUM_TESTBED=off: {binaries.HOW}")
    try:
        programs = binaries.all_programs(_say)
    except binaries.Missing as missing:
        pytest.skip(str(missing))
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), programs) as running:
        yield running


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace for one test."""
    name = f"t{uuid.uuid4().hex[:10]}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
