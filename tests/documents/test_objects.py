"""Documents that lie in a cluster: each stands for itself."""

from __future__ import annotations

from typing import Any

from podium import kinds
from podium.documents.objects import gathered
from podium.loop.policy import ScalingPolicy


def policy(name: str, target: str, *, signal: str = "rps", at: str = "2026-03-02T09:00:00Z") -> dict[str, Any]:
    return {
        "apiVersion": "podium.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": at, "resourceVersion": "7", "uid": "u"},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "mode": "own",
            "replicas": {"min": 2, "max": 9},
            "load": {"signal": signal, "capacityPerReplica": 10},
        },
        "status": {"conditions": []},
    }


def signal(name: str = "rps") -> dict[str, Any]:
    return {
        "apiVersion": "podium.dev/v1alpha1",
        "kind": "Signal",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2026-03-01T00:00:00Z"},
        "spec": {"unit": "per_second", "prometheus": {"query": "up"}},
    }


def stood(*objects: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """The policies in force, and why the others are not."""
    documents, standings = gathered(objects, "local", kinds.KINDS, kinds.all_checks())
    in_force = [one.metadata.name for one in documents.of(ScalingPolicy)]
    return in_force, {one.key.name: one.words for one in standings if one.words}


def test_objects_that_are_right_are_in_force() -> None:
    assert stood(policy("web", "web"), policy("cart", "cart"), signal()) == (["cart", "web"], {})


def test_a_wrong_object_keeps_no_other_from_being_followed() -> None:
    wrong = policy("cart", "cart")
    wrong["spec"]["replicas"] = {"min": 9, "max": 3}
    in_force, words = stood(policy("web", "web"), wrong, signal())
    assert in_force == ["web"]
    assert words == {"cart": "spec.replicas.min: expected at most max, which is 3; got 9"}


def test_of_two_policies_on_one_workload_the_older_one_holds() -> None:
    in_force, words = stood(policy("young", "web", at="2026-03-02T10:00:00Z"), policy("old", "web"), signal())
    assert in_force == ["old"]
    assert words == {
        "young": "spec.targetRef: expected a workload without another policy; "
        "got Deployment web, which has old (cluster local: ScalingPolicy shop/old)"
    }


def test_what_an_object_names_and_is_not_there_is_said_of_it() -> None:
    in_force, words = stood(policy("web", "web"), policy("cart", "cart", signal="rpm"), signal())
    assert in_force == ["web"]
    assert words == {
        "cart": "spec.load.signal: expected the name of a Signal in namespace shop; did you mean rps?; got rpm"
    }


def test_what_stands_on_a_wrong_object_is_not_in_force_either() -> None:
    broken = signal()
    broken["spec"]["unit"] = "apples"
    in_force, words = stood(policy("web", "web"), broken)
    assert in_force == []
    assert sorted(words) == ["rps", "web"]


def test_a_document_means_the_same_wherever_it_lies() -> None:
    documents, _ = gathered([policy("web", "web"), signal()], "local", kinds.KINDS, kinds.all_checks())
    moved, _ = gathered([signal(), policy("web", "web", at="2026-05-05T00:00:00Z")], "other", kinds.KINDS, ())
    assert documents.digest == moved.digest
