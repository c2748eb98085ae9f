"""What is read of an API server's managed fields and notes, as they come."""

from __future__ import annotations

import pytest

from podium.loop.clusters.kubernetes.surroundings import _noted, last_writer
from podium.loop.modes.surroundings import Noted

REPLICAS = {"f:spec": {"f:replicas": {}}}


def entry(manager: str, time: str, fields: dict[str, object]) -> dict[str, object]:
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields}


def test_the_last_writer_of_replicas_is_named_and_it_is_not_us() -> None:
    entries = [
        entry("kubectl", "2026-11-22T01:00:00Z", REPLICAS),
        entry("kube-controller-manager", "2026-11-22T02:00:00Z", REPLICAS),
        entry("podium", "2026-11-22T03:00:00Z", REPLICAS),
        entry("argocd-controller", "2026-11-22T04:00:00Z", {"f:spec": {"f:template": {}}}),
    ]
    assert last_writer(entries) == "kube-controller-manager"
    assert last_writer(entries[2:]) == last_writer([]) == ""


NOTES = [
    (None, None),
    ('{"original":2,"raised":9,"until":"2027-01-15T08:00:00Z"}', Noted(original=2, raised=9, until=1_800_000_000.0)),
    ("garbage", None),
    ('{"original":"two"}', None),
]


@pytest.mark.parametrize(("text", "expected"), NOTES)
def test_a_note_that_cannot_be_read_is_none(text: str | None, expected: Noted | None) -> None:
    assert _noted(text) == expected
