"""The dashboard and the alert rules in deploy/monitoring: whole, documented, and about metrics that exist."""

from __future__ import annotations

import collections
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.docs.pages import ROOT, anchors
from tests.servers.prometheus import HOW
from tools import dashboard, metrics_reference

FOLDER = ROOT / "deploy" / "monitoring"
GUIDE = ROOT / "docs" / "guides" / "alerts.md"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
TESTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
LABELS = {one.name: {*one.labels, "job", "instance", "le"} for one in metrics_reference.described()}


def metrics(expression: str) -> set[str]:
    """The metrics an expression asks for, as docs/reference/metrics.md names them."""
    named = set(re.findall(r"\b(?:podium|process)_\w+", expression))
    return {name if name in LABELS else re.sub(r"_(bucket|sum|count)$", "", name) for name in named}


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip(HOW)
    return subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False)


def test_the_dashboard_is_what_make_docs_writes() -> None:
    assert json.loads(dashboard.FILE.read_text()) == json.loads(dashboard.render()), "make docs"


def test_every_panel_says_what_it_shows_and_none_lies_over_another() -> None:
    taken: collections.Counter[tuple[int, int]] = collections.Counter()
    for panel in dashboard.dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= dashboard.WIDTH
        assert panel["type"] == "row" or panel["description"].endswith("."), panel["title"]
        taken.update(
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
    assert max(taken.values()) == 1


@pytest.mark.parametrize(("panel", "query"), [*dashboard.queries()])
def test_a_panel_asks_for_metrics_and_labels_that_exist(panel: str, query: str) -> None:
    assert metrics(query) <= set(LABELS), panel
    grouped = {label.strip() for by in re.findall(r"by \(([^)]*)\)", query) for label in by.split(",")}
    assert grouped <= set().union(*(LABELS[name] for name in metrics(query))), panel


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_about_metrics_that_exist_and_says_what_to_do(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    page, _, anchor = notes["runbook_url"].removeprefix("https://podium.dev/docs/").partition("#")
    assert metrics(rule["expr"]) <= set(LABELS)
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert (ROOT / "docs" / f"{page}.md", anchor in anchors(GUIDE)) == (GUIDE, True)
    assert notes["description"].endswith(".")
    assert not notes["summary"].endswith(".")


def test_the_guide_speaks_of_every_alert_and_of_no_other() -> None:
    assert re.findall(r"^## (\w+)$", GUIDE.read_text(), re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_every_alert_is_tested_firing_and_silent() -> None:
    tested = {test["name"] for test in TESTS}
    asked = {f"{rule['alert']} {what}" for rule in RULES for what in ("fires", "is silent")}
    assert tested == asked


@pytest.mark.prometheus
def test_promtool_reads_the_rules() -> None:
    done = promtool("check", "rules", "alerts.yaml")
    assert (done.returncode, f"{len(RULES)} rules found" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.prometheus
def test_each_alert_fires_when_it_should_and_is_silent_otherwise() -> None:
    done = promtool("test", "rules", "alerts_test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.prometheus
def test_the_tests_of_the_rules_notice_a_rule_that_never_fires(tmp_path: Path) -> None:
    text = (FOLDER / "alerts.yaml").read_text()
    (tmp_path / "alerts.yaml").write_text(text.replace("max(podium_unread_workloads) > 0", "vector(0) > 0"))
    shutil.copy(FOLDER / "alerts_test.yaml", tmp_path)
    done = promtool("test", "rules", str(tmp_path / "alerts_test.yaml"))
    assert (done.returncode, "PodiumWorkloadsUnread" in done.stdout + done.stderr) == (1, True)
