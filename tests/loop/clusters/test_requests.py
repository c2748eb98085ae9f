"""What a pod requests, where pods and containers may both say so."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podium.clients.kubernetes.objects import PodSpec
from podium.loop.clusters.kubernetes.requests import requested
from podium.model.quantities import parse_milli


def container(name: str, restart: str = "", **requests: str) -> dict[str, Any]:
    return {"name": name, "restartPolicy": restart, "resources": {"requests": requests}}


APP, SIDE = container("app", cpu="200m"), container("side", cpu="100m", memory="1Gi")
WORKED: dict[str, tuple[dict[str, Any], str, str, int | None]] = {
    "containers are added up": ({"containers": [APP, SIDE]}, "cpu", "", 300),
    "one that is silent silences all": ({"containers": [APP, SIDE]}, "memory", "", None),
    "of a container, its own": ({"containers": [APP, SIDE]}, "cpu", "side", 100),
    "of a container that is not there, nothing": ({"containers": [APP]}, "cpu", "side", None),
    "sidecars count": (
        {"containers": [APP], "initContainers": [container("proxy", "Always", cpu="50m")]},
        "cpu",
        "",
        250,
    ),
    "other init containers do not": (
        {"containers": [APP], "initContainers": [container("init", cpu="9")]},
        "cpu",
        "",
        200,
    ),
    "a pod's own request wins": ({"containers": [APP], "resources": {"requests": {"cpu": "1"}}}, "cpu", "", 1000),
    "but not over a named container's": (
        {"containers": [APP], "resources": {"requests": {"cpu": "1"}}},
        "cpu",
        "app",
        200,
    ),
    # With requests of its own the pod is asked as a whole: silent containers are passed over, inits may be largest.
    "of what the pod does not name, the containers that do": (
        {"containers": [APP, SIDE, container("silent")], "resources": {"requests": {"memory": "2Gi"}}},
        "cpu",
        "",
        300,
    ),
    "or the largest init container": (
        {
            "containers": [APP],
            "initContainers": [container("init", cpu="900m")],
            "resources": {"requests": {"memory": "1"}},
        },
        "cpu",
        "",
        900,
    ),
}


@pytest.mark.parametrize("name", WORKED)
def test_a_request_is_what_the_hpa_takes_it_for(name: str) -> None:
    spec, resource, of, expected = WORKED[name]
    assert requested(msgspec.convert(spec, PodSpec), resource, of, lambda text: parse_milli(str(text))) == expected
