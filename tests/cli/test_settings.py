"""settings: what they are and where each comes from; policy: documents checked, listed, described."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from tests.cli.outside import podium
from tests.journeys.installation import Installation

from podium import kinds, settings
from podium.demo import folder as demo_folder

MINE = """\
apiVersion: podium.dev/v1alpha1
kind: Settings
loop: {interval: 30s}
sources:
  - {name: prom, kind: prometheus, url: "http://user:secret@127.0.0.1:9090", bearer: "env:PROM_TOKEN"}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "podium.yaml").write_text(MINE)
    return tmp_path


def test_each_setting_says_where_it_comes_from(mine: Path) -> None:
    done = podium("settings", "show", "-o", "json", "--set", "log.level=debug", at=mine, PODIUM_API__LISTEN="[::1]:99")
    origins = {row["path"]: (row["value"], row["origin"]) for row in done.answer["settings"]}
    assert origins["loop.interval"] == ("30s", f"{mine}/podium.yaml:3")
    assert origins["log.level"] == ("debug", "flag log.level")
    assert origins["api.listen"] == ("[::1]:99", "PODIUM_API__LISTEN")
    assert origins["loop.lease"] == ("15s", "default")


def test_secrets_are_hidden_in_every_form(mine: Path) -> None:
    for form in ("table", "json", "yaml"):
        shown = podium("settings", "show", "--origin", "-o", form, at=mine).out
        assert "***" in shown
        assert "secret" not in shown.replace("secrets", "")
        assert "PROM_TOKEN" not in shown


def test_the_table_names_the_line_of_the_file(mine: Path) -> None:
    (line,) = [
        line for line in podium("settings", "show", "--origin", at=mine).out.splitlines() if "loop.interval" in line
    ]
    assert line.split() == ["loop.interval", "30s", "podium.yaml:3"]


def test_the_yaml_is_a_settings_document_that_says_the_same(mine: Path) -> None:
    text = podium("settings", "show", "-o", "yaml", at=mine).out
    document = yaml.safe_load(text)
    del document["sources"]  # their secrets are hidden, which is no reference any more
    again = mine / "again.yaml"
    again.write_text(yaml.safe_dump(document))
    before, after = (settings.load({"config": str(file)}, {}, mine).value for file in (mine / "podium.yaml", again))
    assert after.loop == before.loop
    assert after.api == before.api


def test_without_settings_the_demo_is_said_to_have_others(tmp_path: Path, recorded: Installation) -> None:
    line = "the demo runs with other settings: add --demo"
    assert line in podium("settings", "show", at=tmp_path).out
    assert podium("settings", "show", "-o", "json", at=tmp_path).answer["notes"] == [line]
    assert line not in podium("settings", "show", "--demo", at=tmp_path).out
    assert line not in podium("settings", "show", at=recorded.folder).out


def test_a_right_settings_file_is_said_to_be_right(mine: Path) -> None:
    done = podium("settings", "check", "podium.yaml", at=mine)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("podium.yaml: right; ")


def test_checking_a_file_ignores_variables(mine: Path) -> None:
    assert podium("settings", "check", "podium.yaml", at=mine, PODIUM_LOOP__INTERVAL="soon").code == 0


def test_documents_are_counted_by_kind(tmp_path: Path) -> None:
    done = podium("policy", "check", demo_folder() / "policies", at=tmp_path)
    assert (done.code, done.out) == (0, "11 documents (8 ScalingPolicy, 3 Signal): all right\n")


def test_files_are_checked_as_one_set(tmp_path: Path) -> None:
    signals, policies = shop(tmp_path)
    assert podium("policy", "check", policies, at=tmp_path).code == 2
    assert podium("policy", "check", signals, policies, at=tmp_path).code == 0
    twice = podium("policy", "check", signals, policies, tmp_path, at=tmp_path)
    assert twice.code == 2  # the folder holds both files once more


