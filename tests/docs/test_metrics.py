"""docs/reference/metrics.md lists what a running Podium answers on /metrics, and Prometheus' own linter likes it."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess

import pytest
from prometheus_client import generate_latest
from tests.brief.stage import by_load, policy, signal, stage
from tests.servers.prometheus import HOW
from tools import metrics_reference

from podium.api.app import create_app

DESCRIBED = metrics_reference.described()


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What /metrics answers after a few turns."""

    async def scraped() -> str:
        documents = signal("load", "load", "per_second") + policy(rest=by_load())
        async with stage(tmp_path_factory.mktemp("podium"), documents) as stood:
            create_app(stood.program.live, token="x" * 16, registry=stood.program.registry)
            stood.measured.of_workloads["load"] = lambda: {"web": 75.0}
            await stood.turns(4)
            return generate_latest(stood.program.registry).decode()

    return asyncio.run(scraped())


def test_every_metric_answered_is_described_and_every_described_one_answers(answered: str) -> None:
    assert set(re.findall(r"^# TYPE (\S+)", answered, re.MULTILINE)) == {one.name for one in DESCRIBED}


def test_every_label_answered_is_described(answered: str) -> None:
    labels = {one.name: set(one.labels) | ({"le"} if one.kind == "histogram" else set()) for one in DESCRIBED}
    for name, found in re.findall(r"^([a-z_]+)\{(.*)\} ", answered, re.MULTILINE):
        family = name if name in labels else re.sub(r"_(bucket|count|sum)$", "", name)
        if family.startswith("podium_"):
            assert set(re.findall(r"(\w+)=", found)) <= labels[family], name


def test_every_section_of_the_page_holds_something() -> None:
    assert {metrics_reference.section(one.name) for one in DESCRIBED} == set(metrics_reference.SECTIONS)


def test_a_metric_of_no_section_is_named() -> None:
    with pytest.raises(LookupError, match="podium_unheard_of"):
        metrics_reference.section("podium_unheard_of")


@pytest.mark.prometheus
def test_promtool_finds_nothing_to_complain_about(answered: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip(HOW)
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=answered, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
