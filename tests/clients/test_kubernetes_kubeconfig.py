"""kubeconfig files: every form that people have, and one clear sentence for every mistake."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from podium.clients.kubernetes import kubeconfig
from podium.clients.kubernetes.access import Access, Plugin, User, in_cluster
from podium.clients.kubernetes.errors import Broken

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

WHOLE = """\
apiVersion: v1
kind: Config
current-context: shop
contexts:
- name: shop
  context: {cluster: near, user: me, namespace: web}
- name: other
  context: {cluster: far, user: robot}
clusters:
- name: near
  cluster: {server: "https://127.0.0.1:6443/", certificate-authority: ca.pem}
- name: far
  cluster:
    server: https://far.example:443/prefix
    insecure-skip-tls-verify: true
    tls-server-name: api.far
    proxy-url: http://proxy:3128
users:
- name: me
  user: {token: secret}
- name: robot
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./bin/login
      args: [--for, shop]
      env: [{name: REGION, value: eu}]
      installHint: get it from the wiki
      provideClusterInfo: true
"""


def written(folder: Path, text: str, name: str = "config") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_current_context_counts(tmp_path: Path) -> None:
    written(tmp_path, PEM, "ca.pem")
    access = kubeconfig.load([written(tmp_path, WHOLE)])
    assert access == Access(server="https://127.0.0.1:6443", ca=PEM, namespace="web", user=User(token="secret"))


def test_another_context_can_be_chosen(tmp_path: Path) -> None:
    plugin = Plugin(
        api_version="client.authentication.k8s.io/v1",
        command=str(tmp_path / "bin/login"),
        arguments=("--for", "shop"),
        environment=(("REGION", "eu"),),
        install_hint="get it from the wiki",
        provide_cluster_info=True,
    )
    assert kubeconfig.load([written(tmp_path, WHOLE)], "other") == Access(
        server="https://far.example:443/prefix",
        verify=False,
        server_name="api.far",
        proxy="http://proxy:3128",
        user=User(plugin=plugin),
    )


def test_of_two_files_the_first_counts(tmp_path: Path) -> None:
    first = written(tmp_path, "users: [{name: me, user: {token: mine}}]\ncurrent-context: shop\n", "first")
    written(tmp_path, PEM, "ca.pem")
    access = kubeconfig.load([tmp_path / "absent", first, written(tmp_path, WHOLE)])
    assert (access.server, access.user.token) == ("https://127.0.0.1:6443", "mine")


def test_data_inside_the_file_is_base64(tmp_path: Path) -> None:
    coded = base64.b64encode(PEM.encode()).decode()
    text = WHOLE.replace("certificate-authority: ca.pem", f"certificate-authority-data: {coded}")
    text = text.replace("{token: secret}", f"{{client-certificate-data: {coded}, client-key-data: {coded}}}")
    access = kubeconfig.load([written(tmp_path, text)])
    assert (access.ca, access.user) == (PEM, User(certificate=PEM.encode(), key=PEM.encode()))


def test_no_secret_is_shown() -> None:
    assert "secret" not in repr(Access(server="https://h", user=User(token="secret", basic=("me", "secret"))))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kind: Config", "kind: [", ":4: is not YAML: "),
        ("kind: Config", "kind: Pod", ":2: kind: expected Config, got Pod"),
        ("current-context: shop", "current-context: none", ":3: current-context: no entry of contexts is named 'none'"),
        ("cluster: near", "cluster: gone", "no entry of clusters is named 'gone'; there are: near, far"),
        ("user: me", "user: you", ":6: contexts[0].context.user: no entry of users is named 'you'"),
        ('server: "https://127.0.0.1:6443/", ', "", "clusters[0].cluster.server: is missing; expected the URL"),
        ('"https://127.0.0.1:6443/"', "127.0.0.1:6443", "server: expected a URL like https://host:6443, got"),
        (
            "certificate-authority: ca.pem",
            "certificate-authority-data: '%%'",
            "certificate-authority-data: expected base",
        ),
        ("ca.pem", "gone.pem", "gone.pem cannot be read: No such file or directory"),
        ("token: secret", "token: [a]", ":20: users[0].user.token: expected a string"),
        ("token: secret", 'token: "a\\nb"', "token: expected a token: printable ASCII on one line"),
        ("token: secret", "client-key-data: aaaa", "client-certificate and client-key belong together"),
        ("token: secret", "auth-provider: {name: gcp}", "auth-provider: is no longer supported"),
        ("token: secret", "exec: {args: [a]}", "users[0].user.exec.command: is missing"),
        ("token: secret", "exec: {command: a, apiVersion: v9}", "exec.apiVersion: expected one of"),
        ("user: {token: secret}", "user: secret", ":20: users[0].user: expected a mapping"),
        ("contexts:", "contexts: {}\nformerly:", "contexts: expected a list"),
    ],
)
def test_a_mistake_is_one_sentence_with_file_line_and_field(tmp_path: Path, old: str, new: str, words: str) -> None:
    written(tmp_path, PEM, "ca.pem")
    path = written(tmp_path, WHOLE.replace(old, new, 1))
    with pytest.raises(Broken) as broken:
        kubeconfig.load([path])
    assert str(broken.value).startswith(f"{path}:")
    assert words in str(broken.value)
    assert "\n" not in str(broken.value)


def test_no_file_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="nowhere: there is no such file"):
        kubeconfig.load([tmp_path / "nowhere"])


def test_bytes_that_are_no_text_are_said(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(Broken, match="config:1"):
        kubeconfig.load([tmp_path / "config"])


def test_a_pod_has_its_service_accounts_access(tmp_path: Path) -> None:
    for name, text in {"ca.crt": PEM, "token": "t", "namespace": "podium"}.items():
        written(tmp_path, text, name)
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert in_cluster(environment, tmp_path) == Access(
        server="https://[fd00::1]:443", ca=PEM, namespace="podium", user=User(token_file=tmp_path / "token")
    )


def test_outside_of_a_pod_there_is_no_service_account(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="this is not a pod"):
        in_cluster({}, tmp_path)
