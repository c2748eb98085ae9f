"""A cluster that a command is pointed at: `--context`, `--kubeconfig`, and a client to it while a question lasts."""

from __future__ import annotations

import asyncio
import os
import pathlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from podium.clients.kubernetes.access import Access
    from podium.clients.kubernetes.client import Client

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
TIMEOUT_SECONDS = 30.0  # of one answer: a page of 500 pods with a slow proxy in between
PLUGIN_SECONDS = 30.0  # a credential plugin may ask a person


def options(command: F) -> F:
    """`--context NAME` and `--kubeconfig FILE`."""
    words = "The kubeconfig (default: $KUBECONFIG, else ~/.kube/config)."
    file = click.option("--kubeconfig", metavar="FILE", help=words)
    context = click.option("--context", metavar="NAME", help="Which of its clusters (default: its current one).")
    return context(file(command))


def access(kubeconfig: str | None, context: str | None) -> Access:
    """How to reach the cluster that is meant. Raises Broken, which names file, line and field."""
    from podium.clients.kubernetes import access as accesses
    from podium.clients.kubernetes import kubeconfig as files

    if kubeconfig is not None:
        return files.load([pathlib.Path(kubeconfig).expanduser()], context)
    if "KUBERNETES_SERVICE_HOST" in os.environ and context is None:
        return accesses.in_cluster(os.environ)
    named = [pathlib.Path(one) for one in os.environ.get("KUBECONFIG", "").split(os.pathsep) if one]
    return files.load(named or [pathlib.Path.home() / ".kube" / "config"], context)


def ask(there: Access, question: Callable[[Client], Awaitable[T]]) -> T:
    """The answer of one cluster; its connections are closed afterwards. Raises what the client raises."""
    from podium.clients.kubernetes.client import Client

    async def answered() -> T:
        client = Client(there, environment=os.environ, timeout_seconds=TIMEOUT_SECONDS, plugin_seconds=PLUGIN_SECONDS)
        try:
            return await question(client)
        finally:
            await client.close()

    return run(answered())


def run(question: Coroutine[Any, Any, T]) -> T:
    """The answer of something that need not reach a cluster."""
    return asyncio.run(question)
