from __future__ import annotations

import pytest
from tests.documents.samples import POLICY, SIGNAL, complaints, policy

from podium.documents.loading import loads
from podium.documents.problem import Invalid
from podium.kinds import KINDS

TEN_MISTAKES = """\
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: Web, namespace: shop, label: {a: b}}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment}
  mode: owns
  replicas: {min: 9, max: 6}
  load: {signal: requests_per_second, capacityPerReplica: "85"}
  objective: {}
  forecast: {enabled: n, leadTime: soon}
  schedules: []
  schedule: [{cron: "0 25 * * 1-5", timeZone: Europe/Pariss, duration: 12h, minReplicas: yes}]
  pause: off
"""


def test_ten_mistakes_are_ten_sentences_with_their_places() -> None:
    assert complaints(TEN_MISTAKES) == [
        (
            "web.yaml:3:12: metadata.name: expected lower case letters, digits, '-', '_' and '.', at most 253, "
            'as in shop-web; got "Web"'
        ),
        "web.yaml:3:40: metadata.label: expected a known field; did you mean labels?; got a mapping",
        "web.yaml:5:3: spec.targetRef.name: expected text; it is missing",
        'web.yaml:6:3: spec.mode: expected recommend, metric, floor or own; did you mean own?; got "owns"',
        "web.yaml:7:14: spec.replicas.min: expected at most max, which is 6; got 9",
        'web.yaml:8:39: spec.load.capacityPerReplica: expected a number; got "85"',
        (
            "web.yaml:9:3: spec.objective.unservedFraction: expected an objective: unservedFraction or latency; "
            "got nothing"
        ),
        'web.yaml:10:26: spec.forecast.leadTime: expected learned, or a duration above 0s such as 90s; got "soon"',
        "web.yaml:11:3: spec.schedules: expected a known field; did you mean schedule?; got an empty list",
        (
            "web.yaml:12:15: spec.schedule[0].cron: expected a cron hour between 0 and 23 instead of '25'; "
            'got "0 25 * * 1-5"'
        ),
        (
            "web.yaml:12:37: spec.schedule[0].timeZone: expected an IANA time zone such as Europe/Paris or UTC; "
            'got "Europe/Pariss"'
        ),
        "web.yaml:12:77: spec.schedule[0].minReplicas: expected a whole number; got true",
        (
            "web.yaml:13:3: spec.pause: expected none, up, down or both; YAML reads this word as true or false, "
            "write it in quotes; got false"
        ),
    ]


def test_mistakes_of_all_documents_of_a_file_come_together() -> None:
    text = "\n---\n".join(
        [POLICY.replace("max: 60", "max: 1"), "- a", SIGNAL.replace("kind: Signal", "kind: Signl"), "a: ["]
    )
    assert [line.split(": ")[0] + " " + line.split("; got ")[1] for line in complaints(text)] == [
        "web.yaml:6:14 2",
        "web.yaml:10:1 a list of 1",
        'web.yaml:13:1 "Signl"',
        "web.yaml:21:1 an unclosed [ or {, or a value missing in one",
    ]


def test_machines_get_the_same_as_people() -> None:
    with pytest.raises(Invalid) as caught:
        loads(POLICY.replace("min: 2", "min: two").encode(), "web.yaml", KINDS)
    assert caught.value.as_json() == [
        {
            "path": "spec.replicas.min",
            "file": "web.yaml",
            "line": 6,
            "column": 14,
            "expected": "a whole number",
            "got": '"two"',
        }
    ]


def test_an_empty_field_is_a_field_left_out() -> None:
    assert policy("  metrics:\n  behavior: ~\n").spec == policy().spec


def test_what_the_api_server_adds_is_accepted() -> None:
    text = POLICY.replace(
        "namespace: shop", "namespace: shop, uid: u, resourceVersion: '7', managedFields: [{manager: k}]"
    )
    assert complaints(text + "status: {conditions: []}\n") == []


def test_names_of_python_are_not_names_on_paper() -> None:
    (complaint,) = complaints(POLICY.replace("capacityPerReplica", "capacity_per_replica"))
    assert "capacity_per_replica: expected a known field; did you mean capacityPerReplica?; got 85" in complaint


def test_a_list_as_kubectl_prints_it_is_its_items() -> None:
    items = "".join("- " + text.replace("\n", "\n  ").rstrip(" ") for text in (POLICY, SIGNAL))
    documents = loads(f"apiVersion: v1\nkind: List\nitems:\n{items}".encode(), "all.yaml", KINDS)
    assert [(str(document.key), str(document.source)) for document in documents] == [
        ("ScalingPolicy shop/web", "all.yaml:4"),
        ("Signal shop/requests_per_second", "all.yaml:11"),
    ]


def test_the_digest_speaks_of_the_request_and_not_of_how_it_is_written() -> None:
    noted = POLICY.replace("namespace: shop", "namespace: shop, annotations: {note: hi}") + "  pause: none\n"
    (same,) = loads(noted.encode(), "elsewhere.yaml", KINDS)
    assert same.digest() == policy().digest()
    assert policy("  pause: up\n").digest() != policy().digest()
