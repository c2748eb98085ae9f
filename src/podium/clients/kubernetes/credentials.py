"""Proves to the API server who asks: a header and a TLS context, renewed when a file or a plugin has newer ones."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import datetime
import os
import signal
import ssl
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from podium.clients.kubernetes.access import Access, Plugin
from podium.clients.kubernetes.errors import Broken, Temporary
from podium.model.clock import wall_clock

Tls = ssl.SSLContext | Literal[False]

_FILE_KEPT_SECONDS = 60.0  # client-go's own; the kubelet renews a token when a fifth of its life is left
_EARLY_SECONDS = 60.0  # a plugin's credentials are renewed so much before they expire
_MOST_PLUGIN_BYTES = 1 << 20  # a certificate chain and a key are some 10 kB


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Proof:
    """What goes along with a request."""

    headers: Mapping[str, str]
    tls: Tls
    until: float | None  # on the monotonic clock; None: for good


class _PluginStatus(msgspec.Struct):
    token: str = ""
    certificate: str = msgspec.field(name="clientCertificateData", default="")
    key: str = msgspec.field(name="clientKeyData", default="")
    expires: datetime.datetime | None = msgspec.field(name="expirationTimestamp", default=None)


class _PluginAnswer(msgspec.Struct):
    kind: str
    version: str = msgspec.field(name="apiVersion")
    status: _PluginStatus


class Credentials:
    """The proof for one access. `environment` is what a plugin inherits; it may take `plugin_seconds`."""

    def __init__(self, access: Access, environment: Mapping[str, str], plugin_seconds: float) -> None:
        self._access = access
        self._environment = environment
        self._plugin_seconds = plugin_seconds
        self._proof: Proof | None = None
        self._renewing = asyncio.Lock()

    @property
    def renewable(self) -> bool:
        """Whether asking again may bring other credentials."""
        user = self._access.user
        return user.plugin is not None or (user.token_file is not None and not user.token)

    def refused(self, proof: Proof) -> None:
        """The API server did not accept `proof`: the next one is made anew."""
        if self._proof is proof:
            self._proof = None

    async def proof(self) -> Proof:
        """The present proof. Raises Broken or Temporary when a file or a plugin gives none."""
        async with self._renewing:
            if self._proof is None or (self._proof.until is not None and time.monotonic() >= self._proof.until):
                self._proof = await self._made()
            return self._proof

    async def _made(self) -> Proof:
        user = self._access.user
        if user.plugin is not None and not user.token:
            status = await _ask_plugin(user.plugin, self._access, self._environment, self._plugin_seconds)
            tls = _tls(self._access, status.certificate.encode(), status.key.encode())
            return Proof(_bearer(status.token), tls, _until(status.expires))
        tls = _tls(self._access, user.certificate, user.key)
        if user.token:
            return Proof(_bearer(user.token), tls, None)
        if user.token_file is not None:
            return Proof(_bearer(_token(user.token_file)), tls, time.monotonic() + _FILE_KEPT_SECONDS)
        if user.basic is not None:
            basic = base64.b64encode(":".join(user.basic).encode()).decode()
            return Proof({"Authorization": f"Basic {basic}"}, tls, None)
        return Proof({}, tls, None)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _token(file: Path) -> str:
    try:
        token = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Broken(f"{file}: the token cannot be read: {error}") from error
    if not token or not token.isascii() or not token.isprintable():
        raise Broken(f"{file}: expected a token: printable ASCII on one line")
    return token


def _tls(access: Access, certificate: bytes, key: bytes) -> Tls:
    if access.server.startswith("http://"):
        return False
    try:
        context = ssl.create_default_context(cadata=access.ca)
    except ssl.SSLError as error:
        raise Broken(f"{access.server}: the certificate authority is not a certificate: {error.reason}") from error
    # Python 3.13 refuses authorities without a key identifier, which many clusters have and Go accepts.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        _load_pair(context, access.server, certificate, key)
    return context


def _load_pair(context: ssl.SSLContext, server: str, certificate: bytes, key: bytes) -> None:
    """OpenSSL takes them from a file only: ours alone, and gone at once."""
    number, name = tempfile.mkstemp(prefix="podium-")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(certificate + b"\n" + key)
        context.load_cert_chain(name, password=lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        raise Broken(f"{server}: the client certificate and its key cannot be used: {error}") from error
    finally:
        Path(name).unlink()


async def _ask_plugin(plugin: Plugin, access: Access, environment: Mapping[str, str], seconds: float) -> _PluginStatus:
    inherited = dict(environment) | dict(plugin.environment)
    inherited["KUBERNETES_EXEC_INFO"] = _exec_info(plugin, access)
    name = f"the credential plugin {plugin.command}"
    try:
        process = await asyncio.create_subprocess_exec(
            plugin.command,
            *plugin.arguments,
            env=inherited,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_MOST_PLUGIN_BYTES,
            start_new_session=True,
        )
    except OSError as error:
        hint = f"; {plugin.install_hint}" if plugin.install_hint else ""
        raise Broken(f"{name} cannot be started: {error.strerror}{hint}") from error
    try:
        async with asyncio.timeout(seconds):
            output, complaint = await asyncio.gather(_bounded(process.stdout), _bounded(process.stderr))
            code = await process.wait()
    except TimeoutError:
        raise Temporary(f"{name} gave no credentials within {seconds:g} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # children too: a shell script's `sleep` would hold the pipe
        await process.wait()
    if code:
        words = " ".join(complaint.decode(errors="replace").split())[-300:]
        raise Temporary(f"{name} ended with code {code}: {words or 'it said nothing'}")
    return _plugin_status(name, plugin, output)


async def _bounded(stream: asyncio.StreamReader | None) -> bytes:
    """Everything that is written, of which the first megabyte is kept: a full pipe would stop the writer."""
    kept = bytearray()
    while stream is not None and (part := await stream.read(65536)):
        kept += part[: _MOST_PLUGIN_BYTES - len(kept)]
    return bytes(kept)


def _plugin_status(name: str, plugin: Plugin, output: bytes) -> _PluginStatus:
    try:
        answer = msgspec.json.decode(output, type=_PluginAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(f"{name} printed something that is not an ExecCredential: {error}") from error
    if answer.kind != "ExecCredential" or answer.version != plugin.api_version:
        got = f"{answer.version} {answer.kind}"
        raise Broken(f"{name} printed {got}; expected {plugin.api_version} ExecCredential")
    status = answer.status
    if bool(status.certificate) != bool(status.key) or not (status.token or status.certificate):
        raise Broken(f"{name} printed neither a token nor a certificate with its key")
    if not (status.token.isascii() and (status.token.isprintable() or not status.token)):
        raise Broken(f"{name} printed a token that is not printable ASCII on one line")
    return status


def _exec_info(plugin: Plugin, access: Access) -> str:
    spec: dict[str, object] = {"interactive": False}
    if plugin.provide_cluster_info:
        cluster: dict[str, object] = {"server": access.server}
        if access.ca is not None:
            cluster["certificate-authority-data"] = base64.b64encode(access.ca.encode()).decode()
        if not access.verify:
            cluster["insecure-skip-tls-verify"] = True
        if access.server_name:
            cluster["tls-server-name"] = access.server_name
        spec["cluster"] = cluster
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    return msgspec.json.encode(info).decode()


def _until(expires: datetime.datetime | None) -> float | None:
    """On the monotonic clock, so that setting the machine's clock does not prolong it."""
    if expires is None:
        return None
    aware = expires if expires.tzinfo else expires.replace(tzinfo=datetime.UTC)
    left = aware.timestamp() - wall_clock()
    return time.monotonic() + max(0.0, left - min(_EARLY_SECONDS, left / 2))
