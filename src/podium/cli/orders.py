"""What `pause`, `resume` and `believe` share: whom they speak of, the request, and its answer told."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.cli.remote import Remote

EVERYTHING = ("everything", "fleet")
DONE = {"pause": "paused", "resume": "resumed", "believe": "believed"}


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the options of every order say: why, how, whom to ask, and how to answer."""

    reason: str
    dry_run: bool
    key: str
    url: str | None
    token: str | None
    config: str | None
    flags: tuple[str, ...]
    of_demo: bool
    form: str
    output: str | None


def shared(command: Callable[..., int]) -> Callable[..., int]:
    """The options of every order, handed over as one `asked`."""

    @functools.wraps(command)
    def gathered(**given: Any) -> int:
        asked = Asked(**{field.name: given.pop(field.name) for field in dataclasses.fields(Asked)})
        return command(asked=asked, **given)

    decorated: Callable[..., int] = gathered
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
        decorated = decorate(decorated)
    return decorated


def carry_out(verb: str, target: str, asked: Asked, **body: Any) -> int:
    """Send one order to the running Podium and print what came of it. The exit code. Raises BadInput and OutOfReach."""
    from podium.cli import top
    from podium.cli.remote import Refused

    try:
        remote = top.find(asked.url, asked.token, asked.config, asked.flags, of_demo=asked.of_demo)
        answer = asyncio.run(_give(remote, verb, target, asked, body))
    except Refused as error:
        click.echo(f"podium: {error}", err=True)
        return outcome.NEGATIVE
    _tell(answer, f"{DONE[verb]}: {target}", asked)
    return outcome.DONE


async def _give(remote: Remote, verb: str, target: str, asked: Asked, body: dict[str, Any]) -> Any:
    path = f"/api/v1/sources/{quote(target, safe='')}" if verb == "believe" else await path_of(remote, target)
    headers = {"X-Podium-Actor": me()} | ({"Idempotency-Key": asked.key} if asked.key else {})
    query = "?dryRun=true" if asked.dry_run else ""
    return await remote.write(f"{path}/{verb}{query}", body | {"reason": asked.reason}, headers)


async def path_of(remote: Remote, target: str) -> str:
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


def me() -> str:
    """Who sits here, as this machine has it."""
    name = os.environ.get("USER") or os.environ.get("LOGNAME") or "somebody"
    return f"{name}@{socket.gethostname()}"


def _tell(answer: Any, words: str, asked: Asked) -> None:
    """Print what an order does, what it ended, what stands."""
    if asked.form == "json":
        options.emit(options.as_json(answer), asked.output)
        return
    prefix = "would be: " if answer["dry_run"] else "ordered before: " if answer["repeated"] else ""
    lines = [prefix + words, *(f"  taken back: {_line(row)}" for row in answer["taken_back"])]
    lines += [f"  in force: {_line(row)}" for row in answer["standing"]]
    options.emit("\n".join(lines), asked.output)


def _line(row: dict[str, Any]) -> str:
    """One pause in words."""
    from podium.model import clock

    ways = "both directions" if row["direction"] == "both" else f"scaling {row['direction']}"
    end = "until it is taken back" if row["until"] is None else f"until {clock.rfc3339(round(row['until']))}"
    return f"{ways} of {row['of'] or 'everything'}, {end}, by {row['by']}: {row['reason']}"
