"""However large the fleet, the number of series stays what it was."""

from __future__ import annotations

import numpy as np
from prometheus_client import CollectorRegistry

from podium.loop.tell.meters.lead import LeadMeters
from podium.loop.tell.meters.tenants import OTHERS, Tenants
from podium.loop.tell.meters.turns import directions
from podium.model.arrays import UNKNOWN
from podium.model.fleet import Fleet, Slot
from podium.model.identity import WorkloadKey


def fleet(*tenants: str) -> Fleet:
    """A workload for each, in this order of slots."""
    keys = [WorkloadKey("local", tenant, "deployment", "apps", f"w{number}") for number, tenant in enumerate(tenants)]
    return Fleet(tuple(Slot(key, key.namespace) for key in keys))


def test_the_largest_tenants_have_their_own_series_and_the_others_are_added_up() -> None:
    tenants = Tenants(fleet("a", "b", "b", "c", "c", "c"), most=2)
    assert tenants.names == ("b", "c", OTHERS)
    assert tenants.summed(np.array([1.0, 2.0, 4.0, 8.0, 16.0, np.nan])).tolist() == [6.0, 24.0, 1.0]


def test_no_others_are_told_of_when_all_have_room() -> None:
    tenants = Tenants(fleet("a", "b"), most=2)
    assert (tenants.names, tenants.summed(np.array([1, 2])).tolist()) == (("a", "b"), [1.0, 2.0])


def test_no_tenant_has_its_own_series_when_the_settings_say_none() -> None:
    tenants = Tenants(fleet("a", "b"), most=0)
    assert (tenants.names, tenants.summed(np.array([1, 2])).tolist()) == ((OTHERS,), [3.0])


def test_a_slot_that_is_nobodys_adds_nothing() -> None:
    taken = fleet("a", "b")
    tenants = Tenants(Fleet((*taken.slots, Slot(None))), most=1)
    assert tenants.summed(np.array([1, 2, 4])).tolist() == [1.0, 2.0]


def test_an_empty_fleet_has_no_tenant() -> None:
    assert Tenants(Fleet(), most=100).summed(np.empty(0)).tolist() == []


def test_a_decision_is_up_down_a_hold_or_unknown() -> None:
    wanted, current = np.array([3, 1, 2, UNKNOWN, 4]), np.array([2, 2, 2, 2, UNKNOWN])
    assert directions(wanted, current).tolist() == [1, 2, 0, 3, 3]


def test_leadership_lost_for_a_reason_is_a_failed_turn_and_stopping_is_none() -> None:
    registry = CollectorRegistry()
    meters = LeadMeters(registry)
    registry.register(meters.gauges)
    meters.lost("ledger")  # while it never led: the database did not answer
    assert registry.get_sample_value("podium_turns_failed_total", {"reason": "ledger"}) == 1
    assert registry.get_sample_value("podium_leadership_changes_total", {"change": "lost"}) == 0
    assert registry.get_sample_value("podium_leader") == 0
