"""A control plane of real parts on loopback: etcd, API server, controllers, scheduler, and KWOK in place of kubelets.

    with ControlPlane(folder, binaries.all_programs(print)) as cluster:
        cluster.kubectl("get", "nodes")

Everything lies in `folder` (certificates, data, logs, kubeconfig) and ends with the process that started it. Nothing
here is hardened or durable: etcd does not fsync, and the tokens are for this machine's tests.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from testbed import certificates

HERE = Path(__file__).resolve().parent
START_ORDER = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
PATIENCE_SECONDS = 120.0  # the API server is ready after 3 s; two busy cores have taken 40


class Broken(Exception):
    """A component ended or did not become ready. The message holds the end of its log."""


class PortTaken(Broken):
    """Somebody took a port between our choosing it and the component's binding it: start again with others."""


class Component:
    """One program of the control plane, with its log."""

    def __init__(self, name: str, command: list[str], log: Path, group: int) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._group = group
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running program; 0 when it does not run."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> None:
        """Run it, in the reaper's process group, with its output at the end of the log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=self._group
            )

    def signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def stop(self, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL when it takes longer."""
        if self._process is None:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM if grace_seconds else signal.SIGKILL)
        try:
            self._process.wait(grace_seconds or None)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._process.wait()
        self._process = None

    def must_run(self) -> None:
        """Raise Broken when it has ended by itself."""
        if self._process is None or self._process.poll() is None:
            return
        tail = self.log.read_text(errors="replace")[-2000:]
        kind = PortTaken if "address already in use" in tail else Broken
        raise kind(f"{self.name} ended with code {self._process.returncode}; its log {self.log} ends:\n{tail}")


