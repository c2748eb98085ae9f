"""The guide to installing says what the one list of rights and the support matrix say."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

from podium.cli.install import command
from podium.install import rbac, support
from podium.install.plan import Plan
from podium.loop.clusters.kubernetes import rights

GUIDE = (ROOT / "docs" / "guides" / "install.md").read_text()
VERBS = ("get", "list", "watch", "create", "update", "patch")


def row(first: str) -> str:
    (words,) = re.findall(rf"^\| {re.escape(first)} \| (.*) \|$", GUIDE, re.MULTILINE)
    return str(words)


def named(words: str) -> set[str]:
    return {verb for verb in VERBS if re.search(rf"\b{verb}\b", words)}


def test_each_mode_is_said_to_take_the_verbs_that_it_takes() -> None:
    every = [*rbac.granted(Plan(mode="own")), *rights.METRICS_APIS]
    for mode in rights.MODES:
        taken = {verb for need in every if need.since == mode and not need.tells for verb in need.verbs}
        assert named(row(f"`{mode}`")) == taken, mode
    told = {verb for need in every if need.tells for verb in need.verbs}
    assert named(row("with `--tell`, and in every mode below")) == told


def test_every_choice_of_the_command_is_in_the_guide() -> None:
    shared = {"--format", "--output", "--namespace", "--image", "--storage-class", "--serve-metrics"}
    flags = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert {flag for flag in flags - shared if flag.removeprefix("--") not in GUIDE} == set()


def test_the_bounds_of_support_are_those_of_the_code() -> None:
    oldest, newest = (".".join(map(str, version)) for version in (support.OLDEST, support.NEWEST))
    assert f"| older than {oldest} | no" in GUIDE
    assert f"| {newest} | what the tests run on |" in GUIDE
