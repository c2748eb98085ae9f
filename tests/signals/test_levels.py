import dataclasses

import numpy as np
import pytest
from tests.signals.fakes import NOW, fleet_of, pods_of, reading_of, values

from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.signals.bound import BoundSignal
from podium.signals.levels import Joined, join, milli_of
from podium.signals.placement import Index, Places, PodRows
from podium.signals.source import Reading, Subject

nan = float("nan")
LOAD = BoundSignal(namespace="shop", name="load", source="prom", query="q", unit="per_second")
FLEET = fleet_of("shop/web", "shop/api", "bank/web")
NO_PODS = pods_of()
PODS = pods_of((0, "shop", "web-1"), (0, "shop", "web-2"), (1, "shop", "api-1"))


def joined(
    reading: Reading, rows: PodRows = NO_PODS, signal: BoundSignal = LOAD, fleet: Fleet = FLEET, now: float = NOW
) -> Joined:
    index = Index(fleet, rows, signal.cluster)
    mine = np.array([name == signal.namespace for name in index.namespaces])
    return join(reading, index.place(reading.subjects), mine, rows, signal, now)


def test_a_series_of_a_workload_is_its_level() -> None:
    out = joined(reading_of(("shop", "deployment", "api", 5), ("shop", "deployment", "web", 3)))

    assert (values(out.value), values(out.at)) == ([3, 5, None], [NOW, NOW, None])


def test_series_of_other_namespaces_are_not_seen() -> None:
    out = joined(reading_of(("bank", "deployment", "web", 9), ("shop", "deployment", "web", 3)))

    assert (values(out.value), out.matched) == ([3, None, None], 1)


def test_a_pod_is_not_taken_for_one_of_another_namespace() -> None:
    rows = pods_of((0, "bank", "web-1"))

    assert joined(reading_of(("bank", "pod", "web-1", 9)), rows).matched == 0


@pytest.mark.parametrize(("reduce", "expected"), [("sum", 9), ("mean", 4.5), ("max", 7)])
def test_pods_are_reduced_to_their_workload(reduce: str, expected: float) -> None:
    reading = reading_of(("shop", "pod", "web-1", 2), ("shop", "pod", "web-2", 7), ("shop", "pod", "gone-1", 99))

    out = joined(reading, PODS, dataclasses.replace(LOAD, reduce=reduce))

    assert (values(out.value), out.matched) == ([expected, None, None], 2)


def test_the_time_of_a_sum_is_that_of_its_oldest_part() -> None:
    reading = reading_of(("shop", "pod", "web-1", 2), ("shop", "pod", "web-2", 7))
    reading.at[1] = NOW - 40

    assert values(joined(reading, PODS).at) == [NOW - 40, None, None]


def test_a_sum_that_lacks_a_ready_pod_is_unknown_not_smaller() -> None:
    out = joined(reading_of(("shop", "pod", "web-1", 2), ("shop", "pod", "api-1", 4)), PODS)

    assert (values(out.value), out.unmeasured) == ([None, 4, None], 1)


def test_a_pod_that_has_just_become_ready_may_still_be_missing() -> None:
    rows = pods_of((0, "shop", "web-1"), (0, "shop", "web-2"))
    rows.pods.transition[1] = NOW - 10

    assert values(joined(reading_of(("shop", "pod", "web-1", 2)), rows).value) == [2, None, None]


def test_a_workload_that_is_measured_itself_is_not_added_to_its_pods() -> None:
    reading = reading_of(("shop", "deployment", "web", 10), ("shop", "pod", "web-1", 2), ("shop", "pod", "web-2", 7))

    assert values(joined(reading, PODS).value) == [10, None, None]


@pytest.mark.parametrize("garbage", [nan, np.inf, -np.inf, -1.0])
def test_garbage_is_missing_and_counted(garbage: float) -> None:
    out = joined(reading_of(("shop", "deployment", "web", garbage), ("shop", "deployment", "api", 1)))

    assert (values(out.value), values(out.at)) == ([None, 1, None], [None, NOW, None])
    assert (out.garbage, out.stale, out.matched) == (1, 0, 2)