class ControlPlane:
    """etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, with `nodes` nodes that are Ready.

    `server` is the API server's URL, `token` belongs to a cluster administrator, `kubeconfig` holds both, and
    `audit_log` is where the API server writes every change made by people and by Podium, one JSON event a line.
    """

    def __init__(
        self,
        folder: Path,
        programs: dict[str, Path],
        *,
        nodes: int = 3,
        hpa_seconds: int = 15,
        audit_policy: Path = HERE / "audit.yaml",
    ) -> None:
        """`hpa_seconds`: how often the HPA controller looks. `audit_policy`: what the audit log notes."""
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.audit_log = folder / "audit.log"
        self.token = secrets.token_hex(16)
        self.server = ""
        self.ca = folder / "ca.crt"
        self._programs = programs
        self._nodes = nodes
        self._hpa_seconds = hpa_seconds
        self._audit_policy = audit_policy
        self._components: dict[str, Component] = {}
        self._reaper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *, remove_folder: bool = False) -> None:
        """Start everything and wait until the nodes are Ready. Raises Broken."""
        try:
            for attempt in range(3):
                try:
                    self._start(remove_folder)
                    break
                except PortTaken:
                    self.stop()
                    if attempt == 2:
                        raise
            self._join_nodes()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything, the API server's clients first."""
        for name in reversed(START_ORDER):
            if name in self._components:
                self._components[name].stop(grace_seconds=5.0)
        self._components = {}
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            self._reaper.wait()
        self._reaper = None

    def kill(self, component: str) -> None:
        """End one component as a crash would (SIGKILL)."""
        self._components[component].stop(grace_seconds=0)

    def restart(self, component: str) -> None:
        """Start a component again, and wait until the API server answers when it is one that it needs."""
        self._components[component].stop(grace_seconds=0)
        self._components[component].start()
        if component in {"etcd", "kube-apiserver"}:
            self._wait("the API server", self._ready)

    def freeze(self, component: str) -> None:
        """Stop a component in its tracks: its port stays open and it answers nothing (SIGSTOP)."""
        self._components[component].signal(signal.SIGSTOP)

    def thaw(self, component: str) -> None:
        """Let a frozen component go on."""
        self._components[component].signal(signal.SIGCONT)

    def cpu_seconds(self, component: str) -> float:
        """User and system time that a component has used so far, since it was last started (Linux)."""
        fields = Path(f"/proc/{self._components[component].pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self, component: str) -> int:
        """Memory that a component holds now (Linux)."""
        pages = Path(f"/proc/{self._components[component].pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002  as subprocess.run names it
        """What kubectl prints, as the administrator. Raises CalledProcessError with its complaint as a note."""
        command = [str(self._programs["kubectl"]), f"--kubeconfig={self.kubeconfig}", *arguments]
        result = subprocess.run(
            command,
            input=input or "",
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env=os.environ | {"HOME": str(self.folder)},
        )
        if result.returncode:
            failure = subprocess.CalledProcessError(result.returncode, command, result.stdout, result.stderr)
            failure.add_note(result.stderr.strip())
            raise failure
        return result.stdout

    def audit(self) -> list[dict[str, Any]]:
        """The audited changes so far, oldest first. An event appears a moment after its answer was sent."""
        if not self.audit_log.exists():
            return []
        whole_lines = self.audit_log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole_lines.splitlines()]

    def _start(self, remove_folder: bool) -> None:
        removed = [str(self.folder)] if remove_folder else []
        self._reaper = subprocess.Popen(
            [sys.executable, str(HERE / "reaper.py"), *removed], stdin=subprocess.PIPE, process_group=0
        )
        store, peers, port = _free_ports(3)
        self.server = f"https://127.0.0.1:{port}"
        commands = self._commands(f"http://127.0.0.1:{store}", f"http://127.0.0.1:{peers}", port)
        for name in START_ORDER:
            command = [str(self._programs[name]), *commands[name]]
            self._components[name] = Component(name, command, self.folder / f"{name}.log", self._reaper.pid)
        self._components["etcd"].start()
        self._components["kube-apiserver"].start()
        self._wait("the API server", self._ready)
        for name in START_ORDER[2:]:
            self._components[name].start()

    def _commands(self, store: str, peers: str, port: int) -> dict[str, list[str]]:
        authority = certificates.Authority(self.folder)
        self.ca = authority.certificate
        server = authority.server("kube-apiserver")
        accounts = certificates.signing_key(self.folder / "accounts.key")
        front = certificates.Authority(self.folder / "front")
        aggregator = front.client("front-proxy-client")
        tokens = self.folder / "tokens.csv"
        tokens.touch(mode=0o600)
        tokens.write_text(f'{self.token},admin,admin,"system:masters"\n')
        self._write_kubeconfig(self.kubeconfig, {"token": self.token})
        for name in ("controller-manager", "scheduler", "kwok"):
            pair = authority.client(f"testbed:{name}", "system:masters")
            user = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
            self._write_kubeconfig(self.folder / f"{name}.kubeconfig", user)
        fast = ["--kube-api-qps=500", "--kube-api-burst=1000", "--leader-elect=false", "--secure-port=0"]
        return {
            "etcd": [
                f"--data-dir={self.folder / 'etcd'}",
                f"--listen-client-urls={store}",
                f"--advertise-client-urls={store}",
                f"--listen-peer-urls={peers}",
                f"--initial-advertise-peer-urls={peers}",
                f"--initial-cluster=default={peers}",
                "--unsafe-no-fsync",
                "--log-level=warn",
            ],
            "kube-apiserver": [
                f"--etcd-servers={store}",
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                f"--secure-port={port}",
                f"--tls-cert-file={server.certificate}",
                f"--tls-private-key-file={server.key}",
                f"--client-ca-file={authority.certificate}",
                f"--token-auth-file={tokens}",
                "--authorization-mode=RBAC",
                f"--requestheader-client-ca-file={front.certificate}",
                "--requestheader-allowed-names=front-proxy-client",
                "--requestheader-username-headers=X-Remote-User",
                "--requestheader-group-headers=X-Remote-Group",
                "--requestheader-extra-headers-prefix=X-Remote-Extra-",
                f"--proxy-client-cert-file={aggregator.certificate}",
                f"--proxy-client-key-file={aggregator.key}",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={accounts.certificate}",
                f"--service-account-signing-key-file={accounts.key}",
                "--service-cluster-ip-range=10.96.0.0/16",
                f"--audit-policy-file={self._audit_policy}",
                f"--audit-log-path={self.audit_log}",
            ],
            "kube-controller-manager": [
                f"--kubeconfig={self.folder / 'controller-manager.kubeconfig'}",
                f"--service-account-private-key-file={accounts.key}",
                f"--root-ca-file={authority.certificate}",
                "--use-service-account-credentials",
                f"--horizontal-pod-autoscaler-sync-period={self._hpa_seconds}s",
                *fast,
            ],
            "kube-scheduler": [f"--kubeconfig={self.folder / 'scheduler.kubeconfig'}", *fast],
            "kwok": [
                f"--kubeconfig={self.folder / 'kwok.kubeconfig'}",
                f"--config={HERE / 'stages.yaml'}",
                "--manage-all-nodes=true",
                "--node-lease-duration-seconds=40",
                "--cidr=10.0.0.1/16",
            ],
        }

    def _write_kubeconfig(self, path: Path, user: dict[str, str]) -> None:
        cluster = {"server": self.server, "certificate-authority": str(self.ca)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "testbed", "cluster": cluster}],
            "users": [{"name": "testbed", "user": user}],
            "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": "testbed"}}],
            "current-context": "testbed",
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(document, indent=2))  # JSON is YAML

    def _join_nodes(self) -> None:
        room = {"cpu": "64", "memory": "256Gi", "pods": "1000"}
        nodes = [
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": f"node-{number}", "labels": {"kubernetes.io/hostname": f"node-{number}"}},
                "status": {"capacity": room, "allocatable": room},
            }
            for number in range(self._nodes)
        ]
        if nodes:
            self.kubectl("create", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": nodes}))
            self.kubectl("wait", "--for=condition=Ready", "node", "--all", f"--timeout={PATIENCE_SECONDS:.0f}s")

    def _ready(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.ca))
        address = self.server.removeprefix("https://")
        connection = http.client.HTTPSConnection(address, timeout=5, context=context)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz", headers={"Authorization": f"Bearer {self.token}"})
            return connection.getresponse().status == 200
        return False

    def _wait(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            for component in self._components.values():
                component.must_run()
            if time.monotonic() > deadline:
                raise Broken(f"{what} was not ready after {PATIENCE_SECONDS:.0f} s; logs are in {self.folder}")
            time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on at this moment."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
