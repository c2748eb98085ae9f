"""The kinds inside a real API server: it accepts their schemas, and understands their documents as we do."""

from __future__ import annotations

import json
import subprocess

import pytest

from podium import kinds
from podium.documents.loading import loads
from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

DOCUMENTS = """\
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: web}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  mode: own
  replicas: {min: 0o2, max: 6e1}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
  behavior: {scaleDown: {tolerance: 50m, policies: [{type: Percent, value: 10, periodSeconds: 60}]}}
  load: {signal: requests-per-second, capacityPerReplica: 85}
  objective: {latency: {quantile: 0.99, below: 250ms}}
  forecast: {enabled: n, leadTime: 90}
  rules: [{when: 'errors > 5', then: {pause: down}}]
  schedule: [{cron: "0 8 * * 1-5", timeZone: Europe/Paris, duration: 12h, minReplicas: 10}]
  requests: {containers: {"*": {cpu: {min: 100m, max: 2}, memory: {max: 1Gi}}}}
  pause:
---
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {name: requests-per-second}
spec: {unit: per_second, prometheus: {query: up}, interval: 30}
---
apiVersion: podium.dev/v1alpha1
kind: Calendar
metadata: {name: sales}
spec:
  timeZone: Europe/Paris
  selector: {matchLabels: {tier: front}}
  events:
    - {name: Black Friday, start: 2026-11-27T09:00, for: 15h, expect: x3}
    - {name: Launch, start: 2026-12-01 20:00, end: "2026-12-01T22:30:00Z", atLeast: 500, before: 30m}
    - {name: Sunday, start: 2026-12-06T10:00:00+01:00, for: 90, expect: 2, before: lead}
"""


def refusal(control_plane: ControlPlane, namespace: str, text: str) -> str:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        control_plane.kubectl("apply", "-n", namespace, "-f", "-", input=text)
    return str(caught.value.stderr)


def test_no_schema_is_called_unstructural(served: ControlPlane) -> None:
    for crd in kinds.crds():
        found = json.loads(served.kubectl("get", "crd", crd["metadata"]["name"], "-o", "json"))
        conditions = {condition["type"]: condition["status"] for condition in found["status"]["conditions"]}
        assert conditions == {"NamesAccepted": "True", "Established": "True"}


def test_a_document_means_the_same_to_the_api_server(served: ControlPlane, namespace: str) -> None:
    served.kubectl("apply", "-n", namespace, "-f", "-", input=DOCUMENTS)
    stored = served.kubectl("get", "scalingpolicies,signals,calendars", "-n", namespace, "-o", "yaml")
    theirs = {document.key: document.digest() for document in loads(stored.encode(), "cluster", kinds.KINDS)}
    here = DOCUMENTS.replace("metadata: {", f"metadata: {{namespace: {namespace}, ")
    assert theirs == {document.key: document.digest() for document in loads(here.encode(), "folder", kinds.KINDS)}


def test_a_status_can_be_written_and_is_read_past(served: ControlPlane, namespace: str) -> None:
    served.kubectl("apply", "-n", namespace, "-f", "-", input=DOCUMENTS)
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "NoSignal",
        "message": "silent",
        "lastTransitionTime": "2026-11-21T09:30:00Z",
    }
    patch = json.dumps({"status": {"observedGeneration": 1, "conditions": [condition]}})
    served.kubectl("patch", "spol", "web", "-n", namespace, "--subresource=status", "--type=merge", "-p", patch)
    assert served.kubectl("get", "spol", "web", "-n", namespace, "--no-headers").split()[:7] == [
        "web",
        "web",
        "own",
        "2",
        "60",
        "none",
        "False",
    ]
    stored = served.kubectl("get", "spol", "web", "-n", namespace, "-o", "yaml")
    assert [str(document.key) for document in loads(stored.encode(), "cluster", kinds.KINDS)] == [
        f"ScalingPolicy {namespace}/web"
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("mode: own", "modes: own", 'unknown field "spec.modes"'),
        ("mode: own", "mode: owns", 'Unsupported value: "owns"'),
        ("max: 6e1", "max: 1", "min is above max"),
        ("max: 6e1", "max: yes", "must be of type integer"),
        ("duration: 12h", "duration: long", "spec.schedule[0].duration"),
        ("capacityPerReplica: 85", "capacityPerReplica: 0", "greater than 0"),
        ("latency: {quantile: 0.99, below: 250ms}", "", "one of unservedFraction and latency"),
        ("prometheus: {query: up}, ", "", "exactly one of prometheus, replay, cluster"),
        ("for: 15h, ", "", "either end or for"),
        ("expect: x3", "expect: often", "spec.events[0].expect"),
        (", atLeast: 500", "", "expect, atLeast or both"),
        ("before: 30m", "before: soon", "spec.events[1].before"),
    ],
)
def test_what_we_refuse_the_api_server_refuses(
    served: ControlPlane, namespace: str, right: str, wrong: str, said: str
) -> None:
    assert said in refusal(served, namespace, DOCUMENTS.replace(right, wrong))
