"""Adoption and the first look on a real control plane: its own HPA controller, its own defaults, its own RBAC."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.inside import podium as call
from tests.journeys.deployments import Deployments

from podium.loop.adopt.original import ADOPTED
from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

HPA = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: web, namespace: {namespace}}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
  minReplicas: 2
  maxReplicas: 6
  metrics:
  - {{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 60}}}}}}
  behavior: {{scaleDown: {{stabilizationWindowSeconds: 60}}}}
"""
OTHERS = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: cart, namespace: {namespace}}}
spec:
  scaleTargetRef: {{name: cart}}
  minReplicaCount: 1
  maxReplicaCount: 5
  triggers: [{{type: cpu, metricType: Utilization, metadata: {{value: "70"}}}}]
---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {{name: cart, namespace: {namespace}}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: cart}}
  updatePolicy: {{updateMode: "Off"}}
  resourcePolicy: {{containerPolicies: [{{containerName: "*", maxAllowed: {{cpu: "2"}}}}]}}
"""
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
READER = """\
apiVersion: v1
kind: ServiceAccount
metadata: {{name: looker, namespace: {namespace}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: looker, namespace: {namespace}}}
rules:
- {{apiGroups: [apps], resources: [deployments, statefulsets], verbs: [list]}}
- {{apiGroups: [""], resources: [pods], verbs: [list]}}
- {{apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [list]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: looker, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: looker}}
subjects: [{{kind: ServiceAccount, name: looker, namespace: {namespace}}}]
"""


def crd(group: str, version: str, kind: str, plural: str) -> dict[str, Any]:
    """A kind of another autoscaler, as far as its API has to be there."""
    schema = {"type": "object", "properties": {"spec": OPEN, "status": OPEN}}
    names = {"kind": kind, "plural": plural, "singular": kind.lower()}
    versions = [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            # The API server keeps *.k8s.io for itself unless somebody vouches for the kind.
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/kubernetes/pull/63797"},
        },
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    }


@pytest.fixture
def shop(control_plane: ControlPlane, namespace: str) -> Deployments:
    made = Deployments(control_plane, namespace)
    made.make({"web": 3, "cart": 2})
    return made


@pytest.fixture
def others(control_plane: ControlPlane) -> None:
    """KEDA's and VPA's kinds."""
    kinds = [
        crd("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
        crd("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler", "verticalpodautoscalers"),
    ]
    control_plane.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": kinds}))
    names = [f"crd/{one['metadata']['name']}" for one in kinds]
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)


def stored(shop: Deployments, what: str, name: str) -> dict[str, Any]:
    text = shop.control_plane.kubectl("-n", shop.namespace, "get", what, name, "-o", "json")
    value: dict[str, Any] = json.loads(text)
    metadata = value["metadata"]
    return {"spec": value["spec"], "annotations": metadata.get("annotations"), "labels": metadata.get("labels")}


@pytest.mark.usefixtures("others")
def test_a_hand_over_changes_no_replica_and_everything_comes_back_as_it_was(
    shop: Deployments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    plane, folder = shop.control_plane, tmp_path / "policies"
    for text in (HPA, OTHERS):  # client-side, with kubectl's last-applied annotation
        plane.kubectl("apply", "-f", "-", input=text.format(namespace=shop.namespace))
    objects = [("hpa", "web"), ("scaledobjects.keda.sh", "cart"), ("verticalpodautoscalers.autoscaling.k8s.io", "cart")]
    before = [stored(shop, *one) for one in objects]
    assert "kubectl.kubernetes.io/last-applied-configuration" in (before[0]["annotations"] or {})
    adopt = ["adopt", "--kubeconfig", plane.kubeconfig, "--namespace", shop.namespace, "--into", folder]

    done = call(*adopt, "--apply", "--mode", "own", "--yes")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert call("policy", "check", folder).exit_code == 0
    web = stored(shop, "hpa", "web")
    assert json.loads(web["annotations"][ADOPTED])["spec"] == before[0]["spec"]
    assert stored(shop, *objects[1])["annotations"]["autoscaling.keda.sh/paused"] == "true"
    assert stored(shop, *objects[2]) == before[2]  # a VPA stays as it is

    # Outside of the HPA's own limits: its controller, which looks every 15 s, lets it be.
    plane.kubectl("-n", shop.namespace, "scale", "deployment/web", "--replicas=1")
    time.sleep(20)
    assert shop.replicas()["web"][0] == 1
    plane.kubectl("-n", shop.namespace, "scale", "deployment/web", "--replicas=3")

    back = call(*adopt, "--undo")
    assert back.exit_code == 0, back.stdout + back.stderr
    assert [stored(shop, *one) for one in objects] == before
    assert list(folder.iterdir()) == []
    assert shop.replicas()["web"][0] == 3


def test_a_first_look_with_a_minimal_role_sees_what_it_may(shop: Deployments, tmp_path: Path) -> None:
    plane = shop.control_plane
    plane.kubectl("apply", "-f", "-", input=READER.format(namespace=shop.namespace))
    plane.kubectl(
        "apply", "-f", "-", input=HPA.format(namespace=shop.namespace).replace("maxReplicas: 6", "maxReplicas: 2")
    )
    token = plane.kubectl("-n", shop.namespace, "create", "token", "looker").strip()
    config = plane.kubeconfig.read_text()
    assert plane.token in config
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(config.replace(plane.token, token))
    result = call("recommend", "--kubeconfig", kubeconfig, "--namespace", shop.namespace, "-o", "json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["seen"]["workloads"] == 2
    assert ("hpa-fixed", f"{shop.namespace}/deployment/web") in {
        (one["code"], one["workload"]) for one in found["risks"]
    }
    words = " ".join(found["unseen"])
    assert f"the right to list poddisruptionbudgets.policy in namespace {shop.namespace} is missing" in words
    assert "the right to list nodes in all namespaces is missing" in words
    wide = call("recommend", "--kubeconfig", kubeconfig)
    assert (wide.exit_code, wide.stderr.count("\n")) == (2, 1)
