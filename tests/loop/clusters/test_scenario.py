"""Scenario documents and the load they lay on time."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.documents.problem import Invalid
from podium.loop.clusters.simulated.recorded import RecordedLoad
from podium.loop.clusters.simulated.scenario import Scenario, read_scenario
from podium.loop.clusters.simulated.shape import NodeShape, Resources, Startup, Usage, WorkloadShape
from podium.model.clock import parse_rfc3339
from podium.model.identity import WorkloadKey
from podium.signals.replay import ReplaySource
from podium.signals.source import Permanent, Subject

HEAD = "apiVersion: podium.dev/v1alpha1\nkind: Scenario\nmetadata: {name: small}\nspec:\n"
SMALL = (
    HEAD
    + """  start: "2026-03-02T00:00:00Z"
  history: 40s
  nodes: [{count: 2, cpu: 1500m, memory: 4Gi}]
  recordings: [{name: tape, file: tape.csv, step: 10s, period: 1m, dataset: Tape}]
  workloads:
    - namespace: shop
      name: web
      replicas: 3
      startup: {distribution: uniform, median: 20s, spread: 0.1, pull: 1s, pullFailures: 0.1, crashes: 0.2, burst: 300m}
      termination: 7s
      requests: {cpu: 250m, memory: 1Gi}
      limits: {cpu: 1}
      usage: {idle: {cpu: 10m, memory: 1Mi}, perLoad: {cpu: 5m}}
      load: {recording: tape, column: b, less: 10, scale: 2, what: doubled}
    - {namespace: shop, name: quiet}
