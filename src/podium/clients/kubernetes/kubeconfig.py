"""Reads kubeconfig files: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/

Several files are one, as for kubectl: of two entries with one name the first counts. Files named inside are relative
to the file that names them. Whatever is wrong is one sentence with file, line and field.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from podium.clients.kubernetes.access import Access, Plugin, User
from podium.clients.kubernetes.errors import Broken

_PLUGIN_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """A place in a kubeconfig: its YAML node, None where the file has nothing there."""

    file: Path
    path: str
    line: int
    node: yaml.Node | None

    def wrong(self, expected: str) -> Broken:
        return Broken(f"{self.file}:{self.line}: {self.path or 'the file'}: {expected}")

    def __getitem__(self, name: str) -> _Field:
        path = f"{self.path}.{name}" if self.path else name
        if self.node is None or _null(self.node):
            return _Field(self.file, path, self.line, None)
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong(f"expected a mapping with {name}")
        for key, value in self.node.value:
            if key.value == name:
                return _Field(self.file, path, value.start_mark.line + 1, None if _null(value) else value)
        return _Field(self.file, path, self.line, None)

    def items(self) -> list[_Field]:
        if self.node is None:
            return []
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("expected a list")
        return [
            _Field(self.file, f"{self.path}[{number}]", node.start_mark.line + 1, node)
            for number, node in enumerate(self.node.value)
        ]

    def text(self) -> str:
        if self.node is None:
            return ""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.wrong("expected a string")
        return str(self.node.value)

    def needed(self, what: str) -> str:
        text = self.text()
        if not text:
            raise self.wrong(f"is missing; expected {what}")
        return text

    def flag(self) -> bool:
        text = self.text()
        if text not in ("", "true", "false"):
            raise self.wrong(f"expected true or false, got {text!r}")
        return text == "true"

    def file_named(self) -> Path | None:
        text = self.text()
        return self.file.parent / Path(text).expanduser() if text else None


def load(files: Sequence[Path], context: str | None = None) -> Access:
    """The access of `context`, or of the files' current context. Files that do not exist count as empty.

    Raises Broken.
    """
    roots = [root for file in files if (root := _root(file)) is not None]
    if not roots:
        raise Broken(f"{', '.join(map(str, files)) or 'kubeconfig'}: there is no such file")
    chosen = context or _first_text(roots, "current-context")
    if context and not any(context == item["name"].text() for root in roots for item in root["contexts"].items()):
        known = ", ".join(item["name"].text() for root in roots for item in root["contexts"].items()) or "none"
        raise Broken(f"{files[0]}: no context is named {context!r}; there are: {known}")
    entry = _entry(roots, "contexts", chosen, roots[0]["current-context"])["context"]
    cluster_field = entry["cluster"]
    cluster = _entry(roots, "clusters", cluster_field.needed("the name of a cluster"), cluster_field)["cluster"]
    user_field = entry["user"]
    user = _entry(roots, "users", user_field.text(), user_field)["user"] if user_field.text() else None
    return Access(
        server=_server(cluster["server"]),
        ca=_ca(cluster),
        verify=not cluster["insecure-skip-tls-verify"].flag(),
        server_name=cluster["tls-server-name"].text() or None,
        proxy=_proxy(cluster["proxy-url"]),
        namespace=entry["namespace"].text() or "default",
        user=User() if user is None else _user(user),
    )


def _null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and str(node.tag).endswith(":null")


def _root(file: Path) -> _Field | None:
    try:
        content = file.read_bytes()
        node = yaml.compose(content, Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Broken(f"{file}: cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Broken(f"{file}:{line}: is not YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise Broken(f"{file}:1: is not YAML: {str(error).splitlines()[0]}") from error
    root = _Field(file, "", 1, node)
    kind = root["kind"].text() or "Config"
    if kind != "Config":
        raise root["kind"].wrong(f"expected Config, got {kind}")
    return root


def _first_text(roots: list[_Field], name: str) -> str:
    found = next((text for root in roots if (text := root[name].text())), "")
    return found or roots[0][name].needed("the name of a context")


def _entry(roots: list[_Field], kind: str, name: str, asked_by: _Field) -> _Field:
    names = []
    for root in roots:
        for item in root[kind].items():
            names.append(item["name"].text())
            if names[-1] == name:
                return item
    known = ", ".join(names) or "none"
    raise asked_by.wrong(f"no entry of {kind} is named {name!r}; there are: {known}")


def _server(field: _Field) -> str:
    text = field.needed("the URL of an API server")
    return _url(field, text, ("https", "http")).rstrip("/")


def _proxy(field: _Field) -> str | None:
    text = field.text()
    return _url(field, text, ("http", "https")) if text else None


def _url(field: _Field, text: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise field.wrong(f"expected a URL like https://host:6443, got {text!r}")
    return text


def _ca(cluster: _Field) -> str | None:
    content = _content(cluster, "certificate-authority")
    field = cluster["certificate-authority-data"]
    if not content:
        return None
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise (field if field.node else cluster["certificate-authority"]).wrong("expected a PEM certificate")
    return content.decode("latin-1")


def _content(parent: _Field, name: str) -> bytes:
    """Of `NAME-data` (base64), else of the file that `NAME` points to."""
    data = parent[f"{name}-data"]
    if data.text():
        try:
            return base64.b64decode("".join(data.text().split()), validate=True)
        except binascii.Error as error:
            raise data.wrong(f"expected base64: {error}") from error
    field = parent[name]
    file = field.file_named()
    if file is None:
        return b""
    try:
        return file.read_bytes()
    except OSError as error:
        raise field.wrong(f"{file} cannot be read: {error.strerror}") from error


def _user(user: _Field) -> User:
    for old in ("auth-provider",):
        if user[old].node is not None:
            raise user[old].wrong("is no longer supported by Kubernetes; expected exec")
    certificate, key = _content(user, "client-certificate"), _content(user, "client-key")
    if bool(certificate) != bool(key):
        raise user.wrong("client-certificate and client-key belong together; one of them is missing")
    name, password = user["username"].text(), user["password"].text()
    return User(
        token=_header_text(user["token"]),
        token_file=user["tokenFile"].file_named(),
        basic=(name, password) if name else None,
        certificate=certificate,
        key=key,
        plugin=_plugin(user["exec"]) if user["exec"].node is not None else None,
    )


def _header_text(field: _Field) -> str:
    text = field.text().strip()
    if not (text.isascii() and text.isprintable()):
        raise field.wrong("expected a token: printable ASCII on one line")
    return text


def _plugin(field: _Field) -> Plugin:
    version = field["apiVersion"].text() or _PLUGIN_VERSIONS[0]
    if version not in _PLUGIN_VERSIONS:
        raise field["apiVersion"].wrong(f"expected one of {', '.join(_PLUGIN_VERSIONS)}, got {version!r}")
    command = field["command"].needed("the program that prints credentials")
    if "/" in command and not command.startswith("/"):
        command = str(field.file.parent / command)
    return Plugin(
        api_version=version,
        command=command,
        arguments=tuple(item.text() for item in field["args"].items()),
        environment=tuple((item["name"].needed("a name"), item["value"].text()) for item in field["env"].items()),
        install_hint=" ".join(field["installHint"].text().split()),
        provide_cluster_info=field["provideClusterInfo"].flag(),
    )
