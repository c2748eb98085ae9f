"""The control plane that other tests stand on: its pods live, fail and die as real ones, and nothing outlives it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

CLUSTER = Path(__file__).parents[2] / "testbed" / "cluster.py"

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: one, namespace: {namespace}, annotations: {{{annotations}}}}}
spec: {{containers: [{{name: main, image: none}}]}}
"""


def until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def pod(control_plane: ControlPlane, namespace: str, path: str) -> str:
    return control_plane.kubectl("get", "pod", "one", "-n", namespace, "-o", f"jsonpath={{{path}}}")


def test_a_pod_becomes_ready(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("apply", "-f", "-", input=POD.format(namespace=namespace, annotations=""))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/one", "-n", namespace, "--timeout=30s")
    assert pod(control_plane, namespace, ".status.phase") == "Running"


def test_a_pod_starts_as_late_as_its_annotation_says(control_plane: ControlPlane, namespace: str) -> None:
    slow = "testbed.podium.dev/ready-after: 3s"
    control_plane.kubectl("apply", "-f", "-", input=POD.format(namespace=namespace, annotations=slow))
    until(lambda: pod(control_plane, namespace, ".status.startTime") != "")
    begun = time.monotonic()
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/one", "-n", namespace, "--timeout=30s")
    assert 2 <= time.monotonic() - begun <= 20


def test_a_failing_pod_never_becomes_ready(control_plane: ControlPlane, namespace: str) -> None:
    failing = "testbed.podium.dev/start: fail"
    control_plane.kubectl("apply", "-f", "-", input=POD.format(namespace=namespace, annotations=failing))
    reason = ".status.containerStatuses[0].state.waiting.reason"
    until(lambda: pod(control_plane, namespace, reason) == "CrashLoopBackOff")
    assert pod(control_plane, namespace, ".status.conditions[?(@.type=='Ready')].status") == "False"


def test_a_deleted_pod_goes(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("apply", "-f", "-", input=POD.format(namespace=namespace, annotations=""))
    control_plane.kubectl("delete", "pod", "one", "-n", namespace, "--timeout=30s")
    assert control_plane.kubectl("get", "pods", "-n", namespace, "-o", "name") == ""


def test_a_change_is_in_the_audit_log(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=none")
    control_plane.kubectl("scale", "deployment", "web", "-n", namespace, "--replicas=2")
    until(lambda: namespace in str([event for event in control_plane.audit() if event["verb"] in {"patch", "update"}]))


def test_a_killed_api_server_comes_back_with_everything(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kill("kube-apiserver")
    try:
        with pytest.raises(subprocess.CalledProcessError):
            control_plane.kubectl("get", "namespaces")
    finally:
        control_plane.restart("kube-apiserver")
    assert namespace in control_plane.kubectl("get", "namespaces", "-o", "name")


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_nothing_outlives_make_cluster(control_plane: ControlPlane, end: str, tmp_path: Path) -> None:
    command = [sys.executable, str(CLUSTER), "--nodes", "1"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        assert process.stdout is not None
        kubeconfig = Path(process.stdout.readline().decode().strip())
        assert kubeconfig.is_relative_to(tmp_path)
        getattr(process, end)()
    until(lambda: not kubeconfig.parent.exists() and str(tmp_path) not in _commands())


def _commands() -> str:
    return subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
