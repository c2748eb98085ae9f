from __future__ import annotations

from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey


def key(namespace: str, name: str) -> WorkloadKey:
    return WorkloadKey("local", namespace, "deployment", "apps", name)


def test_tenants_are_numbered_in_the_order_of_their_first_slots_and_an_empty_slot_is_nobodys() -> None:
    shop, ads, more = key("shop", "web"), key("ads", "api"), key("shop", "zone")
    fleet = Fleet().revised({shop: "shop", ads: "ads", more: "shop"})
    assert fleet.tenants.tolist() == [0, 1, 1]
    assert fleet.revised({shop: "shop", more: "shop"}).tenants.tolist() == [-1, 0, 0]


def test_who_has_no_tenant_belongs_to_nobody() -> None:
    assert Fleet().revised({key("shop", "web"): "", key("shop", "api"): ""}).tenants.tolist() == [-1, -1]


def test_who_belongs_together_is_told_by_the_tenant_and_else_by_the_namespace() -> None:
    wanted = {key("a", "one"): "", key("a", "two"): "", key("b", "one"): "x", key("c", "one"): "x"}
    fleet = Fleet().revised(wanted)
    assert fleet.groups.tolist() == [0, 0, 1, 1]
    assert fleet.revised({key("b", "one"): "x"}).groups.tolist() == [-1, -1, 0, -1]
