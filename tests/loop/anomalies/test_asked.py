"""Signals that judge others: how they are written, refused, recorded and bound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.cli.outside import podium
from tests.documents.samples import POLICY, SIGNAL, complaints

from podium.documents.collection import gather
from podium.documents.loading import loads
from podium.documents.problem import Invalid
from podium.kinds import KINDS
from podium.loop import checks
from podium.loop.anomalies.asked import AnomalySignal, scored
from podium.loop.binding import bind
from podium.loop.decide.table import Guards, Reactive
from podium.loop.policy import ScalingPolicy
from podium.loop.tabulate import Limits, Policies, tabulate
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.signals.signal import Signal

ODD = """\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {name: odd, namespace: shop}
spec:
  anomaly: {of: requests_per_second}
"""
RULE = "  rules: [{when: odd > 0.5, then: {pause: down}}]\n"


def said(*texts: str) -> list[str]:
    """What is wrong with documents of one file, each by itself and all together."""
    try:
        gather(loads("---\n".join(texts).encode(), "shop.yaml", KINDS), (), checks.CHECKS)
    except Invalid as error:
        return str(error).splitlines()
    return []


def test_a_score_is_a_ratio_of_a_signal_at_the_usual_sensitivity() -> None:
    (signal,) = loads(ODD.encode(), "s.yaml", KINDS)
    assert isinstance(signal, Signal)
    spec = signal.spec
    assert (spec.origin, spec.origin_kind, spec.unit) == (None, "anomaly", "ratio")
    assert spec.anomaly is not None
    assert (spec.anomaly.of, spec.anomaly.threshold) == ("requests_per_second", 2.5)


def test_rules_may_speak_of_a_score() -> None:
    assert said(SIGNAL, ODD, POLICY + RULE) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (ODD.replace("second}", "second, threshold: 0}"), "spec.anomaly.threshold: expected a number above 0; got 0"),
        (ODD.replace("requests_per_second}", "requests_per_second, threshold: high}"), "spec.anomaly.threshold"),
        (
            ODD.replace("requests_per_second}", "requests_per_second, threshold: .nan}"),
            "expected a number that JSON can hold; got .nan",
        ),
        (ODD.replace("{of: requests_per_second}", "{}"), "spec.anomaly.of"),
        (ODD + "  unit: cores\n", "spec.unit: expected ratio, which a score from 0 to 1 is, or nothing"),
        (ODD + "  interval: 30s\n", "spec.interval: expected nothing here: it is that of the Signal requests_per_sec"),
        (ODD + "  cluster: {resource: cpu}\n", "spec.anomaly: expected nothing here, because the origin is cluster"),
    ],
)
def test_a_score_that_could_not_be_is_refused_at_its_field(text: str, complaint: str) -> None:
    assert any(complaint in one for one in complaints(text)), complaints(text)


def test_a_score_of_a_signal_that_is_not_there_is_refused_with_the_nearest() -> None:
    (complaint,) = said(SIGNAL, ODD.replace("of: requests_per_second", "of: request_per_second"))
    assert complaint == (
        "shop.yaml:12:13: spec.anomaly.of: expected the name of a measured Signal in namespace shop; "
        "did you mean requests_per_second?; got request_per_second"
    )


def test_a_score_of_a_score_and_of_itself_is_refused() -> None:
    twice = ODD.replace("name: odd", "name: odder").replace("requests_per_second", "odd")
    itself = ODD.replace("requests_per_second", "odd")
    for texts in ((SIGNAL, ODD, twice), (SIGNAL, itself)):
        (complaint,) = said(*texts)
        assert "expected the name of a measured Signal in namespace shop" in complaint
        assert complaint.endswith("got odd, which is an anomaly")


def test_a_wrong_score_ends_the_check_with_one_error_and_code_2(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("---\n".join((SIGNAL, ODD.replace("of: requests", "of: request"))))
    done = podium("policy", "check", tmp_path / "shop.yaml", at=tmp_path)
    (line,) = done.err.splitlines()
    assert (done.code, done.out) == (2, "")
    assert "shop.yaml:12:13: spec.anomaly.of: expected the name of a measured Signal" in line


def test_a_score_of_another_namespace_is_refused() -> None:
    (complaint,) = said(SIGNAL, ODD.replace("namespace: shop", "namespace: bank"))
    assert "measured Signal in namespace bank; got requests_per_second" in complaint


def test_pods_have_no_score() -> None:
    metric = "{type: Pods, pods: {metric: {name: odd}, target: {type: AverageValue, averageValue: 500m}}}"
    (complaint,) = said(SIGNAL, ODD, POLICY + f"  metrics: [{metric}]\n")
    assert "spec.metrics[0].pods.metric.name: expected a Signal that is measured pod by pod" in complaint


def keys(*names: tuple[str, str]) -> list[WorkloadKey]:
    return [WorkloadKey("local", space, "deployment", "apps", name) for space, name in names]


def test_namespaces_that_ask_alike_are_judged_together() -> None:
    fleet = Fleet().revised(dict.fromkeys(keys(("bank", "a"), ("press", "a"), ("shop", "a"), ("shop", "b")), ""))
    asked = [AnomalySignal(space, "odd", "load", 2.5, 60.0) for space in ("shop", "bank", "empty")]
    rows = scored([*asked, AnomalySignal("press", "odd", "load", 3.0, 60.0)], fleet)
    assert [(one.threshold, one.slots.tolist()) for one in rows] == [(2.5, [0, 2, 3]), (3.0, [1])]
    assert scored(asked[2:], fleet) == ()


def test_what_is_bound_judges_at_the_pace_of_its_signal_and_is_recorded_with_the_policies() -> None:
    texts = (SIGNAL + "  interval: 30s\n", ODD, POLICY + RULE)
    documents = gather(loads("---\n".join(texts).encode(), "shop.yaml", KINDS), (), checks.CHECKS)
    assigned = bind(
        documents, "local", Fleet(),
        source_of=lambda kind, name: "prom", tenant_of=lambda key: key.namespace,
        guards=Guards(), reactive=Reactive(), limits=Limits(),
    )  # fmt: skip
    wanted = (AnomalySignal("shop", "odd", "requests_per_second", 2.5, 30.0),)
    assert ([one.name for one in assigned.signals], assigned.policies.anomalies) == (["requests_per_second"], wanted)
    again = Policies.from_json(assigned.policies.to_json())
    assert (again.anomalies, again.digest()) == (wanted, assigned.policies.digest())
    (row,) = tabulate(again, assigned.fleet).scores
    assert (row.name, row.of, row.step_seconds, row.slots.tolist()) == ("odd", "requests_per_second", 30.0, [0])
    assert np.isfinite(row.threshold)


def test_policies_without_scores_are_recorded_as_they_always_were() -> None:
    (document,) = loads(POLICY.encode(), "web.yaml", KINDS)
    assert isinstance(document, ScalingPolicy)
    assert b"anomalies" not in Policies({document.workload("local"): document}).to_json()
