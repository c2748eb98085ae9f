"""A real API server that refuses, dies, or is not there: Podium says what is wrong and scales nothing down."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.journeys.deployments import Deployments
from tests.journeys.installation import Installation
from tests.journeys.loads import LoadServer, serving, steady

from testbed.control_plane import ControlPlane

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

Lay = Callable[..., Installation]

EVERY_RIGHT = {
    "deployments": ["get", "list", "watch", "patch"],
    "deployments/scale": ["get", "update"],
    "pods": ["list", "watch"],
    "pods.metrics.k8s.io": ["list"],
}


@pytest.fixture
def deployments(control_plane: ControlPlane, namespace: str) -> Deployments:
    made = Deployments(control_plane, namespace)
    made.make({"web": 2})
    return made


@pytest.fixture
def loads(namespace: str) -> Iterator[LoadServer]:
    with serving(namespace, steady({"web": 50.0})) as server:
        yield server


@pytest.fixture
def lay(deployments: Deployments, loads: LoadServer, tmp_path: Path) -> Iterator[Lay]:
    """Lays an installation, with another kubeconfig if one is given. It ends with the test."""
    with contextlib.ExitStack() as stack:

        def laid(kubeconfig: Path | None = None) -> Installation:
            return stack.enter_context(deployments.installation(tmp_path / "here", loads.url, kubeconfig=kubeconfig))

        yield laid


def only(**instead: list[str]) -> dict[str, list[str]]:
    """Every right that Podium needs, with some verbs in the place of others; `scale` is the subresource."""
    return EVERY_RIGHT | {"deployments/scale" if name == "scale" else name: verbs for name, verbs in instead.items()}


def refused(place: Installation) -> str:
    """What a start that ends with exit code 2 says; nothing else is left of it."""
    before = {path.name for path in place.folder.rglob("*")}
    place.start()
    assert place.ended(30) == 2, place.log.read_text()
    assert {path.name for path in place.folder.rglob("*")} - before == {"podium.log"}
    return place.log.read_text().strip()


CASES = {
    "scale": (only(scale=["get"]), ["update deployments/scale.apps"]),
    "claim": (only(deployments=["get", "list", "watch"]), ["patch deployments.apps"]),
    "scale and pods": (only(scale=["get"], pods=["get"]), ["update deployments/scale.apps", "list pods", "watch pods"]),
    "read": (only(scale=["update"]), ["get deployments/scale.apps"]),
}


@pytest.mark.parametrize("case", CASES)
def test_every_right_that_is_missing_is_named_and_ends_the_start(
    deployments: Deployments, lay: Lay, tmp_path: Path, case: str
) -> None:
    given, lacking = CASES[case]
    kubeconfig = deployments.kubeconfig(tmp_path / "kubeconfig", token=deployments.token(given))
    said = refused(lay(kubeconfig))
    wanted = [f"the right to {one} in namespace {deployments.namespace} is missing" for one in lacking]
    assert said.startswith(f"podium: {deployments.control_plane.server}:")
    assert sorted(re.findall("the right to .*? is missing", said)) == sorted(wanted)
    assert deployments.writes() == []


def test_who_only_watches_needs_no_right_to_write(deployments: Deployments, lay: Lay, tmp_path: Path) -> None:
    reading = only(deployments=["get", "list", "watch"], scale=["get"])
    place = lay(deployments.kubeconfig(tmp_path / "kubeconfig", token=deployments.token(reading)))
    place.start("--set", "loop.mode=recommend")
    place.until_ready()
    place.until_turn(3)
    (row,) = place.asked("/api/v1/workloads")["items"]
    assert place.stop() == 0
    assert (row["replicas"], row["wanted"]) == (2, 5)
    assert deployments.writes() == []


def test_rights_that_are_taken_away_are_named_in_the_row_and_the_log_and_nothing_is_written(
    deployments: Deployments, loads: LoadServer, lay: Lay, tmp_path: Path
) -> None:
    place = lay(deployments.kubeconfig(tmp_path / "kubeconfig", token=deployments.token(only())))
    place.start("--log-level", "info")  # as it runs by itself
    deployments.until(lambda seen: seen["web"] == (5, 5))
    deployments.revoke()
    # A watch that was granted goes on for minutes; the use of pods is asked for in every turn.
    missing = rf"the right to list pods\.metrics\.k8s\.io in namespace {deployments.namespace} is missing"
    place.until_said("workload.unread.began")
    loads.loads = steady({"web": 90.0})
    place.until_turn(place.asked("/api/v1/fleet")["tick"] + 3)
    (row,) = place.asked("/api/v1/workloads")["items"]
    assert place.stop() == 0
    assert re.search(missing, " ".join(row["troubles"]))
    assert re.search(missing, place.log.read_text())
    assert [write.after for write in deployments.writes()] == [5]


def test_a_broken_kubeconfig_ends_the_start_with_file_line_and_field(
    deployments: Deployments, lay: Lay, tmp_path: Path
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps({"current-context": "nowhere", "contexts": []}, indent=1))
    place = lay(file)
    said = refused(place)
    assert f"{file}:2: current-context" in said
    assert "nowhere" in said


def test_a_kubeconfig_that_is_not_there_ends_the_start(lay: Lay, tmp_path: Path) -> None:
    place = lay(tmp_path / "none")
    assert f"{tmp_path / 'none'}" in refused(place)


def test_a_wrong_token_ends_the_start(deployments: Deployments, lay: Lay, tmp_path: Path) -> None:
    kubeconfig = deployments.kubeconfig(tmp_path / "kubeconfig", token="wrong")
    place = lay(kubeconfig)
    said = refused(place)
    assert said.endswith("the credentials are missing, wrong or expired (HTTP 401)")
    assert deployments.control_plane.server in said


def test_a_server_with_another_authority_ends_the_start(deployments: Deployments, lay: Lay, tmp_path: Path) -> None:
    kubeconfig = deployments.kubeconfig(tmp_path / "kubeconfig")
    document = json.loads(kubeconfig.read_text())
    del document["clusters"][0]["cluster"]["certificate-authority"]
    kubeconfig.write_text(json.dumps(document))
    assert "CERTIFICATE_VERIFY_FAILED" in refused(lay(kubeconfig))


def test_a_server_that_is_not_there_is_waited_for(deployments: Deployments, lay: Lay, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{nobody.getsockname()[1]}"
        kubeconfig = deployments.kubeconfig(tmp_path / "kubeconfig", server=server)
        place = lay(kubeconfig)
        place.start()
        place.until_ready()
        waits = place.until_said("the cluster does not answer yet; nothing is scaled until it does")
        lost = place.until_said("cluster.lost.began")
        (row,) = place.asked("/api/v1/workloads")["items"]
        source = place.asked("/api/v1/fleet")["sources"][-1]
        assert place.stop() == 0
    assert server in waits["reason"]
    assert server in lost["why"]
    assert (row["replicas"], row["wanted"]) == (None, None)
    assert (source["name"], source["state"]) == ("local", "silent")
    assert server in source["words"]


def test_a_killed_api_server_is_waited_for_and_nothing_goes_down(
    deployments: Deployments, loads: LoadServer, lay: Lay
) -> None:
    place = lay()
    deployments.control_plane.kill("kube-apiserver")
    try:
        place.start()
        place.until_said("cluster.lost.began")
        deployments.control_plane.restart("kube-apiserver")
        deployments.until(lambda seen: seen["web"][0] == 5)
        deployments.control_plane.kill("kube-apiserver")
        place.until_said("cluster.lost.began", times=2)
        (row,) = place.asked("/api/v1/workloads")["items"]
        loads.loads = steady({"web": 90.0})
    finally:
        for component in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"):
            deployments.control_plane.restart(component)  # its clients would wait a minute and more before they ask
    deployments.until(lambda seen: seen["web"] == (9, 9))
    place.until_said("cluster.lost.ended", times=2)
    assert place.stop() == 0
    assert (row["replicas"], row["wanted"]) == (None, None)
    assert [write for write in deployments.writes() if write.after < write.before] == []


def test_a_server_that_stands_still_makes_no_turn_late(deployments: Deployments, lay: Lay) -> None:
    place = lay()
    deployments.control_plane.freeze("kube-apiserver")
    try:
        place.start()
        unclaimed = place.until_said("workload.unclaimed.began")
        lost = place.until_said("cluster.lost.began")
        first = place.asked("/api/v1/fleet")["tick"]
        place.until_turn(first + 3)
    finally:
        deployments.control_plane.thaw("kube-apiserver")
    deployments.until(lambda seen: seen["web"] == (5, 5))
    assert place.stop() == 0
    assert unclaimed["why"] == "cluster local did not answer the claim within 1 s"
    assert lost["why"] == "cluster local did not answer within 1 s"
