"""What is built, where it goes, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed import binaries


def program_file(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_modules_pin_every_program() -> None:
    assert sorted(program.name for program in binaries.programs()) == sorted(binaries.NAMES)


def test_kubernetes_is_told_its_own_version() -> None:
    server = next(program for program in binaries.programs() if program.name == "kube-apiserver")
    assert "k8s.io/component-base/version.gitVersion=v1.36.3" in binaries.flags(server)


def test_the_cache_lies_where_the_user_keeps_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert binaries.folder().parent == tmp_path / "podium" / "testbed"


def test_given_assets_go_before_what_was_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    given = program_file(tmp_path / "assets", "etcd")
    program_file(binaries.folder(), "etcd")
    built = program_file(binaries.folder(), "kwok")
    assert (binaries.find("etcd"), binaries.find("kwok"), binaries.find("kubectl")) == (given, built, None)


def test_without_go_one_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(binaries.Missing, match=r"install Go >= 1\.26 and run testbed/build") as missing:
        binaries.all_programs(lambda text: None)
    assert "\n" not in str(missing.value)


def test_a_build_that_fails_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    program_file(tmp_path / "bin", "go").write_text("#!/bin/sh\necho no space left on device >&2\nexit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    with pytest.raises(binaries.Missing, match="etcd could not be built: no space left on device"):
        binaries.all_programs(lambda text: None)
    assert [path.name for path in binaries.folder().iterdir()] == [".lock"]
