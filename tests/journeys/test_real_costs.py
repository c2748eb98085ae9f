"""What Podium costs on a real API server: the time of a turn over a hundred Deployments, and of idling over three."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.deployments import Deployments
from tests.journeys.installation import Installation
from tests.journeys.loads import serving, steady

from testbed.control_plane import ControlPlane

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

NAMES = [f"web-{number}" for number in range(100)]
STEPS = ("observe", "forecast", "decide", "verify", "record", "act")


def say(figures: str) -> None:
    """For whoever runs it with `-s`."""
    print(figures)  # noqa: T201


def steps(place: Installation) -> tuple[int, dict[str, float]]:
    """How many turns there were, and the seconds that each step took in all of them together."""
    text = place.get("/metrics").decode()
    sums = {step: re.search(rf'podium_step_seconds_sum{{step="{step}"}} (\S+)', text) for step in STEPS}
    turns = re.search(r"^podium_turns_total (\S+)", text, re.MULTILINE)
    assert turns is not None
    return round(float(turns[1])), {step: float(found[1]) for step, found in sums.items() if found is not None}


def test_a_turn_over_a_hundred_deployments_fits_into_its_interval(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    deployments = Deployments(control_plane, namespace)
    deployments.make(dict.fromkeys(NAMES, 2))
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(namespace, steady(dict.fromkeys(NAMES, 20.0))))
        place = stack.enter_context(deployments.installation(tmp_path / "here", server.url, loop="interval: 2s"))
        place.start()
        place.until_ready()
        first, before = steps(place)
        place.until_turn(12)
        last, after = steps(place)
        server.loads = steady(dict.fromkeys(NAMES, 30.0))
        deployments.until(lambda seen: all(replicas == 3 for replicas, _ in seen.values()))
        place.until_turn(place.asked("/api/v1/fleet")["tick"] + 2)
        written = steps(place)[1]["act"] - after["act"]
        assert place.stop() == 0
    means = {step: (after[step] - before[step]) / (last - first) for step in STEPS}
    told = ", ".join(f"{step} {1000 * seconds:.1f} ms" for step, seconds in means.items())
    say(f"a turn over {len(NAMES)} Deployments: {told}; {len(NAMES)} writes: {written:.2f} s")
    assert sum(means.values()) < 1.0
    assert len(deployments.writes()) == 100
    conflicts = [code for _, code, _ in deployments.answered() if code == 409]
    assert len(conflicts) <= 5  # a claim waits until the controllers are at rest


@pytest.fixture
def audited_reads(control_plane: ControlPlane) -> Iterator[str]:
    """The namespace in which the API server notes readings, too."""
    name = "audited-reads"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name)


def cpu_seconds(process: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.timeout(240)
def test_idling_takes_less_than_a_fiftieth_of_a_core_and_few_requests(
    control_plane: ControlPlane, audited_reads: str, tmp_path: Path
) -> None:
    deployments = Deployments(control_plane, audited_reads)
    deployments.make({"web": 2, "cart": 2, "mail": 2})
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(audited_reads, steady({"web": 20.0, "cart": 20.0, "mail": 20.0})))
        place = stack.enter_context(deployments.installation(tmp_path / "here", server.url, loop="interval: 15s"))
        place.start()
        place.until_ready()
        time.sleep(20)  # the first turns claim, and everything is imported
        assert place.process is not None
        turns, spent, asked = steps(place)[0], cpu_seconds(place.process.pid), requests(control_plane, audited_reads)
        time.sleep(60)
        turns, spent, asked = (
            steps(place)[0] - turns,
            cpu_seconds(place.process.pid) - spent,
            requests(control_plane, audited_reads) - asked,
        )
        assert place.stop() == 0
    say(f"{spent:.2f} s of CPU in 60 s, {turns} turns, {asked / turns:.1f} requests a turn")
    assert spent / 60 < 0.02
    assert asked / turns <= 3  # workloads and pods are watched; the use of pods is asked for, and who else scales them


def requests(control_plane: ControlPlane, namespace: str) -> int:
    """How many requests of Podium the audit log holds."""
    asked = [event for event in control_plane.audit() if event.get("userAgent") == "podium"]
    return len([event for event in asked if event["objectRef"].get("namespace") == namespace])