"""
)
TAPE = "a,b\n" + "".join(f"{row},{10 + row}\n" for row in range(7))
START = parse_rfc3339("2026-03-02T00:00:00Z")
WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")


def scenario(tmp_path: Path, text: str = SMALL, tape: str = TAPE) -> Scenario:
    (tmp_path / "tape.csv").write_text(tape)
    (tmp_path / "scenario.yaml").write_text(text)
    return read_scenario(tmp_path / "scenario.yaml")


def test_a_scenario_is_a_world_in_plain_numbers(tmp_path: Path) -> None:
    shape = scenario(tmp_path).shape("local")
    assert shape.nodes == (NodeShape(count=2, cores=1.5, bytes=4 * 2.0**30),)
    assert shape.workloads[0] == WorkloadShape(
        key=WEB,
        replicas=3,
        startup=Startup(
            distribution="uniform",
            median=20.0,
            spread=0.1,
            pull=1.0,
            pull_failures=0.1,
            crashes=0.2,
            burst_cores=0.3,
        ),
        usage=Usage(idle_cores=0.01, cores_per_load=0.005, idle_bytes=2.0**20, bytes_per_load=0.0, noise=0.02),
        requests=Resources(cores=0.25, bytes=2.0**30),
        limits=Resources(cores=1.0),
        termination=7.0,
    )


def test_history_lies_before_the_start_and_the_recording_repeats(tmp_path: Path) -> None:
    recorded = RecordedLoad(scenario(tmp_path), tmp_path)
    loads = [recorded.load(WEB, START + seconds) for seconds in (-41, -40, -31, -30, 0, 15, 20, 300)]
    assert loads == [None, 0.0, 0.0, 2.0, 8.0, 10.0, 0.0, 8.0]
    assert recorded.load(WorkloadKey("local", "shop", "deployment", "apps", "quiet"), START) is None


async def test_the_source_says_what_the_load_is_and_where_it_is_from(tmp_path: Path) -> None:
    recorded = RecordedLoad(scenario(tmp_path), tmp_path)
    source = ReplaySource("recorded", recorded.tracks)
    reading = await source.read("requests_per_second", START + 3)
    assert (reading.subjects, reading.values.tolist()) == ((Subject("shop", "deployment", "web"),), [8.0])
    assert reading.at.tolist() == [START]
    assert recorded.origins() == {Subject("shop", "deployment", "web"): "recorded: Tape, doubled"}
    await source.close()


async def test_an_outage_silences_the_signal_and_leaves_the_load(tmp_path: Path) -> None:
    outage = SMALL.replace("what: doubled", "what: doubled, outages: [{after: 10s, duration: 10s}]")
    recorded = RecordedLoad(scenario(tmp_path, outage), tmp_path)
    source = ReplaySource("recorded", recorded.tracks)
    ages = [START + second - (await source.read("requests_per_second", START + second)).at[0] for second in (9, 19, 20)]
    assert ages == [9, 19, 0]
    assert recorded.load(WEB, START + 15) == 10.0
    assert set(recorded.origins().values()) == {"synthetic: outage on recorded: Tape, doubled"}
    await source.close()


def test_a_surge_is_load_and_happens_once(tmp_path: Path) -> None:
    surge = SMALL.replace("what: doubled", "what: doubled, surges: [{after: 0s, duration: 5s, factor: 6}]")
    recorded = RecordedLoad(scenario(tmp_path, surge), tmp_path)
    assert [recorded.load(WEB, START + seconds) for seconds in (-10, 0, 10, 60)] == [6.0, 48.0, 10.0, 8.0]


def test_every_mistake_is_told_with_its_line_and_field(tmp_path: Path) -> None:
    wrong = (
        SMALL.replace("recording: tape,", "recording: tap,")
        .replace("name: quiet", "name: web")
        .replace("period: 1m", "period: 65s")
        .replace("replicas: 3", "replicsa: 3")
        .replace("crashes: 0.2", "crashes: 1.2")
        .replace("2026-03-02T00:00:00Z", "yesterday")
    )
    with pytest.raises(Invalid) as told:
        scenario(tmp_path, wrong)
    assert {(problem.line, problem.path) for problem in told.value.problems} >= {
        (5, "spec.start"),
        (8, "spec.recordings[0].period"),
        (12, "spec.workloads[0].replicsa"),
        (13, "spec.workloads[0].startup.crashes"),
    }
    assert "did you mean replicas?" in str(told.value)


def test_an_idle_pod_of_a_workload_without_usage_takes_next_to_nothing(tmp_path: Path) -> None:
    quiet = scenario(tmp_path).shape("local").workloads[1]
    assert (quiet.usage.idle_cores, quiet.usage.idle_bytes) == (0.005, 64 * 2.0**20)


def test_names_that_clash_or_do_not_exist_are_told(tmp_path: Path) -> None:
    wrong = SMALL.replace("recording: tape,", "recording: tap,").replace("name: quiet", "name: web")
    with pytest.raises(Invalid) as told:
        scenario(tmp_path, wrong)
    assert {(problem.path, problem.expected) for problem in told.value.problems} == {
        ("spec.workloads[0].load.recording", "one of the recordings: tape"),
        ("spec.workloads[0].name", "a name that no other workload of the namespace has"),
        ("spec.workloads[1].name", "a name that no other workload of the namespace has"),
    }


def test_a_missing_scenario_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"gone\.yaml: expected a scenario that can be read; got no such file"):
        read_scenario(tmp_path / "gone.yaml")


@pytest.mark.parametrize(
    ("tape", "message"),
    [
        ("a,c\n1,2\n", "no column 'b'; it has 'a', 'c'"),
        ("a,b\n1,2\n", "has 1 rows, a period of 6 rows was asked for"),
        ("a,b\n1,two\n", "line 2, column 'b': 'two' is not a number; expected a number"),
        ("a,b\n1,2\n\n3\n", "line 4: 1 cells; expected 2, as in the header"),
        ("a,b\n1,2\n3,\n4,x\n", "line 3, column 'b': '' is not a number; expected a number\n.*line 4, column 'b': 'x'"),
        ("a,b\n1,2,3\n", "2 names in the header and 3 numbers in a row"),
        ("a,b\n", "has 0 rows"),
    ],
)
def test_an_unusable_recording_is_named(tmp_path: Path, tape: str, message: str) -> None:
    with pytest.raises(Permanent, match=r"tape\.csv.*" + message):
        RecordedLoad(scenario(tmp_path, tape=tape), tmp_path)


def test_a_recording_in_a_package_that_is_not_there_says_what_to_install(tmp_path: Path) -> None:
    text = SMALL.replace("file: tape.csv", "package: no_such_package_here, file: tape.csv")
    with pytest.raises(
        Permanent, match=r"no_such_package_here, which is not installed; in a clone of Podium: make dev, or"
    ):
        RecordedLoad(scenario(tmp_path, text), tmp_path)
