"""Where an API server is and as whom it is asked: what a kubeconfig or a pod's service account comes down to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from podium.clients.kubernetes.errors import Broken

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A program that prints credentials (KEP-541, `client.authentication.k8s.io`)."""

    api_version: str
    command: str
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    install_hint: str = ""
    provide_cluster_info: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # the fields are secrets
class User:
    """How to prove who asks. Several may be given: a certificate is for TLS, the first of the others for the header."""

    token: str = ""
    token_file: Path | None = None  # read anew every minute: the kubelet rotates it
    basic: tuple[str, str] | None = None
    certificate: bytes = b""  # PEM, with `key`
    key: bytes = b""
    plugin: Plugin | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One API server and one user of it."""

    server: str  # https://host:port, maybe with a path
    ca: str | None = None  # PEM; None: the machine's own authorities
    verify: bool = True
    server_name: str | None = None  # expected in the certificate in place of the host
    proxy: str | None = None
    namespace: str = "default"
    user: User = User()


def in_cluster(environment: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> Access:
    """The access that a pod has by its service account. Raises Broken outside of a cluster."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise Broken("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is not a pod")
    address = f"[{host}]" if ":" in host else host
    namespace = folder / "namespace"
    try:
        ca = (folder / "ca.crt").read_text()
        (folder / "token").read_bytes()
        inside = namespace.read_text().strip() if namespace.exists() else "default"
    except (OSError, UnicodeDecodeError) as error:
        raise Broken(f"{folder}: the pod's service account cannot be read: {error}") from error
    user = User(token_file=folder / "token")
    return Access(server=f"https://{address}:{port}", ca=ca, namespace=inside, user=user)
