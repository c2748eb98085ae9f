"""The built-in example: its documents are right, and its load is worth looking at."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from podium import settings
from podium.demo import folder
from podium.documents.collection import Documents
from podium.documents.folder import Folder
from podium.loop.clusters.simulated.cluster import SimulatedCluster
from podium.loop.clusters.simulated.recorded import RecordedLoad
from podium.loop.clusters.simulated.scenario import Scenario, read_scenario
from podium.loop.clusters.simulated.simulation import set_in_motion
from podium.loop.policy import ScalingPolicy
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.signals.signal import Signal

DAY = 86400.0


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return read_scenario(folder() / "scenario.yaml")


@pytest.fixture(scope="module")
def documents() -> Documents:
    return Folder(folder() / "policies", {"ScalingPolicy": ScalingPolicy, "Signal": Signal}).load()


@pytest.fixture(scope="module")
def recorded(scenario: Scenario) -> RecordedLoad:
    return RecordedLoad(scenario, folder())


def test_the_settings_name_the_files_beside_them(documents: Documents, tmp_path: Path) -> None:
    loaded = settings.load({"config": str(folder() / "podium.yaml")}, {}, tmp_path, system=tmp_path)
    (cluster,) = loaded.value.clusters
    replay = loaded.value.source("replay", None)
    assert (cluster.simulation.scenario, cluster.simulation.speed) == (folder() / "scenario.yaml", 60)
    assert (replay.path, loaded.value.documents.path) == (folder() / "scenario.yaml", folder() / "policies")
    assert list(loaded.value.sources_exist()(documents)) == []


def test_every_workload_has_a_policy_and_every_policy_a_workload(scenario: Scenario, documents: Documents) -> None:
    policies = sorted(policy.workload("local") for policy in documents.of(ScalingPolicy))
    assert policies == sorted(workload.key("local") for workload in scenario.spec.workloads)
    assert len({key.namespace for key in policies}) == 3


def test_every_signal_a_policy_names_is_there_and_is_replayed(documents: Documents, recorded: RecordedLoad) -> None:
    queries = {track.query for track in recorded.tracks()}
    for policy in documents.of(ScalingPolicy):
        assert policy.spec.load is not None
        signal = documents.find(Signal, policy.namespace, policy.spec.load.signal)
        assert signal is not None
        assert signal.spec.replay is not None
        assert signal.spec.replay.column in queries


def test_a_signal_outlives_the_step_of_its_recording(scenario: Scenario, documents: Documents) -> None:
    steps = {recording.name: recording.step for recording in scenario.spec.recordings}
    for workload in scenario.spec.workloads:
        assert workload.load is not None
        signal = documents.find(Signal, workload.namespace, workload.load.query)
        assert signal is not None
        assert (signal.spec.interval, signal.spec.stale_after > 2 * signal.spec.interval) == (
            steps[workload.load.recording],
            True,
        )


def test_three_days_of_history_lie_before_the_start(scenario: Scenario, recorded: RecordedLoad) -> None:
    first = [track.series.at[0] for track in recorded.tracks()]
    assert max(first) <= scenario.spec.start_seconds - 3 * DAY


def needed(key: WorkloadKey, scenario: Scenario, documents: Documents, recorded: RecordedLoad) -> np.ndarray:
    """Replicas that serve the load of the first day, minute by minute."""
    policy = next(policy for policy in documents.of(ScalingPolicy) if policy.workload("local") == key)
    assert policy.spec.load is not None
    minutes = scenario.spec.start_seconds + np.arange(0, DAY, 60)
    loads = np.array([recorded.load(key, float(minute)) for minute in minutes], np.float64)
    return np.ceil(loads / (policy.spec.load.capacity_per_replica or np.nan))


def test_every_workload_moves_between_a_few_and_about_thirty_replicas(
    scenario: Scenario, documents: Documents, recorded: RecordedLoad
) -> None:
    for workload in scenario.spec.workloads:
        replicas = needed(workload.key("local"), scenario, documents, recorded)
        assert replicas.max() >= 2 * max(np.percentile(replicas, 5), 2.0), workload.name
        assert 10 <= replicas.max() <= 34, workload.name


def test_days_resemble_each_other(recorded: RecordedLoad) -> None:
    for track in recorded.tracks():
        step = track.series.step_seconds
        days = int(7 * DAY / step) // int(DAY / step)
        values = track.series.value[: int(days * DAY / step)].reshape(days, -1)
        assert values.mean(axis=0).std() > 0.25 * values.std(), track.subject


def test_a_surge_and_an_outage_come_within_two_minutes_of_watching_and_say_so(
    scenario: Scenario, recorded: RecordedLoad
) -> None:
    watched = 120 * 60.0  # two minutes at sixty times real time
    loads = {workload.name: workload.load for workload in scenario.spec.workloads if workload.load is not None}
    surges = {name: load for name, load in loads.items() if any(surge.after < watched for surge in load.surges)}
    outages = {name: load for name, load in loads.items() if any(outage.after < watched for outage in load.outages)}
    assert (list(surges), list(outages)) == (["checkout"], ["search"])
    origins = {subject.name: origin for subject, origin in recorded.origins().items()}
    assert {name for name, origin in origins.items() if origin.startswith("synthetic: ")} == {"checkout", "search"}
    assert all(
        origin.startswith("recorded: ") for name, origin in origins.items() if name not in {"checkout", "search"}
    )


async def test_the_cluster_begins_with_every_pod_ready(scenario: Scenario, recorded: RecordedLoad) -> None:
    shape = scenario.shape("local")
    cluster = SimulatedCluster("local", shape, clock=lambda: scenario.spec.start_seconds, load=recorded.load)
    fleet = Fleet().revised({workload.key: workload.key.namespace for workload in shape.workloads})
    seen = await cluster.observe(fleet)
    assert seen.ready.tolist() == seen.replicas.tolist()
    assert not np.isnan(seen.pods.samples["cpu"].at).any()
    await cluster.close()


async def test_the_simulation_is_taken_up_where_it_was_left(tmp_path: Path) -> None:
    world, file = tmp_path / "world.db", folder() / "scenario.yaml"
    first = set_in_motion("local", file, speed=600, world=world)
    assert first.clock() - first.scenario.spec.start_seconds < 600
    assert first.clock() - first.history_start >= 3 * DAY
    await asyncio.sleep(0.1)
    await first.cluster.close()
    left = first.clock()
    await asyncio.sleep(0.2)
    second = set_in_motion("local", file, speed=60, world=world)
    assert second.scenario.spec.start_seconds + 60 <= second.clock() < left + 60
    await second.cluster.close()
