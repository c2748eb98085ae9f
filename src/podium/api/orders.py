"""What people order: pauses of a workload, a namespace or everything, and belief in a source."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Annotated, Literal, Protocol

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from podium.api import answers, guard, queries
from podium.api.documented import returns
from podium.api.problems import Fault, Problem
from podium.loop.orders.book import Given, NotLeading, Refused, Repeated, Unknown, Wanted
from podium.loop.orders.order import Pause, Target
from podium.loop.orders.tuning import Did, Noted, Tuning, Value
from podium.model.clock import parse_duration
from podium.model.identity import WorkloadKey

LONGEST_SECONDS = 366 * 86400.0  # whoever means longer means until it is taken back
_WORKLOAD = "/workloads/{cluster}/{namespace}/{kind}/{name}"
_NAMESPACE = "/namespaces/{cluster}/{namespace}"


class Book(Protocol):
    """Who takes orders."""

    @property
    def standing(self) -> tuple[Pause, ...]:
        """Every pause in force."""

    async def give(self, wanted: Wanted, *, dry_run: bool = False) -> Given:
        """Give one order."""

    async def note(self, noted: Noted) -> Tuning:
        """Record that a policy is tuned, or its tuning taken back."""


def _seconds(value: object) -> float | None:
    expected = "a duration between 1s and 366d, as in 2h, or null: until it is taken back"
    if value is None:
        return None
    try:
        seconds = parse_duration(value) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(expected) from None
    if isinstance(value, bool) or not 1 <= seconds <= LONGEST_SECONDS:
        raise ValueError(expected)
    return seconds


def _said(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Why = Annotated[str, BeforeValidator(_said), Field(min_length=1, max_length=500)]


class Reason(BaseModel):
    """Why; for everybody who meets it later."""

    model_config = ConfigDict(extra="forbid")

    reason: Why


class Resumed(Reason):
    """Which pauses are taken back: those of this target, in one direction or whatever their direction."""

    direction: Literal["up", "down", "both"] = "both"


class Paused(Reason):
    """What is paused, and for how long."""

    direction: Literal["up", "down", "both"] = "both"
    for_: Annotated[float | None, BeforeValidator(_seconds), Field(alias="for")] = None


class Tuned(Reason):
    """What somebody is about to do to the policy of a workload: which fields, from what to what."""

    did: Did
    before: Annotated[dict[str, Value], Field(max_length=20)]
    after: Annotated[dict[str, Value], Field(max_length=20)]


class Manner(queries.Query):
    """`dryRun=true` says what would be, and does nothing."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    dry_run: Annotated[bool, Field(alias="dryRun")] = False


class Nothing(queries.Query):
    """No parameters."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Every pause in force, in the order they were given."""

    items: tuple[Pause, ...]


@dataclasses.dataclass(frozen=True)
class Giver:
    """Who gives an order, and how."""

    by: str
    key: str  # Idempotency-Key
    dry_run: bool


def _giver(
    request: Request,
    manner: Annotated[Manner, Query()],
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
    x_podium_actor: Annotated[str, Header(max_length=100)] = "",
    x_csrf_token: Annotated[str, Header()] = "",
) -> Giver:
    del x_csrf_token  # the guard has compared it; it is named here for the documentation
    return Giver(actor(request, x_podium_actor), idempotency_key, manner.dry_run)


def _workload(cluster: str, namespace: str, kind: str, name: str) -> Target:
    try:
        return Target("workload", str(WorkloadKey.parse(f"{cluster}/{namespace}/{kind}/{name}")))
    except ValueError as error:
        raise Problem(404, str(error)) from None


def _namespace(cluster: str, namespace: str) -> Target:
    return Target("namespace", f"{cluster}/{namespace}")


def _source(name: str) -> Target:
    return Target("source", name)


By = Annotated[Giver, Depends(_giver)]
OfWorkload = Annotated[Target, Depends(_workload)]
OfNamespace = Annotated[Target, Depends(_namespace)]
OfSource = Annotated[Target, Depends(_source)]


