"""What `pause`, `resume` and `believe` share: whom they speak of, the request, and its answer told."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.cli.remote import Remote

F = TypeVar("F", bound=Callable[..., Any])
EVERYTHING = ("everything", "fleet")


def shared(command: F) -> F:
    """The options of every order: why, whom to ask, and how to answer."""
    for decorate in (
        options.output,
        options.demo,
        options.config,
        click.option("--token", envvar="PODIUM_TOKEN", show_envvar=True, metavar="TOKEN", help="What opens its door."),
        click.option("--url", metavar="URL", help="Where Podium answers (default: the one that runs on this machine)."),
        click.option(
            "--idempotency-key", "key", default="", metavar="KEY", help="Given twice under one key, it is one order."
        ),
        click.option("--dry-run", is_flag=True, help="Say what would be, and do nothing."),
        click.option("--reason", required=True, metavar="TEXT", help="Why, for everybody who meets it later."),
    ):
        command = decorate(command)
    return command


def give(found: Callable[[], Remote], target: str, verb: str, body: dict[str, Any], *, dry_run: bool, key: str) -> Any:
    """Send one order. None, said on stderr, when it cannot be followed. Raises BadInput and OutOfReach."""
    from podium.cli.remote import Refused

    try:
        return asyncio.run(_give(found(), target, verb, body, dry_run=dry_run, key=key))
    except Refused as error:
        click.echo(f"podium: {error}", err=True)
        return None


async def _give(remote: Remote, target: str, verb: str, body: dict[str, Any], *, dry_run: bool, key: str) -> Any:
    path = f"/api/v1/sources/{quote(target, safe='')}" if verb == "believe" else await _path(remote, target)
    headers = {"X-Podium-Actor": _me()} | ({"Idempotency-Key": key} if key else {})
    return await remote.write(f"{path}/{verb}" + ("?dryRun=true" if dry_run else ""), body, headers)


async def _path(remote: Remote, target: str) -> str:
    """`everything`, `shop/*` or `local/shop/*`, or a workload's key or enough of it. Raises BadInput."""
    if target in EVERYTHING:
        return "/api/v1/fleet"
    from podium.cli import names
    from podium.model.identity import WorkloadKey

    wanted, _, last = target.rpartition("/")
    word = f"namespace:{wanted.rpartition('/')[2]}" if last == "*" else f"name:{last}"
    page = await remote.read(f"/api/v1/workloads?limit=1000&filter={quote(word)}")
    if not page["items"] and last != "*":
        page = await remote.read("/api/v1/workloads?limit=1000")  # to say what was meant
    keys = [WorkloadKey.parse(row["key"]) for row in page["items"]]
    if last != "*":
        return f"/api/v1/workloads/{names.resolve(target, keys)}"
    spaces = sorted({f"{key.cluster}/{key.namespace}" for key in keys})
    found = [space for space in spaces if wanted in (space, space.partition("/")[2])]
    if len(found) == 1:
        return f"/api/v1/namespaces/{found[0]}"
    said = f"{target!r} means {', '.join(found)}; say which" if found else f"no workload is known in namespace {wanted}"
    raise outcome.BadInput(said)


def _me() -> str:
    """Who sits here, as this machine has it."""
    name = os.environ.get("USER") or os.environ.get("LOGNAME") or "somebody"
    return f"{name}@{socket.gethostname()}"


def tell(answer: Any, words: str, form: str, output: str | None) -> int:
    """Print what came of an order: what it does, what it ended, what stands. The exit code."""
    if answer is None:
        return outcome.NEGATIVE
    if form == "json":
        options.emit(options.as_json(answer), output)
        return outcome.DONE
    prefix = "would be: " if answer["dry_run"] else "ordered before: " if answer["repeated"] else ""
    lines = [prefix + words, *(f"  taken back: {line(row)}" for row in answer["taken_back"])]
    lines += [f"  in force: {line(row)}" for row in answer["standing"]]
    options.emit("\n".join(lines), output)
    return outcome.DONE


def line(row: dict[str, Any]) -> str:
    """One pause in words."""
    from podium.model import clock

    ways = "both directions" if row["direction"] == "both" else f"scaling {row['direction']}"
    end = "until it is taken back" if row["until"] is None else f"until {clock.rfc3339(round(row['until']))}"
    return f"{ways} of {row['of'] or 'everything'}, {end}, by {row['by']}: {row['reason']}"
