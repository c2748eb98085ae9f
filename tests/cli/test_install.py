"""`podium install` prints the same objects each time, asks nobody, shows no secret, and refuses what makes no sense."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest
import yaml
from tests.cli.inside import answered, podium

from podium.settings import Settings

PEM = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n"


def printed(*words: str) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in answered("install", *words)["items"]}


def test_it_prints_the_same_bytes_each_time_as_yaml_and_as_json() -> None:
    first, second = podium("install", "--mode", "own"), podium("install", "--mode", "own")
    assert first.stdout == second.stdout
    assert list(yaml.safe_load_all(first.stdout)) == answered("install", "--mode", "own")["items"]


def test_recommend_is_granted_reading_alone() -> None:
    verbs = {verb for rule in printed()["ClusterRole"]["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    assert "APIService" not in printed()


def test_the_rights_alone_run_nothing() -> None:
    found = printed("--mode", "own", "--rights-only")
    assert found.keys() == {
        "Namespace",
        "CustomResourceDefinition",
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
    }


def test_with_namespaces_nothing_is_granted_in_the_whole_cluster() -> None:
    found = printed("--mode", "own", "--namespaced", "shop")
    assert not found.keys() & {"ClusterRole", "ClusterRoleBinding"}
    assert found["Role"]["metadata"]["namespace"] == "shop"
    settings = yaml.safe_load(found["ConfigMap"]["data"]["podium.yaml"])
    assert settings["documents"] == {"authority": "kubernetes", "namespaces": ["shop"]}


@pytest.mark.parametrize(
    "words", [[], ["--mode", "metric"], ["--mode", "metric", "--keda"], ["--mode", "own", "--namespaced", "a"]]
)
def test_the_settings_that_it_prints_are_settings(words: list[str]) -> None:
    Settings.model_validate_json(
        json.dumps(yaml.safe_load(printed(*words)["ConfigMap"]["data"]["podium.yaml"])), strict=False
    )


def test_the_pod_is_as_confined_as_can_be() -> None:
    pod = printed()["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod["containers"], *pod["initContainers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_secrets_are_named_and_not_shown(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ca.crt").write_text(PEM)
    words = ["--replicas", "2", "--database-secret", "db", "--token-secret", "door"]
    text = podium("install", *words, "--mode", "metric", "--serving-secret", "tls", "--ca", tmp_path / "ca.crt").stdout
    assert "kind: Secret" not in text
    assert "PRIVATE" not in text
    assert set(re.findall(r"secretName: (\w+)", text)) == {"db", "door", "tls"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--replicas", "2"], "--database-secret and --token-secret"),
        (["--namespace", "Shop"], "expected a namespace"),
        (["--namespaced", "a b"], "expected a namespace"),
        (["--workload", "rollouts"], "expected PLURAL.GROUP"),
        (["--serving-secret", "tls"], "belong together"),
        (["--storage", "banana"], "expected a size"),
        (["--storage", "0"], "expected a size"),
        (["--image", "a b"], "expected an image"),
        (["--prometheus", "ftp://x"], "expected a URL"),
        (["--token-secret", "A_b"], "expected the name of an object"),
        (["--keda"], "recommend answers nobody"),
        (["--as", "me"], "belong to --check"),
        (["--ca", "missing.crt"], "missing.crt: cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], said: str) -> None:
    result = podium("install", *words)
    assert (result.exit_code, result.stdout, said in result.stderr) == (2, "", True), result.stderr


def test_a_private_key_is_not_taken_for_a_certificate(tmp_path: pathlib.Path) -> None:
    (tmp_path / "both.pem").write_text(PEM + "-----BEGIN PRIVATE KEY-----\n")
    result = podium("install", "--mode", "metric", "--serving-secret", "tls", "--ca", tmp_path / "both.pem")
    assert (result.exit_code, "without a private key" in result.stderr) == (2, True)


def test_a_cluster_that_does_not_answer_is_out_of_reach(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "users": [{"name": "a", "user": {}}],
        "current-context": "a",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    for words in (["install", "--check"], ["uninstall", "--yes"], ["uninstall", "--dry-run"]):
        assert podium(*words).exit_code == 3
    assert podium("install", "--check", "--context", "b").exit_code == 2


def test_a_token_is_made_once_and_never_shown(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "token"
    first = podium("settings", "token", file)
    made = file.read_text()
    assert (first.exit_code, len(made) >= 16, made in first.stdout + first.stderr) == (0, True, False)
    assert file.stat().st_mode & 0o777 == 0o600
    assert podium("settings", "token", file).exit_code == 0
    assert file.read_text() == made
    assert podium("settings", "token", tmp_path / "no" / "token").exit_code == 2