def router(book: Book) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api/v1", tags=["orders"])

    @routes.get("/orders", responses=returns(Standing))
    async def standing(_: Annotated[Nothing, Query()]) -> Response:
        """Every pause in force."""
        try:
            return answers.plain(Standing(items=book.standing))
        except NotLeading as error:
            raise Problem(503, f"{error}.") from None

    @routes.post("/fleet/pause", responses=returns(Given))
    async def pause_fleet(said: Paused, giver: By) -> Response:
        """Pause scaling of everything, in a direction, for a time or until it is taken back."""
        return await _pause(book, Target("fleet"), said, giver)

    @routes.post("/fleet/resume", responses=returns(Given))
    async def resume_fleet(said: Resumed, giver: By) -> Response:
        """Take the pause of everything back; pauses of namespaces and workloads stay."""
        return await _resume(book, Target("fleet"), said, giver)

    @routes.post(_NAMESPACE + "/pause", responses=returns(Given))
    async def pause_namespace(said: Paused, target: OfNamespace, giver: By) -> Response:
        """Pause scaling of every workload of a namespace."""
        return await _pause(book, target, said, giver)

    @routes.post(_NAMESPACE + "/resume", responses=returns(Given))
    async def resume_namespace(said: Resumed, target: OfNamespace, giver: By) -> Response:
        """Take the pause of a namespace back; those of its workloads stay."""
        return await _resume(book, target, said, giver)

    @routes.post(_WORKLOAD + "/pause", responses=returns(Given))
    async def pause_workload(said: Paused, target: OfWorkload, giver: By) -> Response:
        """Pause scaling of one workload."""
        return await _pause(book, target, said, giver)

    @routes.post(_WORKLOAD + "/resume", responses=returns(Given))
    async def resume_workload(said: Resumed, target: OfWorkload, giver: By) -> Response:
        """Take the pause of one workload back."""
        return await _resume(book, target, said, giver)

    @routes.post("/sources/{name}/believe", responses=returns(Given))
    async def believe(said: Reason, target: OfSource, giver: By) -> Response:
        """Take what a suspect or frozen source says now for the truth: nothing is held on its account any more."""
        wanted = Wanted(what="believe", target=target, by=giver.by, reason=said.reason, key=giver.key)
        return await _given(book, wanted, giver)

    @routes.post(_WORKLOAD + "/tuning", responses=returns(Tuning))
    async def tuning(
        said: Tuned, target: OfWorkload, request: Request, _: Annotated[Nothing, Query()],
        x_podium_actor: Annotated[str, Header(max_length=100)] = "",
        x_csrf_token: Annotated[str, Header()] = "",
    ) -> Response:  # fmt: skip
        """Record that `podium tune` changes a workload's policy, or takes that back; the loop follows documents."""
        del x_csrf_token  # the guard has compared it
        by = actor(request, x_podium_actor)
        noted = Noted(
            did=said.did, workload=target.name, by=by, reason=said.reason, before=said.before, after=said.after
        )
        try:
            return answers.plain(await book.note(noted))
        except Unknown as error:
            raise Problem(404, f"{error}.") from None
        except NotLeading as error:
            raise Problem(503, f"{error}.") from None

    return routes


async def _pause(book: Book, target: Target, said: Paused, giver: Giver) -> Response:
    wanted = Wanted(
        what="pause",
        target=target,
        by=giver.by,
        reason=said.reason,
        direction=said.direction,
        for_seconds=said.for_,
        key=giver.key,
    )
    return await _given(book, wanted, giver)


async def _resume(book: Book, target: Target, said: Resumed, giver: Giver) -> Response:
    wanted = Wanted(
        what="resume", target=target, by=giver.by, reason=said.reason, direction=said.direction, key=giver.key
    )
    return await _given(book, wanted, giver)


async def _given(book: Book, wanted: Wanted, giver: Giver) -> Response:
    try:
        return answers.plain(await book.give(wanted, dry_run=giver.dry_run))
    except Unknown as error:
        raise Problem(404, f"{error}.") from None
    except Repeated as error:
        fault = Fault(path="header.idempotency-key", expected="a key that no other order has", got=wanted.key)
        raise Problem(409, f"{error}.", (fault,)) from None
    except Refused as error:
        raise Problem(409, f"{error}.") from None
    except NotLeading as error:
        raise Problem(503, f"{error}.") from None


def actor(request: Request, claimed: str) -> str:
    """Who gives this order, as far as it is known: the session of a page or the token, and whom it says it is.

    One token opens the door for everybody, so a name is a claim and is recorded as one.
    """
    if request.headers.get("authorization"):
        door = "token"
    else:
        session = guard.session_cookie(request.headers)
        door = f"session {hashlib.sha256(session.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
    name = "".join(sign for sign in claimed if sign.isprintable()).strip()
    return f"{name} ({door})" if name else door