def test_a_ratio_may_be_negative() -> None:
    signal = dataclasses.replace(LOAD, unit="ratio")

    assert values(joined(reading_of(("shop", "deployment", "web", -1.0)), signal=signal).value) == [-1, None, None]


def test_a_value_older_than_allowed_is_missing_and_one_just_as_old_is_not() -> None:
    reading = reading_of(("shop", "deployment", "web", 1), ("shop", "deployment", "api", 2))
    reading.at[:] = NOW - 60, NOW - 60.1

    out = joined(reading)

    assert (values(out.value), out.stale) == ([1, None, None], 1)


def test_a_value_from_the_future_would_never_age_and_is_garbage() -> None:
    assert joined(reading_of(("shop", "deployment", "web", 1), at=NOW + 3600)).garbage == 1


def test_one_bad_series_of_two_makes_the_sum_unknown() -> None:
    out = joined(reading_of(("shop", "deployment", "web", 1), ("shop", "deployment", "web", nan)))

    assert values(out.value) == [None, None, None]


def test_pods_keep_their_own_samples_in_thousandths_rounded_up() -> None:
    signal = dataclasses.replace(LOAD, of="pods", window_seconds=120.0)
    reading = reading_of(
        ("shop", "pod", "web-2", 0.0001), ("shop", "pod", "api-1", 4.35), ("shop", "pod", "web-1", nan)
    )

    samples = joined(reading, PODS, signal).samples

    assert samples is not None
    assert samples.milli.tolist() == [-1, 1, 4350]
    assert values(samples.at) == [None, NOW, NOW]
    assert samples.window.tolist() == [120, 120, 120]


def test_thousandths_round_up_saturate_and_leave_unknown_unknown() -> None:
    numbers = np.array([0, 1.1, 4.35, 1e-9, 0.0015, 1e30, nan, 123456789012.345])

    assert milli_of(numbers).tolist() == [0, 1100, 4350, 1, 2, 2**63 - 1024, -1, 123456789012345]


def test_a_workload_of_unsaid_kind_is_found_when_only_one_bears_the_name() -> None:
    fleet = fleet_of("shop/web", "shop/api")
    fleet = fleet.revised(
        {**dict.fromkeys(fleet.index, ""), WorkloadKey("local", "shop", "statefulset", "apps", "api"): ""}
    )

    out = joined(reading_of(("shop", "workload", "web", 1), ("shop", "workload", "api", 2)), fleet=fleet)

    assert values(out.value) == [1, None, None]


def test_of_two_clusters_only_the_one_asked_for_is_measured() -> None:
    keys = [WorkloadKey(cluster, "shop", "deployment", "apps", "web") for cluster in ("north", "south")]
    fleet = Fleet().revised(dict.fromkeys(keys, ""))
    reading = reading_of(("shop", "deployment", "web", 1))

    both = joined(reading, fleet=fleet)
    south = joined(reading, fleet=fleet, signal=dataclasses.replace(LOAD, cluster="south"))

    assert (values(both.value), values(south.value)) == ([None, None], [None, 1])


def test_a_placement_is_kept_until_subjects_fleet_or_pods_change() -> None:
    places = Places()
    subjects = (Subject("shop", "pod", "web-1"),)
    index = places.index(FLEET, PODS, "")
    first = places.place(("prom", "q"), "", index, subjects)

    same_pods = PodRows(PODS.pods, tuple(PODS.names))
    assert places.index(FLEET, same_pods, "") is index
    assert places.place(("prom", "q"), "", index, tuple(subjects)) is first

    moved = pods_of((1, "shop", "web-1"))
    again = places.place(("prom", "q"), "", places.index(FLEET, moved, ""), subjects)
    assert (first.slot.tolist(), again.slot.tolist()) == ([0], [1])


def test_without_a_fleet_nothing_matches() -> None:
    out = joined(reading_of(("shop", "pod", "web-1", 1)), pods_of((-1, "shop", "web-1")), fleet=Fleet())

    assert (out.value.tolist(), out.matched) == ([], 0)
