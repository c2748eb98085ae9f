"""Calendars as people write them."""

from __future__ import annotations

import pytest
from tests.documents.samples import POLICY, SIGNAL, complaints

from podium.documents.collection import gather
from podium.documents.loading import loads
from podium.documents.problem import Invalid
from podium.kinds import KINDS
from podium.loop import checks
from podium.loop.calendar.document import Calendar, instant
from podium.loop.policy import ScalingPolicy
from podium.model.clock import parse_rfc3339, rfc3339

SALES = """\
apiVersion: podium.dev/v1alpha1
kind: Calendar
metadata: {name: sales, namespace: shop}
spec:
  timeZone: Europe/Paris
  events:
    - {name: Black Friday, start: 2026-11-27T09:00, for: 15h, expect: x3}
    - {name: Launch, start: 2026-12-01 20:00, end: "2026-12-01T22:30:00Z", atLeast: 500, before: 30m}
"""


def calendar(text: str = SALES) -> Calendar:
    (document,) = loads(text.encode(), "sales.yaml", KINDS)
    assert isinstance(document, Calendar)
    return document


def test_events_are_read_on_the_clocks_of_their_zone() -> None:
    first, second = calendar().spec.events
    assert [rfc3339(moment) for moment in first.span("Europe/Paris")] == [
        "2026-11-27T08:00:00Z", "2026-11-27T23:00:00Z",
    ]  # fmt: skip
    assert [rfc3339(moment) for moment in second.span("Europe/Paris")] == [
        "2026-12-01T19:00:00Z", "2026-12-01T22:30:00Z",
    ]  # fmt: skip
    assert (first.expect, first.before, second.at_least, second.before) == (3.0, "lead", 500.0, 1800.0)


@pytest.mark.parametrize(
    ("moment", "zone", "meant"),
    [
        ("2026-03-29T02:30", "Europe/Paris", "2026-03-29T01:00:00Z"),  # skipped: it begins when the clocks have moved
        ("2026-10-25T02:30", "Europe/Paris", "2026-10-25T00:30:00Z"),  # twice: the first
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:30:00Z"),  # half an hour is skipped
        ("2026-07-01T09:00", "Europe/Paris", "2026-07-01T07:00:00Z"),
        ("2026-07-01T09:00-04:00", "Europe/Paris", "2026-07-01T13:00:00Z"),
    ],
)
def test_a_moment_of_the_odd_days_is_one_moment(moment: str, zone: str, meant: str) -> None:
    assert instant(moment, zone) == parse_rfc3339(meant)


@pytest.mark.parametrize(
    ("instead", "line", "expected"),
    [
        (("for: 15h", "for: 15"), 0, ""),
        (("start: 2026-11-27T09:00", "start: friday"), 7, "spec.events[0].start: expected a date and a time such as"),
        (("2026-11-27T09:00", "2026-11-31T09:00"), 7, "events[0].start: expected a date and a time that exist"),
        (("expect: x3", "expect: x0.5"), 7, "events[0].expect: expected at least x1, for an event lowers nothing"),
        (("expect: x3", "expect: often"), 7, "events[0].expect: expected how many times the usual load, as in x3"),
        ((", expect: x3", ""), 7, "events[0].expect: expected what it brings: expect, as in x3, or atLeast"),
        (("for: 15h, ", ""), 7, "events[0].end: expected when it is over: end, or for"),
        (('end: "2026-12-01T22:30:00Z"', "end: 2026-12-01T19:30"), 8, "events[1].end: expected after its start"),
        (("before: 30m", "before: soon"), 8, "events[1].before: expected lead, or a duration such as 30m"),
        (("Europe/Paris", "Europe/Pariss"), 5, "spec.timeZone: expected an IANA time zone"),
        (("atLeast: 500", "atleast: 500"), 8, "did you mean atLeast?"),
        (("  timeZone", "  targetRef: {kind: Deployment, name: web}\n  timeZone"), 5, "expected apiVersion, as in"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_field(instead: tuple[str, str], line: int, expected: str) -> None:
    found = complaints(SALES.replace(*instead))
    if not expected:
        assert found == []
        return
    assert any(one.startswith(f"web.yaml:{line}:") and expected in one for one in found), found


def checked(text: str) -> list[str]:
    try:
        gather(loads(text.encode(), "all.yaml", KINDS), (), checks.CHECKS)
    except Invalid as error:
        return [str(problem) for problem in error.problems]
    return []


def test_a_calendar_without_anybody_to_act_on_is_refused() -> None:
    everything = f"{POLICY}---\n{SIGNAL}---\n{SALES}"
    assert checked(everything) == []
    (elsewhere,) = checked(everything.replace("name: sales, namespace: shop", "name: sales, namespace: bank"))
    assert "expected to match a ScalingPolicy in namespace bank" in elsewhere
    (typo,) = checked(
        everything.replace("  timeZone", "  targetRef: {apiVersion: apps/v1, kind: Deployment, name: wep}\n  timeZone")
    )
    assert "spec.targetRef.name: expected a workload with a ScalingPolicy in namespace shop; did you mean web?" in typo
    (unmatched,) = checked(everything.replace("  timeZone", "  selector: {matchLabels: {tier: front}}\n  timeZone"))
    assert "spec.selector: expected to match a ScalingPolicy" in unmatched
    (off,) = checked(
        everything.replace("capacityPerReplica: 85}", "capacityPerReplica: 85}\n  forecast: {enabled: false}")
    )
    assert "expected a workload whose policy has a load and a forecast" in off


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("{}", True),
        ("{matchLabels: {tier: front}}", True),
        ("{matchLabels: {tier: back}}", False),
        ("{matchExpressions: [{key: tier, operator: In, values: [front, back]}]}", True),
        ("{matchExpressions: [{key: tier, operator: NotIn, values: [front]}]}", False),
        ("{matchExpressions: [{key: team, operator: DoesNotExist}]}", True),
        ("{matchExpressions: [{key: team, operator: Exists}]}", False),
    ],
)
def test_a_selector_means_what_kubernetes_means(selector: str, matches: bool) -> None:
    named = POLICY.replace("{name: web, namespace: shop}", "{name: web, namespace: shop, labels: {tier: front}}")
    (policy,) = loads(named.encode(), "web.yaml", KINDS)
    assert isinstance(policy, ScalingPolicy)
    chosen = calendar(SALES.replace("  timeZone", f"  selector: {selector}\n  timeZone"))
    assert chosen.means("shop", policy.spec.target_ref, policy.metadata.labels) is matches
    assert not chosen.means("bank", policy.spec.target_ref, policy.metadata.labels)
