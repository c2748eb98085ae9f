"""What lies outside: each source asked once, the cluster and the rights there, the clocks."""

from __future__ import annotations

import email.utils
import pathlib
from collections.abc import Mapping

import aiohttp

from podium.cli.checks import answers, targets
from podium.cli.checks.row import Row
from podium.clients import http
from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery
from podium.documents.collection import Documents
from podium.documents.problem import Invalid
from podium.documents.secret import Unreadable
from podium.install import support
from podium.install.check import kinds_installed
from podium.loop.binding import query_of
from podium.loop.clusters.kubernetes import rights
from podium.loop.policy import ScalingPolicy
from podium.loop.settings import ClusterSettings
from podium.model import clock
from podium.settings import Loaded
from podium.signals.settings import SourceSettings
from podium.signals.signal import Signal
from podium.signals.source import Permanent, Source, Temporary

MOST_QUERIES = 20  # of one source: the doctor asks, it does not load
SKEW_SECONDS = 5.0  # a Date header is exact to a second, and the way there takes some
BAD_SKEW_SECONDS = 30.0  # then fresh samples look stale, or from the future


async def sources(loaded: Loaded, documents: Documents) -> list[Row]:
    """Every configured source, asked once with the queries of the signals that name it."""
    rows: list[Row] = []
    simulated = any(cluster.kind == "simulated" for cluster in loaded.value.clusters)
    for settings in loaded.value.sources:
        what = f"source {settings.name}"
        if settings.kind == "cluster":
            continue  # comes with its cluster
        if settings.kind == "push":
            rows.append(_told(what, settings, len(_queries(loaded, documents, settings))))
            continue
        if settings.path is not None and settings.path.suffix in (".yaml", ".yml"):
            rows += _scenario(what, settings.path)
            continue
        # A recording beside a simulated cluster is played on that cluster's clock, not on this machine's.
        now = None if simulated and settings.path is not None else clock.wall_clock()
        try:
            (source,) = [one for one in _built(loaded, documents) if one.name == settings.name]
        except Unreadable as error:
            rows.append(Row(what, "wrong", str(error)))
            continue
        try:
            rows.append(await _asked(what, source, settings, _queries(loaded, documents, settings), documents, now))
        finally:
            await source.close()
        if settings.url is not None and rows[-1].state != "wrong":
            rows += await _skew(settings)
    return rows


def _built(loaded: Loaded, documents: Documents) -> list[Source]:
    from podium.wiring.outside import sources_of

    return sources_of(loaded, documents, None)


def _scenario(what: str, path: pathlib.Path) -> list[Row]:
    from podium.loop.clusters.simulated.scenario import read_scenario

    try:
        scenario = read_scenario(path)
    except Invalid as error:
        return [Row(what, "wrong", str(problem)) for problem in error.problems]
    return [Row(what, "ok", f"{path}, scenario {scenario.metadata.name}")]


def _queries(loaded: Loaded, documents: Documents, settings: SourceSettings) -> dict[str, float]:
    """The distinct queries of the signals that this source serves -> the longest that any of them keeps a value."""
    out: dict[str, float] = {}
    for signal in documents.of(Signal):
        spec, origin = signal.spec, signal.spec.origin
        if origin is None or spec.origin_kind != settings.kind:
            continue
        if loaded.value.source(settings.kind, origin.source) != settings:
            continue
        query = query_of(signal, origin)
        if query and (query in out or len(out) < MOST_QUERIES):
            out[query] = max(spec.stale_after, out.get(query, 0.0))
    return out


async def _asked(
    what: str,
    source: Source,
    settings: SourceSettings,
    queries: Mapping[str, float],
    documents: Documents,
    now: float | None,
) -> Row:
    where = http.shown(settings.url) if settings.url else str(settings.path)
    if not queries:
        if settings.url is None:
            there = settings.path is not None and settings.path.is_file()
            return Row(
                what, "hint" if there else "wrong", f"{where}: " + ("no signal reads it" if there else "no file")
            )
        return await _unused(what, where, source)
    series, troubles, wanted = 0, list[str](), targets.of(documents, "")
    for query, stale_after in queries.items():
        try:
            reading = await source.read(query, clock.wall_clock())
        except Temporary as error:
            return Row(what, "wrong", f"silent: {error}", "is it running, and is the address right?")
        except Permanent as error:
            return Row(what, "wrong", str(error), "correct the query, the path or the credentials")
        series += len(reading.subjects) + reading.unplaced
        if said := answers.trouble(reading, wanted, stale_after, now):
            troubles.append(f"{query}: {said}")
    words = f"{where} answers: {len(queries)} quer{'y' if len(queries) == 1 else 'ies'}, {series} series"
    if troubles:
        return Row(what, "hint", "\n".join([words, *troubles]), "is the query right, and is what it measures there?")
    return Row(what, "ok", words)


