"""The container file, as far as a machine without containers can try it: its steps, its files, and what it installs."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest

from podium.install import plan

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "deploy" / "container" / "Containerfile"
STEPS = [
    tuple(line.split(maxsplit=1))
    for line in FILE.read_text().replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Name of the stage ("" the last) -> its steps."""
    found: dict[str, list[tuple[str, str]]] = {}
    for word, rest in STEPS:
        if word == "FROM":
            name = rest.partition(" AS ")[2]
            found[name] = []
        found[name].append((word, rest))
    return found


def sources(stage: str) -> list[str]:
    """What a stage copies from the project."""
    copied = [rest.split() for word, rest in stages()[stage] if word == "COPY" and not rest.startswith("--from")]
    return [source for words in copied for source in words[:-1]]


def test_every_step_is_a_known_one() -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "EXPOSE", "USER", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in STEPS} <= known
    assert list(stages()) == ["page", "build", ""]


def test_what_is_copied_is_there() -> None:
    assert [path for stage in ("page", "build") for path in sources(stage) if not (ROOT / path).exists()] == []
    kept = (FILE.parent / "Containerfile.containerignore").read_text().splitlines()
    for path in (*sources("page"), *sources("build")):
        assert f"!{path.split('/')[0]}" in kept, path


def test_images_name_a_version_and_packages_are_pinned() -> None:
    images = [rest.split()[0] for word, rest in STEPS if word == "FROM"]
    assert [image for image in images if not re.search(r":\d", image)] == []
    for word, rest in STEPS:
        if word == "RUN" and "pip install" in rest:
            assert "--require-hashes" in rest or "--no-deps" in rest, rest


def test_it_runs_as_the_user_and_on_the_ports_of_the_deployment() -> None:
    last = dict(stages()[""])
    assert last["USER"] == f"{plan.USER}:{plan.USER}"
    assert last["EXPOSE"].split() == [str(port) for port in (plan.HTTP, plan.METRICS, plan.KEDA)]
    assert json.loads(last["ENTRYPOINT"]) + json.loads(last["CMD"]) == [
        "podium",
        "run",
        "--config",
        f"{plan.SETTINGS}/podium.yaml",
    ]


def test_the_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["postgresql"], *extras["keda"], *extras["otel"]]
    names = {re.split(r"[\[<>=;]", one)[0].lower() for one in asked}
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / "container.txt").read_text(), re.MULTILINE))
    assert names - locked == set()


@pytest.mark.slow
def test_the_wheel_is_whole_when_built_from_the_copied_files_alone(tmp_path: pathlib.Path) -> None:
    for path in sources("build"):
        target = tmp_path / "context" / path
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path / "context", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = zipfile.ZipFile(wheel).namelist()
    for part in ("podium/install/manifest.py", "podium/api/static/index.html", "podium/demo/podium.yaml"):
        assert part in inside
