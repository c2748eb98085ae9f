"""Deployments of one namespace on the real control plane, and what its audit log says was done to them."""

from __future__ import annotations

import dataclasses
import json
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.journeys.installation import BY_LOAD_ALONE, POLICY, Installation, Write

from podium.model.arrays import UNKNOWN
from testbed.control_plane import ControlPlane

SIGNAL = """\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {{name: load, namespace: {namespace}}}
spec: {{unit: per_second, prometheus: {{query: load}}, interval: 1s, staleAfter: 10s}}
"""

GROUPS = {"pods": "", "pods.metrics.k8s.io": "metrics.k8s.io", "deployments": "apps", "deployments/scale": "apps"}
QUICK = "  behavior: {scaleDown: {stabilizationWindowSeconds: 3}}\n"


@dataclasses.dataclass
class Deployments:
    """They begin with as many replicas as `make` says; `writes` tells every change of their scale since."""

    control_plane: ControlPlane
    namespace: str
    begun: dict[str, int] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """A namespace of the same name may have lived before, and the audit log remembers it."""
        self._earlier = len(self.control_plane.audit())

    def make(self, replicas: dict[str, int], *, ready_after: str = "200ms") -> None:
        """Create Deployments, whose pods become ready so long after their start, and wait for them."""
        self.begun |= replicas
        items = [self._deployment(name, count, ready_after) for name, count in replicas.items()]
        self.apply(items)
        self.control_plane.kubectl("-n", self.namespace, "rollout", "status", *(f"deployment/{n}" for n in replicas))

    def apply(self, items: Iterable[dict[str, Any]]) -> None:
        """Create or change any objects."""
        together = {"apiVersion": "v1", "kind": "List", "items": list(items)}
        self.control_plane.kubectl("apply", "-f", "-", input=json.dumps(together))

    def replicas(self) -> dict[str, tuple[int, int]]:
        """What is asked for, and how many pods are ready."""
        listed = json.loads(self.control_plane.kubectl("-n", self.namespace, "get", "deployments", "-o", "json"))
        return {
            item["metadata"]["name"]: (item["spec"]["replicas"], item["status"].get("readyReplicas", 0))
            for item in listed["items"]
        }

    def until(self, done: Callable[[dict[str, tuple[int, int]]], bool], seconds: float = 60.0) -> None:
        """Wait until replicas and ready pods are as `done` wants them."""
        deadline = time.monotonic() + seconds
        while not done(seen := self.replicas()):
            assert time.monotonic() < deadline, seen
            time.sleep(0.3)

    def answered(self) -> list[tuple[str, int, int]]:
        """(name, HTTP status, replicas) of every write to a scale, in the order in which they were answered.

        One that was turned away for a missing right was not read: its replicas are UNKNOWN.
        """
        return [(name, code, wanted) for name, code, wanted, _ in self._audited()]

    def until_answered(self, write: tuple[str, int, int], seconds: float = 20.0) -> None:
        """Wait until such an answer is in the audit log."""
        deadline = time.monotonic() + seconds
        while write not in (seen := self.answered()):
            assert time.monotonic() < deadline, seen
            time.sleep(0.2)

    def writes(self) -> list[Write]:
        """The writes that were accepted."""
        now, done = dict(self.begun), []
        accepted = [event for event in self._audited() if event[1] == 200]
        for name, _, wanted, _ in sorted(accepted, key=lambda event: event[3]):
            done.append(Write(f"local/{self.namespace}/deployment.apps/{name}", now[name], wanted))
            now[name] = wanted
        return done

    def _audited(self) -> Iterable[tuple[str, int, int, int]]:
        for event in self.control_plane.audit()[self._earlier :]:
            about = event["objectRef"]
            if about.get("subresource") != "scale" or about["namespace"] != self.namespace or event["verb"] == "get":
                continue
            version = event.get("responseObject", {}).get("metadata", {}).get("resourceVersion", 0)
            wanted = event.get("requestObject", {}).get("spec", {}).get("replicas", UNKNOWN)
            yield about["name"], event["responseStatus"]["code"], wanted, int(version)

    def _deployment(self, name: str, replicas: int, ready_after: str) -> dict[str, Any]:
        labels = {"app": name}
        annotations = {"testbed.podium.dev/ready-after": ready_after}
        pod = {"containers": [{"name": "main", "image": "none"}]}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod},
            },
        }

    def token(self, rights: dict[str, list[str]]) -> str:
        """A token of a fresh service account with these rights in the namespace: resource -> verbs."""
        name = f"limited-{uuid.uuid4().hex[:8]}"
        rules = [
            {"apiGroups": [GROUPS[one]], "resources": [one.partition(".")[0]], "verbs": verbs}
            for one, verbs in rights.items()
        ]
        about = {"name": name, "namespace": self.namespace}
        subject = {"kind": "ServiceAccount", **about}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        rbac = "rbac.authorization.k8s.io/v1"
        self.apply(
            [
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about},
                {"apiVersion": rbac, "kind": "Role", "metadata": about, "rules": rules},
                {"apiVersion": rbac, "kind": "RoleBinding", "metadata": about, "subjects": [subject], "roleRef": role},
            ]
        )
        return self.control_plane.kubectl("-n", self.namespace, "create", "token", name).strip()

    def revoke(self) -> None:
        """Take every right in the namespace away from whoever has a token of `token`."""
        self.control_plane.kubectl("-n", self.namespace, "delete", "rolebindings", "--all")

    def installation(
        self,
        folder: Path,
        source_url: str,
        *,
        kubeconfig: Path | None = None,
        loop: str = "interval: 1s, lease: 2s",
        behavior: str = QUICK,
    ) -> Installation:
        """A Podium that scales all of them by what the server at `source_url` measures."""
        documents = SIGNAL.format(namespace=self.namespace) + "".join(
            POLICY.format(name=name, namespace=self.namespace) + BY_LOAD_ALONE + behavior for name in self.begun
        )
        cluster = f"kind: kubernetes, kubeconfig: {kubeconfig or self.control_plane.kubeconfig}"
        source = f'kind: prometheus, url: "{source_url}"'
        return Installation.written(folder, cluster, source, documents, self.writes, loop=loop)

    def kubeconfig(self, path: Path, *, token: str = "", server: str = "") -> Path:
        """The control plane's kubeconfig with another token or server."""
        document = json.loads(self.control_plane.kubeconfig.read_text())
        if token:
            document["users"][0]["user"] = {"token": token}
        if server:
            document["clusters"][0]["cluster"]["server"] = server
        path.write_text(json.dumps(document, indent=2))
        return path
