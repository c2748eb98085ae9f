"""Shards: stable, even and whole; and the settings of those who share an installation."""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

from podium import settings
from podium.documents.problem import Invalid
from podium.loop import shards
from podium.loop.settings import PartSettings
from podium.model.identity import WorkloadKey

KEYS = [WorkloadKey("local", f"tenant-{n % 50}", "deployment", "apps", f"w{n}") for n in range(5000)]


def test_a_workloads_shard_is_the_same_everywhere_and_for_ever() -> None:
    key = WorkloadKey.parse("local/shop/deployment.apps/web")
    assert [shards.shard_of(key, count, "workload") for count in (1, 2, 7, 1024)] == [0, 0, 2, 424]
    assert shards.shard_of(WorkloadKey.parse("other/shop/deployment.apps/web"), 1024, "workload") == 424


def test_shards_are_of_about_one_size() -> None:
    sizes = collections.Counter(shards.shard_of(key, 8, "workload") for key in KEYS)
    assert sorted(sizes) == list(range(8))
    assert max(sizes.values()) < 1.2 * min(sizes.values())


def test_a_namespace_stays_together() -> None:
    where = collections.defaultdict(set)
    for key in KEYS:
        where[key.namespace].add(shards.shard_of(key, 8, "namespace"))
    assert {len(found) for found in where.values()} == {1}


def test_every_workload_is_of_exactly_one_shard() -> None:
    owned = [shards.owned(PartSettings(shards=3, shard=number, by="workload")) for number in range(3)]
    assert {sum(mine(key) for mine in owned) for key in KEYS} == {1}
    assert all(map(shards.owned(PartSettings()), KEYS))


def loaded(tmp_path: Path, text: str, **flags: str) -> settings.Loaded:
    file = tmp_path / "podium.yaml"
    file.write_text("apiVersion: podium.dev/v1alpha1\nkind: Settings\n" + text)
    return settings.load({"config": str(file)} | flags, {}, tmp_path, system=tmp_path)


TWO = "clusters: [{name: eu, kind: kubernetes, context: eu}, {name: us, kind: kubernetes, context: us}]\n"
OF_EACH = "database: {url: 'postgresql://db/podium_{cluster}'}\n"


def test_one_of_several_clusters_is_a_processs_own(tmp_path: Path) -> None:
    sources = "sources: [{name: a, kind: cluster, cluster: eu}, {name: b, kind: cluster, cluster: us}]\n"
    text = TWO + OF_EACH + sources + "documents: {path: 'policies/{cluster}'}\n"
    value = loaded(tmp_path, text, **{"part.cluster": "us"}).value
    assert ([one.name for one in value.clusters], [one.name for one in value.sources]) == (["us"], ["b"])
    assert (value.database.url, value.documents.path) == ("postgresql://db/podium_us", tmp_path / "policies/us")
    assert value.source("cluster", None).name == "b"


def test_a_shard_has_a_database_of_its_own(tmp_path: Path) -> None:
    text = (
        "clusters: [{name: eu, kind: kubernetes}]\ndatabase: {url: 'sqlite:///podium-{shard}.db'}\npart: {shards: 4}\n"
    )
    some = loaded(tmp_path, text)
    assert some.value.database.url == f"sqlite:///{tmp_path}/podium-{{shard}}.db"
    assert some.of_shard(3).value.database.url == f"sqlite:///{tmp_path}/podium-3.db"
    assert some.of_shard(3).value.part.shard == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TWO + OF_EACH, "part.cluster: expected one of eu, us: each process leads one cluster"),
        (TWO + "part: {cluster: eu}\n", "database.url: expected {cluster} in it"),
        (TWO + OF_EACH + "part: {cluster: uss}\n", "part.cluster: expected the name of a cluster; did you mean us?"),
        ("part: {shards: 2, shard: 0}\n", "database.url: expected {shard} in it"),
        ("part: {shards: 2, shard: 2}\n", "part.shard: expected less than shards, which is 2"),
        ("part: {shards: 2}\n", "part.shard: expected a number: a simulated cluster has no Leases"),
        ("clusters: []\n", "clusters: expected a cluster"),
    ],
)
def test_who_shares_an_installation_says_how(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        loaded(tmp_path, text)
    assert said in str(refused.value)
