"""Asks one API server: get, list, watch, patch, server-side apply and the scale subresource, within a time and a size.

Paths are those of the API (`/apis/apps/v1/namespaces/shop/deployments/web`); `Where` builds
them and lets an error name the right that is missing.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar, cast

import aiohttp
import msgspec

from podium.clients import http
from podium.clients.kubernetes import objects
from podium.clients.kubernetes.access import Access
from podium.clients.kubernetes.credentials import Credentials, Proof
from podium.clients.kubernetes.errors import Expired, Permanent, Temporary
from podium.clients.kubernetes.refusals import refusal
from podium.clients.kubernetes.where import Where

T = TypeVar("T")

Verb = Literal["get", "list", "watch", "create", "update", "patch", "delete"]

MOST_BYTES = 64 * 1024 * 1024  # of one answer; a page of 500 pods is some 5 MB
PAGE = 500  # items, as kubectl asks for
WATCH_SECONDS = 240  # after which the server ends a watch by itself, and it is begun anew where it ended
IDLE_SECONDS = 75.0  # of silence, after which a watch is taken for dead: a bookmark comes every minute
INITIAL_END = "k8s.io/initial-events-end"  # annotation of the bookmark that ends a streamed list (KEP-3157)
_MOST_PAGES = 10_000
_METHODS = {"get": "GET", "list": "GET", "create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}
_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}
_METADATA_ALONE = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


@dataclasses.dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """One event of a watch."""

    kind: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    metadata: objects.Metadata  # of the object; a bookmark has a version alone
    item: T | None  # None: a bookmark


class Client:
    """One API server. Every call raises Temporary or Permanent (or one of their kinds), writes also Conflict."""

    def __init__(
        self,
        access: Access,
        *,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: float = 10.0,
        plugin_seconds: float = 30.0,
        most_bytes: int = MOST_BYTES,
        connections: int = 32,
    ) -> None:
        """`environment` is handed to a credential plugin, which may take `plugin_seconds` (a person may be asked)."""
        self.access = access
        self._credentials = Credentials(access, environment or {}, plugin_seconds)
        self._timeout_seconds = timeout_seconds
        self._most_bytes = most_bytes
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._watching: aiohttp.ClientSession | None = None  # watches hold a connection each: they have their own

    async def get(self, where: Where, into: type[T], *, metadata_alone: bool = False) -> T:
        """One object, as far as `into` names its fields. Raises Missing when there is none."""
        accept = {"Accept": _METADATA_ALONE} if metadata_alone else {}
        return self._decoded(await self._ask("get", where, headers=accept), into, where)

    async def list_all(
        self,
        where: Where,
        item: type[T],
        *,
        label_selector: str = "",
        page: int = PAGE,
        metadata_alone: bool = False,
        version: str = "",
    ) -> tuple[list[T], str]:
        """All objects of a resource and the version at which that was so. One that expires on the way starts anew.

        `version` "0": as the server has them in memory, which may be a moment old, and costs its store nothing.
        """
        query = {"limit": str(page)} | ({"labelSelector": label_selector} if label_selector else {})
        query |= {"resourceVersion": version} if version else {}
        headers = {"Accept": _METADATA_LIST} if metadata_alone else {}
        with contextlib.suppress(Expired):
            return await self._pages(where, item, query, headers)
        # As client-go's pager: a list that changes faster than it can be paged is asked for whole.
        return await self._pages(where, item, query | {"limit": "0"}, headers)

    async def watch(
        self,
        where: Where,
        item: type[T],
        version: str,
        *,
        label_selector: str = "",
        initial: bool = False,
        idle_seconds: float = IDLE_SECONDS,
        metadata_alone: bool = False,
        opened: Callable[[], None] | None = None,
    ) -> AsyncGenerator[Change[T]]:
        """Every change after `version`, bookmarks included, until the server ends the watch.

        `opened` is called once the server has agreed; a quiet resource says nothing for a minute.

        `initial`: all objects there are come first, as ADDED, then a bookmark annotated with INITIAL_END. Raises
        Expired when `version` is too old. Silence for `idle_seconds` is Temporary.
        """
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_SECONDS)}
        if label_selector:
            query["labelSelector"] = label_selector
        if initial:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        if version:
            query["resourceVersion"] = version
        headers = {"Accept": _METADATA_ALONE} if metadata_alone else {}
        lines = self._lines(where, query, idle_seconds, headers, opened)
        async with contextlib.aclosing(lines):
            async for line in lines:
                yield self._change(line, item, where)

    async def merge_patch(self, where: Where, patch: Mapping[str, Any], into: type[T]) -> T:
        """RFC 7386. With `metadata.resourceVersion` inside, the server refuses it (Conflict) once the object moved."""
        return await self._patch(where, "application/merge-patch+json", patch, into)

    async def json_patch(self, where: Where, operations: Sequence[Mapping[str, Any]], into: type[T]) -> T:
        """RFC 6902. A `test` that fails is Permanent: the API server answers 422 for it, not 409."""
        return await self._patch(where, "application/json-patch+json", operations, into)

    async def apply(
        self, where: Where, document: Mapping[str, Any], into: type[T], *, owner: str, force: bool = False
    ) -> T:
        """Server-side apply as the field manager `owner`. Raises Conflict where another owns a field, unless forced."""
        query = {"fieldManager": owner, "force": "true" if force else "false"}
        return await self._patch(where, "application/apply-patch+yaml", document, into, query)

    async def create(self, where: Where, document: Mapping[str, Any], into: type[T]) -> T:
        """A new object. Raises Conflict when there is one of that name."""
        return await self._sent("create", where, document, into)

    async def delete(self, where: Where) -> None:
        """Take an object away; what belongs to it follows by itself. Raises Missing when there is none."""
        await self._ask("delete", where, query={"propagationPolicy": "Background"})

    async def get_scale(self, where: Where) -> objects.Scale:
        """The scale of an object."""
        return await self.get(dataclasses.replace(where, subresource="scale"), objects.Scale)

    async def put_scale(self, where: Where, replicas: int, resource_version: str) -> objects.Scale:
        """Set `spec.replicas`, provided that the object is still at `resource_version`; otherwise raises Conflict."""
        if not resource_version:
            raise ValueError("a scale is written with the version that it was read at; without one the server obeys")
        metadata = {"name": where.name, "namespace": where.namespace, "resourceVersion": resource_version}
        document = {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": metadata,
            "spec": {"replicas": replicas},
        }
        return await self._sent("update", dataclasses.replace(where, subresource="scale"), document, objects.Scale)

    async def patch_scale(self, where: Where, replicas: int) -> objects.Scale:
        """Set `spec.replicas` whatever happened since, as `kubectl scale` does."""
        scale = dataclasses.replace(where, subresource="scale")
        return await self.merge_patch(scale, {"spec": {"replicas": replicas}}, objects.Scale)

    async def get_path(self, path: str, into: type[T]) -> T:
        """Something that is not a resource, as `/version` or `/apis/apps`."""
        return self._decoded(await self._ask("get", path), into, path)

    async def knock(self) -> None:
        """Ask whether the server and its store are ready. Raises Temporary when not, else Permanent."""
        await self._ask("get", "/readyz")

    async def close(self) -> None:
        """Close the connections."""
        for session in (self._session, self._watching):
            if session is not None:
                await http.close(session)
        self._session = self._watching = None

    async def _pages(
        self, where: Where, item: type[T], query: dict[str, str], headers: Mapping[str, str]
    ) -> tuple[list[T], str]:
        found: list[T] = []
        asked = query
        for _ in range(_MOST_PAGES):
            answer = await self._ask("list", where, query=asked, headers=headers)
            page = self._decoded(answer, objects.Page[item], where)  # type: ignore[valid-type]
            found += page.items or ()
            if not page.metadata.next_page:
                return found, page.metadata.resource_version
            asked = {name: one for name, one in query.items() if name != "resourceVersion"}
            asked |= {"continue": page.metadata.next_page}
        raise Permanent(f"{self._shown(where)} lists without end: {_MOST_PAGES} pages")

    async def _patch(
        self, where: Where, kind: str, patch: object, into: type[T], query: Mapping[str, str] | None = None
    ) -> T:
        return await self._sent("patch", where, patch, into, kind, query)

    async def _sent(
        self,
        verb: Verb,
        where: Where,
        document: object,
        into: type[T],
        kind: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> T:
        content = msgspec.json.encode(document)
        answer = await self._ask(verb, where, headers={"Content-Type": kind}, query=query, content=content)
        return self._decoded(answer, into, where)

    async def _ask(
        self,
        verb: Verb,
        where: Where | str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> bytes:
        """The body of a good answer. Credentials that are refused are renewed once, where they can be."""
        proof = await self._credentials.proof()
        answer = await self._once(proof, verb, where, headers, query, content)
        if answer.status == 401 and self._credentials.renewable:
            self._credentials.refused(proof)
            answer = await self._once(await self._credentials.proof(), verb, where, headers, query, content)
        if 200 <= answer.status < 300:
            return answer.body
        raise refusal(verb, where, self._shown(where), answer)

    async def _once(
        self,
        proof: Proof,
        verb: Verb,
        where: Where | str,
        headers: Mapping[str, str] | None,
        query: Mapping[str, str] | None,
        content: bytes | None,
    ) -> http.HttpAnswer:
        self._session = self._session or _session(self._connections)
        with _translated():
            return await http.ask(
                self._session,
                _METHODS[verb],
                self.access.server + (where if isinstance(where, str) else where.path),
                query=query,
                form=content,
                headers={**proof.headers, **(headers or {})},
                way=self._way(proof),
                timeout_seconds=self._timeout_seconds,
                most_bytes=self._most_bytes,
            )

    async def _lines(
        self,
        where: Where,
        query: Mapping[str, str],
        idle_seconds: float,
        headers: Mapping[str, str],
        opened: Callable[[], None] | None,
    ) -> AsyncGenerator[bytes]:
        """The lines of a watch. Credentials that are refused are renewed once, where they can be."""
        self._watching = self._watching or _session(0)
        for attempt in range(2):
            proof = await self._credentials.proof()
            lines = http.lines(
                self._watching,
                self.access.server + where.path,
                query=query,
                headers={**proof.headers, **headers},
                way=self._way(proof),
                idle_seconds=idle_seconds,
                most_bytes=self._most_bytes,
                opened=opened,
            )
            try:
                with _translated():
                    async with contextlib.aclosing(lines):
                        async for line in lines:
                            yield line
                return
            except http.Refused as refused:
                if attempt or refused.answer.status != 401 or not self._credentials.renewable:
                    raise refusal("watch", where, self._shown(where), refused.answer) from None
                self._credentials.refused(proof)

    def _change(self, line: bytes, item: type[T], where: Where) -> Change[T]:
        event = self._decoded(line, objects.WatchEvent, where)
        if event.type == "ERROR":
            failure = self._decoded(event.object, objects.Failure, where)
            words = f"{self._shown(where)}: the watch ended: {failure.message or failure.reason}"
            raise Expired(words) if failure.code == 410 else Temporary(words)
        if event.type == "BOOKMARK":
            return Change(event.type, self._decoded(event.object, objects.Object, where).metadata, None)
        found = self._decoded(event.object, item, where)
        metadata = getattr(found, "metadata", None)
        if not isinstance(metadata, objects.Metadata):  # of a dict, say
            metadata = self._decoded(event.object, objects.Object, where).metadata
        return Change(event.type, metadata, found)

    def _way(self, proof: Proof) -> http.Way:
        return http.Way(tls=proof.tls, server_name=self.access.server_name, proxy=self.access.proxy)

    def _shown(self, where: Where | str) -> str:
        return http.shown(self.access.server + (where if isinstance(where, str) else where.path))

    def _decoded(self, body: bytes | msgspec.Raw, into: type[T], where: Where | str) -> T:
        try:
            return cast("T", _decoder(into).decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            start = " ".join(bytes(body)[:60].decode(errors="replace").split())
            raise Temporary(
                f"{self._shown(where)}: the answer is not what the API promises: {error}: {start!r}"
            ) from error


def _session(connections: int) -> aiohttp.ClientSession:
    """`connections` at most; 0: as many as are asked for."""
    # Uncompressed: inside a cluster inflating costs more than sending.
    always = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "podium"}
    return aiohttp.ClientSession(headers=always, connector=aiohttp.TCPConnector(limit=connections))


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """What came instead of an answer, as this package's errors."""
    try:
        yield
    except http.TooLarge as error:
        raise Permanent(str(error)) from error
    except http.NoAnswer as error:
        if isinstance(error.__cause__, aiohttp.ClientSSLError) and not isinstance(
            error.__cause__.__cause__, ConnectionError
        ):
            raise Permanent(str(error)) from error  # a certificate does not become valid by asking again
        raise Temporary(str(error)) from error


def _decoder(into: Any) -> msgspec.json.Decoder[Any]:
    """Kept: making one costs more than decoding a small answer."""
    return _DECODERS.get(into) or _DECODERS.setdefault(into, msgspec.json.Decoder(into))
