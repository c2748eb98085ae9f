"""A scenario set in motion: its clock, its load and its cluster, taken up where they were left."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from podium.loop.clusters.simulated.clock import SimulatedClock
from podium.loop.clusters.simulated.cluster import SimulatedCluster
from podium.loop.clusters.simulated.recorded import RecordedLoad
from podium.loop.clusters.simulated.scenario import Scenario, read_scenario
from podium.loop.clusters.simulated.store import saved_position


@dataclasses.dataclass(frozen=True, slots=True)
class Simulation:
    """What runs of one scenario. `ReplaySource(name, simulation.load.tracks)` tells sources' side of its load."""

    scenario: Scenario
    clock: SimulatedClock
    load: RecordedLoad
    cluster: SimulatedCluster

    @property
    def history_start(self) -> float:
        """Unix seconds at which the recorded load begins: what lies before the present can be learned from."""
        return self.scenario.spec.start_seconds - self.scenario.spec.history


def set_in_motion(name: str, scenario_file: Path, *, speed: float, world: Path | None) -> Simulation:
    """The scenario in a file as the cluster `name`, at `speed`; `world` keeps it across restarts. Blocks: reads files.

    Raises documents.problem.Invalid for the scenario, signals.source.Permanent for a recording, clusters.port.Permanent
    for the world's file.
    """
    scenario = read_scenario(scenario_file)
    load = RecordedLoad(scenario, scenario_file.parent)
    position = None if world is None else saved_position(world)
    clock = SimulatedClock(scenario.spec.start_seconds if position is None else position, speed)
    cluster = SimulatedCluster(name, scenario.shape(name), clock=clock, load=load.load, path=world)
    return Simulation(scenario, clock, load, cluster)
