"""An adopted policy as a file: it is read back as it was meant, and says where each field comes from."""

from __future__ import annotations

import yaml
from tests.loop.adopt.manifests import adopted, hpa, scaled, vpa
from tests.loop.adopt.test_keda import CPU, QUERY

from podium import kinds
from podium.documents.loading import loads
from podium.loop.adopt import written
from podium.loop.policy import ScalingPolicy
from podium.signals.signal import Signal


def test_every_field_says_where_it_comes_from() -> None:
    text = written.text(adopted(hpa(minReplicas=2, metrics=[CPU], behavior={"scaleDown": {"selectPolicy": "Min"}})))
    lines = text.partition("---\n")[2].splitlines()
    assert lines[0] == "# Adopted from HorizontalPodAutoscaler/shop/web by podium adopt."
    for line in (
        "    min: 2  # HPA web spec.minReplicas",
        "    max: 10  # HPA web spec.maxReplicas",
        "  metrics:  # HPA web spec.metrics",
        "  behavior:  # HPA web spec.behavior",
    ):
        assert line in lines


def test_it_is_read_back_as_it_was_meant_and_stands_with_its_signal() -> None:
    hours = {"timezone": "UTC", "start": "0 8 * * *", "end": "0 9 * * *", "desiredReplicas": "3"}
    odd = QUERY | {"metadata": QUERY["metadata"] | {"query": "sum(rate(x{a=\"#: 'yes'\"}[1m])) # n"}}
    for one in (
        adopted(scaled(odd, {"type": "cron", "metadata": hours}), vpa("Off", containerName="*", minAllowed={"cpu": 1})),
        adopted(hpa(metrics=[CPU]), vpa()),
    ):
        text = written.text(one)
        documents = loads(text.encode(), "web.yaml", kinds.KINDS)
        assert {type(document) for document in documents} == {Signal, ScalingPolicy}
        assert list(yaml.safe_load_all(text)) == list(one.documents)


def test_what_found_no_place_stands_above_it() -> None:
    text = written.text(adopted(scaled(QUERY, fallback={"replicas": 3, "failureThreshold": 2})))
    assert "# Not here: ScaledObject web spec.fallback: what is missing holds" in text