def _told(what: str, settings: SourceSettings, queries: int) -> Row:
    """A source that waits to be told: what it was told, only the running program knows."""
    opens = "its own token" if settings.bearer else "Podium's token"
    words = f"waits at /ingest for senders with {opens}"
    if not queries:
        return Row(what, "hint", f"{words}; no signal reads it")
    return Row(what, "ok", f"{words}: {queries} quer{'y' if queries == 1 else 'ies'}")


async def _unused(what: str, where: str, source: Source) -> Row:
    """A server that no signal reads, asked whether it is there."""
    try:
        await source.read("vector(1)", clock.wall_clock())
    except Temporary as error:
        return Row(what, "wrong", f"silent: {error}", "is it running, and is the address right?")
    except Permanent as error:
        return Row(what, "wrong", str(error), "correct the address or the credentials")
    return Row(what, "hint", f"{where} answers; no signal reads it")


async def _skew(settings: SourceSettings) -> list[Row]:
    """How far a server's clock is from this machine's, by the Date header of an answer."""
    timeout = aiohttp.ClientTimeout(total=settings.timeout)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.head(f"{settings.url}/-/ready", allow_redirects=False) as answer,
        ):
            theirs = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError):
        return []  # it answered queries; a proxy without dates is no trouble
    apart = theirs - clock.wall_clock()
    if abs(apart) < SKEW_SECONDS:
        return []
    words = f"of {settings.name} is {clock.duration(round(abs(apart)))} {'ahead' if apart > 0 else 'behind'}"
    return [Row("clock", "wrong" if abs(apart) > BAD_SKEW_SECONDS else "hint", words, "let both machines keep time")]


async def clusters(loaded: Loaded, documents: Documents) -> list[Row]:
    """Every cluster: reachable, and which rights are missing there."""
    rows: list[Row] = []
    for cluster in loaded.value.clusters:
        if cluster.kind == "simulated":
            rows += _simulated(cluster, documents)
        else:
            rows += await _kubernetes(loaded, cluster, documents)
    return rows


def _simulated(cluster: ClusterSettings, documents: Documents) -> list[Row]:
    from podium.loop.clusters.simulated.scenario import read_scenario

    path, what = cluster.simulation.scenario, f"cluster {cluster.name}"
    if path is None:
        remedy = f"set clusters.{cluster.name}.simulation.scenario"
        return [Row(what, "wrong", "simulated, without a scenario", remedy)]
    found = _scenario(what, path)
    if found[0].state != "ok":
        return found
    gone = targets.simulated(read_scenario(path), cluster.name, documents)
    return [Row(what, "ok", f"simulated, {path}"), *gone]


async def _kubernetes(loaded: Loaded, cluster: ClusterSettings, documents: Documents) -> list[Row]:
    from podium.wiring.outside import access_to

    what = f"cluster {cluster.name}"
    try:
        client = Client(access_to(cluster))
    except errors.Broken as error:
        return [Row(what, "wrong", str(error), "name a kubeconfig that works, or run inside the cluster")]
    try:
        version, discovery = await client.get_path("/version", dict[str, str | bool]), Discovery(client)
        missing = await _missing(client, discovery, loaded, cluster.name, documents)
        gone = await targets.kubernetes(client, discovery, cluster.name, documents)
        skewed = await kinds_installed(client) if loaded.value.documents.authority == "kubernetes" else []
    except (errors.Temporary, errors.Permanent) as error:
        return [Row(what, "wrong", str(error))]
    finally:
        await client.close()
    server = http.shown(client.access.server)
    rows = [Row(what, "ok", f"{server}, Kubernetes {version.get('gitVersion', 'of an unknown version')}")]
    unfit, never = support.objection(version)
    if unfit:
        rows.append(Row(what, "wrong" if never else "hint", unfit))
    remedy = "podium policy crds | kubectl apply --server-side -f -"
    rows += [Row(what, "wrong", found.words, remedy) for found in skewed if found.wrong]
    return [*rows, *(Row(what, "wrong", f"{server}: {words}", remedy) for words, remedy in missing), *gone]


async def _missing(
    client: Client, discovery: Discovery, loaded: Loaded, cluster: str, documents: Documents
) -> list[tuple[str, str]]:
    """What the policies need and the API server would not allow or does not have: (words, remedy)."""
    out = []
    for group, kind in sorted({(key.group, key.kind) for key in targets.of(documents, cluster)}):
        try:
            await discovery.find(group, kind)
        except errors.Missing as error:
            out.append((str(error), "install what defines this kind, or correct the policies' targetRef"))
    policies, most = documents.of(ScalingPolicy), loaded.value.loop.mode
    lacking = await rights.missing(client, discovery, policies, cluster, most)
    return out + [(words, "bind a role with it to this user or service account") for words in lacking]
