"""Which clusters and which installed kinds are taken for what."""

from __future__ import annotations

import copy

import pytest

from podium import kinds
from podium.install import support


@pytest.mark.parametrize(
    ("version", "said", "wrong"),
    [
        ("v1.28.15", "older than supported (1.29 to 1.36)", True),
        ("v1.29.0", "", False),
        ("v1.33.1-gke.1386000", "", False),
        ("v1.36.3+k3s1", "", False),
        ("v1.37.0-alpha.1", "newer than what this Podium was tried on", False),
        ("v2.0.0", "newer than what this Podium was tried on", False),
        ("tomorrow", "supported are 1.29 to 1.36", False),
    ],
)
def test_a_version_is_supported_or_it_is_said_why_not(version: str, said: str, wrong: bool) -> None:
    words, refused = support.objection({"gitVersion": version})
    assert (said in words, refused, bool(words)) == (True, wrong, bool(said))


def test_the_same_kind_is_no_skew_however_the_server_stores_it() -> None:
    for ours in kinds.crds():
        stored = copy.deepcopy(ours) | {"status": {"storedVersions": ["v1alpha1"]}}
        stored["spec"]["conversion"] = {"strategy": "None"}
        assert support.skew(stored, ours) == ""


def test_a_kind_without_one_of_our_rules_is_told() -> None:
    ours = kinds.crds()[0]
    other = copy.deepcopy(ours)
    replicas = other["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["replicas"]
    del replicas["x-kubernetes-validations"]
    assert "has other rules than this Podium" in support.skew(other, ours)
