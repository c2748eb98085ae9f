"""What the guide to the four modes shows is accepted by what it is shown to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner
from tests.docs.pages import ROOT

from podium import settings
from podium.api.scalers.keda import named
from podium.cli.main import COMMANDS, podium
from podium.clients.kubernetes.selectors import Requirement, Selector
from podium.documents.kubernetes import MetricSpec
from podium.loop.modes.board import METRIC
from podium.loop.modes.neighbours import Rival

GUIDE = (ROOT / "docs" / "guides" / "four-ways-in.md").read_text()
BLOCKS: list[Any] = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)]


def block(name: str) -> list[Any]:
    return [one for one in BLOCKS if name in one]


def test_the_settings_of_the_doors_are_settings(tmp_path: Path) -> None:
    for one in block("metric"):
        (tmp_path / "podium.yaml").write_text(
            yaml.safe_dump({"apiVersion": "podium.dev/v1alpha1", "kind": "Settings", **one})
        )
        loaded = settings.load({"config": str(tmp_path / "podium.yaml")}, {}, tmp_path).value.metric
        assert (loaded.listen or loaded.keda) in {"0.0.0.0:6443", "0.0.0.0:6000"}


def test_the_hpa_asks_for_the_metric_that_is_served_with_a_target_of_one() -> None:
    (spec,) = block("metrics")
    cpu, external = (MetricSpec.model_validate(one) for one in spec["metrics"])
    assert cpu.type == "Resource"
    assert external.identifier is not None
    assert (external.identifier.name, spec["metrics"][1]["external"]["target"]) == (
        METRIC,
        {"type": "AverageValue", "averageValue": "1"},
    )


def test_kedas_trigger_names_a_workload() -> None:
    (triggers,) = block("triggers")
    assert named(triggers["triggers"][0]["metadata"]) == Selector((Requirement("workload", "In", frozenset({"web"})),))


def test_the_cronjob_calls_a_command_that_there_is() -> None:
    (job,) = block("spec")
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    told = CliRunner().invoke(podium, [*container["args"], "--help"])
    assert (container["args"][0] in COMMANDS, told.exit_code, "--expired" in told.output) == (True, 0, True)


def test_the_events_it_names_are_events() -> None:
    assert set(re.findall(r"`(\w+\.(?:shared|contested))`", GUIDE)) <= {str(one) for one in Rival}


def test_which_floors_has_to_be_said() -> None:
    for arguments in ([], ["--all", "--expired"]):
        told = CliRunner().invoke(podium, ["floor", "give-back", *arguments])
        assert "say which: --all, or --expired" in str(told.exception)
