"""What GitOps tools are told to leave alone, read back as they read it."""

from __future__ import annotations

import yaml
from tests.documents.samples import POLICY

from podium.documents.loading import loads
from podium.kinds import KINDS
from podium.loop.modes.gitops import argocd, flux
from podium.loop.policy import ScalingPolicy


def policies(**modes: str) -> list[ScalingPolicy]:
    found = []
    for name, mode in modes.items():
        text = POLICY.replace("name: web", f"name: {name}") + f"  mode: {mode}\n"
        (document,) = loads(text.encode(), "web.yaml", KINDS)
        assert isinstance(document, ScalingPolicy)
        found.append(document)
    return found


def test_argo_cd_ignores_replicas_of_own_and_minimums_of_floor() -> None:
    told = yaml.safe_load(argocd(policies(web="own", cart="floor", mail="floor", search="metric"), "own"))
    assert told == {
        "ignoreDifferences": [
            {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web",
             "jsonPointers": ["/spec/replicas"]},
            {"group": "autoscaling", "kind": "HorizontalPodAutoscaler", "namespace": "shop",
             "jsonPointers": ["/spec/minReplicas"]},
        ],
        "syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]},
    }  # fmt: skip


def test_flux_ignores_the_same_in_a_helm_release() -> None:
    told = yaml.safe_load(flux(policies(web="own"), "own"))
    target = {"kind": "Deployment", "namespace": "shop", "name": "web"}
    assert told == {"driftDetection": {"mode": "enabled", "ignore": [{"paths": ["/spec/replicas"], "target": target}]}}


def test_where_podium_writes_nothing_there_is_nothing_to_ignore() -> None:
    assert argocd(policies(web="own"), "metric") == flux(policies(web="metric"), "own")
    assert yaml.safe_load(argocd(policies(web="own"), "recommend")) is None
