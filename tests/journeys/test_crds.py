"""The kinds inside a real API server: it accepts their schemas, and understands their documents as we do."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.request

import pytest

from podium import kinds
from podium.documents.loading import loads
from podium.documents.problem import Invalid
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
        ("prometheus: {query: up}, ", "", "exactly one of prometheus, replay, cluster, push"),
        ("for: 15h, ", "", "either end or for"),
        ("expect: x3", "expect: often", "spec.events[0].expect"),
        (", atLeast: 500", "", "expect, atLeast or both"),
        ("before: 30m", "before: soon", "spec.events[1].before"),
        ('end: "2026-12-01T22:30:00Z"', "end: 2026-12-01 19:00", "end is after start"),
        ("start: 2026-11-27T09:00", "start: tomorrow", "spec.events[0].start"),
        ("for: 15h", "for: 0h", "spec.events[0].for"),
        ("apiVersion: apps/v1, kind: Deployment", "kind: Deployment", "apiVersion of the target"),
        ("averageUtilization: 60}}}", "averageUtilization: 60, value: 3}}}", "value is written with type Value"),
        ("target: {type: Utilization, averageUtilization: 60}", "target: {type: Value, value: 3}", "for a resource"),
        ("{type: Resource, resource:", "{type: Pods, resource:", "pods is written with type Pods"),
        ("tolerance: 50m", "tolerance: -50m", "spec.behavior.scaleDown.tolerance"),
        ("below: 250ms", "below: 0ms", "spec.objective.latency.below"),
        ("leadTime: 90", "leadTime: 0", "spec.forecast.leadTime"),
        ("then: {pause: down}", "then: {}", "at least one of minReplicas, maxReplicas and pause"),
        ("then: {pause: down}", "then: {minReplicas: 61}", "rules and windows stay within replicas"),
        ("minReplicas: 10}", "minReplicas: 10, maxReplicas: 9}", "min is above max"),
        (", minReplicas: 10}", "}", "at least one of minReplicas and maxReplicas"),
        ('cron: "0 8 * * 1-5"', 'cron: "0 8 * *"', "spec.schedule[0].cron"),
        ("timeZone: Europe/Paris, duration", "timeZone: '?', duration", "spec.schedule[0].timeZone"),
        ("interval: 30", "interval: 2m, staleAfter: 1m", "staleAfter is at least the interval"),
        ("prometheus: {query: up}", "cluster: {resource: cpu}", "cpu is measured in cores"),
        ("prometheus: {query: up}", "anomaly: {of: load}", "ratio, which a score from 0 to 1 is"),
        ("prometheus: {query: up}", "prometheus: {preset: cpu}", "the unit in which the preset measures"),
        ("cpu: {min: 100m, max: 2}", "cpu: {min: 100m, max: 0}", "spec.requests.containers"),
    ],
)
def test_what_we_refuse_the_api_server_refuses(
    served: ControlPlane, namespace: str, right: str, wrong: str, said: str
) -> None:
    text = DOCUMENTS.replace(right, wrong)
    assert text != DOCUMENTS
    with pytest.raises(Invalid):
        loads(text.encode(), "here", kinds.KINDS)
    assert said in refusal(served, namespace, text)


def test_a_field_is_explained_where_it_is_asked_for(served: ControlPlane) -> None:
    said = served.kubectl("explain", "scalingpolicy.spec.behavior.scaleDown.selectPolicy")
    assert "Which of the policies counts: the one that allows most, or least" in said
    whole = served.kubectl("explain", "scalingpolicy.spec", "--recursive")
    assert "capacityPerReplica\t<number>" in whole


def test_columns_are_those_of_the_table_api(served: ControlPlane, namespace: str) -> None:
    served.kubectl("apply", "-n", namespace, "-f", "-", input=DOCUMENTS)
    every = served.kubectl("get", "podium", "-n", namespace, "-o", "name").split()  # the category of all kinds
    assert sorted(one.partition(".")[0] for one in every) == ["calendar", "scalingpolicy", "signal"]
    path = f"/apis/podium.dev/v1alpha1/namespaces/{namespace}/scalingpolicies"
    request = urllib.request.Request(
        served.server + path,
        headers={
            "Authorization": f"Bearer {served.token}",
            "Accept": "application/json;as=Table;g=meta.k8s.io;v=v1",
        },
    )
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=str(served.ca))) as answer:
        table = json.load(answer)
    columns = [column["name"] for column in table["columnDefinitions"]]
    assert columns == ["Name", "Target", "Mode", "Min", "Max", "Pause", "Ready", "Age"]
    assert table["rows"][0]["cells"][:6] == ["web", "web", "own", 2, 60, "none"]