def test_every_mistake_is_named_with_file_and_line(tmp_path: Path) -> None:
    signals, policies = shop(tmp_path)
    policies.write_text(policies.read_text().replace("max: 5", "maxx: 5"))
    done = podium("policy", "check", signals, policies, tmp_path / "nowhere", at=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[0] == "podium: 3 mistakes"
    assert sorted(line.split(": ")[0] for line in done.err.splitlines()[1:]) == [
        str(tmp_path / "nowhere").removeprefix(f"{tmp_path}/"), "policies.yaml:6:22", "policies.yaml:6:3",
    ]  # fmt: skip


def test_mistakes_come_as_json_when_asked(tmp_path: Path) -> None:
    _, policies = shop(tmp_path)
    done = podium("policy", "check", policies, "-o", "json", at=tmp_path)
    assert (done.code, done.err) == (2, "")
    assert [(one["file"], one["path"]) for one in done.answer["problems"]] == [("policies.yaml", "spec.load.signal")]


def test_what_this_version_does_not_act_on_is_named_and_is_no_mistake(tmp_path: Path) -> None:
    signals, policies = shop(tmp_path)
    more = "  mode: metric\n  requests: {mode: own}\n"
    policies.write_text(policies.read_text().rstrip("\n") + "\n" + more)
    table = podium("policy", "check", signals, policies, at=tmp_path)
    machine = podium("policy", "check", signals, policies, "-o", "json", at=tmp_path)
    assert (table.code, machine.code, machine.answer["ok"]) == (0, 0, True)
    assert "does not act on requests.mode own yet" in table.out
    assert "valid; 1 of the fields asked for does nothing yet" in table.out
    assert [one["path"] for one in machine.answer["warnings"]] == ["spec.requests"]


@pytest.mark.parametrize("name", ["empty.yaml", "."])
def test_nothing_to_check_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# later\n")
    done = podium("policy", "check", name, at=tmp_path)
    said = f"podium: {name}: expected documents (ScalingPolicy, Signal, Calendar); got none\n"
    assert (done.code, done.err) == (2, said)


def test_settings_and_scenarios_beside_documents_are_checked_as_what_they_are(
    recorded: Installation, tmp_path: Path
) -> None:
    shutil.copytree(recorded.folder / "policies", tmp_path / "policies")
    for name in ("podium.yaml", "scenario.yaml"):
        shutil.copy(recorded.folder / name, tmp_path / name)
    done = podium("policy", "check", ".", at=tmp_path)
    said = "5 documents (4 ScalingPolicy, 1 Signal), beside them 1 Scenario, 1 Settings: all right\n"
    assert (done.code, done.out) == (0, said)
    (tmp_path / "podium.yaml").write_text(MINE.replace("interval: 30s", "interval: soon"))
    (tmp_path / "scenario.yaml").write_text(
        (tmp_path / "scenario.yaml").read_text().replace("replicas: 3", "replicas: x")
    )
    wrong = podium("policy", "check", ".", at=tmp_path)
    assert wrong.code == 2
    assert "podium.yaml:3:8: loop.interval: expected a duration" in wrong.err
    assert "scenario.yaml:12:7: spec.workloads[0].replicas: expected a whole number" in wrong.err


def test_a_secret_in_settings_beside_documents_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE.replace("env:PROM_TOKEN", "opensesame"))
    done = podium("policy", "check", "mine.yaml", at=tmp_path)
    assert (done.code, "bearer" in done.err, "opensesame" in done.err) == (2, True, False)


def test_broken_settings_that_merely_lie_here_stop_no_check(mine: Path) -> None:
    signals, policies = shop(mine)
    (mine / "podium.yaml").write_text(MINE.replace("interval: 30s", "interval: soon"))
    done = podium("policy", "check", signals, policies, at=mine)
    assert (done.code, done.out.splitlines()[-1]) == (0, "2 documents (1 ScalingPolicy, 1 Signal): all right")
    assert done.out.startswith("not checked: whether the sources exist, because the settings are wrong: ")
    assert podium("policy", "check", signals, policies, "--config", "podium.yaml", at=mine).code == 2


def test_sources_are_checked_when_there_are_settings(recorded: Installation, tmp_path: Path) -> None:
    text = (recorded.folder / "policies" / "shop.yaml").read_text()
    (tmp_path / "shop.yaml").write_text(text.replace("replay: {column: load}", "replay: {column: load, source: gone}"))
    config = recorded.folder / "podium.yaml"
    assert podium("policy", "check", "shop.yaml", at=tmp_path).code == 0
    done = podium("policy", "check", "shop.yaml", "--config", config, at=tmp_path)
    assert done.code == 2
    assert "shop.yaml:4:49: spec.replay.source: expected a source of kind replay (" in done.err


def test_the_documents_in_force_are_listed(recorded: Installation) -> None:
    rows = podium("policy", "list", "-o", "json", at=recorded.folder).answer
    assert [(row["kind"], row["namespace"], row["name"]) for row in rows] == [
        *(("ScalingPolicy", "shop", name) for name in ("cart", "mail", "search", "web")),
        ("Signal", "shop", "load"),
    ]


def test_schemas_and_crds_are_those_of_the_models(tmp_path: Path) -> None:
    one = podium("policy", "schema", "scalingpolicy", at=tmp_path)
    assert json.loads(one.out) == kinds.json_schemas()["ScalingPolicy"]
    crds = podium("policy", "crds", at=tmp_path)
    assert list(yaml.safe_load_all(crds.out)) == kinds.crds()
    assert "&id" not in crds.out


def test_an_unknown_kind_is_answered_with_the_nearest(tmp_path: Path) -> None:
    done = podium("policy", "schema", "Signl", at=tmp_path)
    assert done.code == 2
    known = "ScalingPolicy, Signal, Calendar, Settings, Scenario"
    assert done.err == f"podium: no kind 'Signl'; did you mean Signal?; there are {known}\n"


def shop(folder: Path) -> tuple[Path, Path]:
    """A signal and a policy that needs it, in two files."""
    signals, policies = folder / "signals.yaml", folder / "policies.yaml"
    signals.write_text(
        "apiVersion: podium.dev/v1alpha1\nkind: Signal\nmetadata: {name: load, namespace: shop}\n"
        "spec: {unit: per_second, replay: {column: load}}\n"
    )
    policies.write_text(
        "apiVersion: podium.dev/v1alpha1\nkind: ScalingPolicy\nmetadata: {name: web, namespace: shop}\n"
        "spec:\n  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n"
        "  replicas: {min: 1, max: 5}\n  load: {signal: load, capacityPerReplica: 10}\n"
    )
    return signals, policies
