"""Every printed object fits the schemas of every supported Kubernetes, unknown fields included."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest

from podium.install import manifest, support
from podium.install.plan import Plan

VERSIONS = [f"1.{minor}.0" for minor in range(support.OLDEST[1], support.NEWEST[1] + 1)]
PLANS = [
    Plan(),
    Plan(mode="own", namespaces=("shop",), serve=True),
    Plan(mode="metric", keda=True, replicas=2, database_secret="db", token_secret="door"),
    Plan(
        mode="metric", serving_secret="tls", ca_bundle="QQ==", prometheus="http://prometheus:9090", storage_class="fast"
    ),
]


def objects() -> dict[str, dict[str, Any]]:
    """By what they are, each form of an object once."""
    every = [one for plan in PLANS for one in manifest.objects(plan)]
    return {repr(one): one for one in every}


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_there(version: str) -> None:
    for one in objects().values():
        if one["kind"] not in (
            "CustomResourceDefinition",
            "APIService",
        ):  # of other API servers, with schemas elsewhere
            kubernetes_validate.validate(one, version, strict=True)


def test_a_field_that_is_none_is_found() -> None:
    (deployment,) = [one for one in manifest.objects(Plan()) if one["kind"] == "Deployment"]
    deployment["spec"]["template"]["spec"]["containers"][0]["imagePolicy"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[0], strict=True)
