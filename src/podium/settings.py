"""The settings: every package's branch gathered into one document. The only reader of the environment.

Precedence: flag > PODIUM_<BRANCH>__<FIELD> > the brief's or OpenTelemetry's variable > file > default.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from podium.documents import checking, layers, places, secret
from podium.documents.collection import Check, Documents
from podium.documents.document import API_VERSION, ApiVersion
from podium.documents.problem import Invalid, Problem, dotted, nearest, shown
from podium.documents.secret import Secret
from podium.documents.settings import DocumentsSettings
from podium.documents.shape import Objection, Shape
from podium.documents.source import Path, Source
from podium.documents.values import Listen
from podium.ledger.settings import DatabaseSettings
from podium.loop.modes.settings import MetricSettings
from podium.loop.prices.settings import PriceSettings
from podium.loop.settings import ClusterSettings, LoopSettings, PartSettings
from podium.signals.settings import SourceSettings
from podium.signals.signal import Signal
from podium.telemetry import settings as telemetry
from podium.telemetry.settings import TelemetrySettings


class ApiSettings(Shape):
    """The HTTP door."""

    listen: Listen = "127.0.0.1:8080"
    """Address and port; this machine alone, until somebody decides otherwise. Port 0 takes any free one."""
    token: Secret | None = None
    """Reference to the token that opens the door; left out, a new one is made and printed at every start."""
    hosts: tuple[str, ...] = ()
    """Further Host headers to answer to, besides those of this machine: the names of a proxy in front."""


class LogSettings(Shape):
    """What is logged, and how."""

    format: Literal["console", "json"] = "console"
    """console for people, json (a line per event) for machines."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important level that is still written."""


class Settings(Shape):
    """`podium.yaml`."""

    api_version: ApiVersion = API_VERSION
    kind: Literal["Settings"] = "Settings"
    database: DatabaseSettings = DatabaseSettings()
    clusters: tuple[ClusterSettings, ...] = (ClusterSettings(name="local", kind="simulated"),)
    """The clusters that are scaled; by default the built-in simulated one. Each of several has a process of its own."""
    sources: tuple[SourceSettings, ...] = ()
    """The systems that measure."""
    documents: DocumentsSettings = DocumentsSettings()
    loop: LoopSettings = LoopSettings()
    part: PartSettings = PartSettings()
    api: ApiSettings = ApiSettings()
    log: LogSettings = LogSettings()
    metric: MetricSettings = MetricSettings()
    prices: PriceSettings = PriceSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    def objections(self) -> Iterator[Objection]:
        """Names are unique, and name something."""
        clusters = [cluster.name for cluster in self.clusters]
        yield from self._objections_to_part(clusters)
        for field, names in (("clusters", clusters), ("sources", [source.name for source in self.sources])):
            for number, name in enumerate(names):
                if name in names[:number]:
                    yield Objection((field, number, "name"), f"a name that no other of the {field} has")
        if self.documents.authority == "kubernetes" and any(one.kind != "kubernetes" for one in self.clusters):
            yield Objection(("documents", "authority"), "folder, because the cluster is simulated")
        for number, source in enumerate(self.sources):
            if source.cluster is not None and source.cluster not in clusters:
                expected = f"the name of a cluster{nearest(source.cluster, clusters)}"
                yield Objection(("sources", number, "cluster"), expected)

    def _objections_to_part(self, clusters: Sequence[str]) -> Iterator[Objection]:
        """Where several processes share an installation, each has a database of its own."""
        part, url = self.part, self.database.url
        if not clusters:
            yield Objection(("clusters",), "a cluster")
        if part.cluster is not None and part.cluster not in clusters:
            yield Objection(("part", "cluster"), f"the name of a cluster{nearest(part.cluster, clusters)}")
        if len(set(clusters)) > 1 and part.cluster is None:
            expected = f"one of {', '.join(clusters)}: each process leads one cluster (PODIUM_PART__CLUSTER)"
            yield Objection(("part", "cluster"), expected)
        if len(set(clusters)) > 1 and "{cluster}" not in url:
            yield Objection(("database", "url"), "{cluster} in it: each cluster has a database of its own")
        if part.shards > 1 and "{shard}" not in url:
            yield Objection(("database", "url"), "{shard} in it: each shard has a database of its own")
        if part.shard is not None and part.shard >= part.shards:
            yield Objection(("part", "shard"), f"less than shards, which is {part.shards}")
        simulated = any(cluster.kind == "simulated" for cluster in self.clusters)
        if part.shards > 1 and part.shard is None and simulated:
            yield Objection(("part", "shard"), "a number: a simulated cluster has no Leases")

    def narrowed(self) -> Settings:
        """As one process sees them: its own cluster alone, and the names of its cluster and shard written in."""
        written = f"{self.database.url} {self.documents.path}"
        if len(self.clusters) == 1 and not ("{cluster}" in written or "{shard}" in written):
            return self
        name = self.part.cluster or self.clusters[0].name
        shard = "{shard}" if self.part.shard is None else str(self.part.shard)
        url = self.database.url.replace("{cluster}", name).replace("{shard}", shard)
        documents, path = self.documents, self.documents.path
        if path is not None:
            documents = documents.model_copy(update={"path": pathlib.Path(str(path).replace("{cluster}", name))})
        return self.model_copy(
            update={
                "clusters": tuple(cluster for cluster in self.clusters if cluster.name == name),
                "sources": tuple(source for source in self.sources if source.cluster in (None, name)),
                "database": self.database.model_copy(update={"url": url}),
                "documents": documents,
            }
        )

    def source(self, kind: str, name: str | None) -> SourceSettings:
        """The source that a signal means: by name, or the only one of its kind. Raises LookupError that says which.

        A single cluster measures without being listed as a source.
        """
        of_kind = [source for source in self.sources if source.kind == kind]
        if not of_kind and kind == "cluster" and name is None and len(self.clusters) == 1:
            return SourceSettings(name=self.clusters[0].name, kind="cluster", cluster=self.clusters[0].name)
        known = [source.name for source in of_kind]
        if name is None and len(of_kind) == 1:
            return of_kind[0]
        for source in of_kind:
            if source.name == name:
                return source
        listed = f" ({', '.join(known)})" if known else ", of which Settings has none"
        raise LookupError(f"a source of kind {kind}{listed}{nearest(name or '', known)}")

    def sources_exist(self) -> Check:
        """The check that every Signal's source is one of these."""

        def check(documents: Documents) -> Iterator[Problem]:
            for signal in documents.of(Signal):
                if (origin := signal.spec.origin) is None:
                    continue  # judged, not measured
                kind, name = signal.spec.origin_kind, origin.source
                try:
                    self.source(kind, name)
                except LookupError as error:
                    path: Path = ("spec", kind, "source")
                    yield Problem.at(signal.source, path, str(error), "nothing" if name is None else shown(name))

        return check


_LOG_WORDS = {"debug": "debug", "trace": "debug", "info": "info", "warn": "warning", "warning": "warning"}
_LOG_WORDS |= dict.fromkeys(("error", "critical", "fatal"), "error")

# The brief's variables that mean one of our fields: the field, and words of theirs that are other words of ours.
BRIEF_VARIABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "AUTOSCALING_MODE": ("loop.mode", {"intelligent": "own"}),
    "SCALING_INTERVAL": ("loop.interval", {}),
    "MAX_REPLICAS": ("loop.replicas.max", {}),
    "MIN_REPLICAS": ("loop.replicas.min", {}),
    "LOG_LEVEL": ("log.level", _LOG_WORDS),
}

# Those that mean nothing here yet, or never will: what to say when one is set.
BRIEF_WITHOUT_FIELD: Mapping[str, str] = {
    "TENANT_ISOLATION": "tenants are always kept apart; nothing turns it off",
    "COST_OPTIMIZATION": "cost has no part in decisions yet",
    "REDIS_PASSWORD": "nothing uses Redis yet",
    "SLACK_WEBHOOK": "nothing notifies Slack yet",
    "NAMESPACE": "belongs to `podium config`, which is not here yet; policies name their own namespace",
    **dict.fromkeys(
        ("ENVIRONMENT", "DRY_RUN", "OUTPUT_DIR", "MONITOR_DURATION", "METRICS_FORMAT", "ROLLBACK_TARGET"),
        "belongs to `podium config`, which is not here yet",
    ),
    **dict.fromkeys(
        ("BACKUP_ACTION", "BACKUP_ID", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"),
        "belongs to backups, which are not here yet",
    ),
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One setting as `podium settings show` prints it."""

    path: str
    value: Any  # as JSON has it, secrets hidden
    origin: str
    description: str


@dataclasses.dataclass(frozen=True)
class Loaded:
    """The settings, and where each came from."""

    value: Settings
    file: pathlib.Path | None
    notes: tuple[str, ...]  # sentences about variables of others that are set and mean nothing here
    _layers: layers.Layers = dataclasses.field(repr=False)
    _environ: Mapping[str, str] = dataclasses.field(repr=False)

    def origin(self, path: str) -> str:
        """Where `loop.interval` or `sources[0].url` comes from: a flag, a variable, `file:line`, or `default`."""
        parts = re.findall(r"[^.\[\]]+", path)
        return self._layers.origin(tuple(int(part) if part.isdigit() else part for part in parts))

    def rows(self) -> tuple[Row, ...]:
        """Every setting, in the order of the model."""
        dumped = self.value.model_dump(mode="json", by_alias=True, exclude={"api_version", "kind"})
        return tuple(
            Row(
                path=dotted(path),
                value=layers.printable(Settings, path, value),
                origin=self._layers.origin(path),
                description=checking.description_at(Settings, path),
            )
            for path, value in layers.leaves(dumped)
        )

    def of_shard(self, shard: int) -> Loaded:
        """The same for one shard, whose number nobody wrote."""
        part = self.value.part.model_copy(update={"shard": shard})
        return dataclasses.replace(self, value=self.value.model_copy(update={"part": part}).narrowed())

    def reveal(self, reference: str) -> str:
        """The secret that a field refers to. Raises secret.Unreadable."""
        return secret.reveal(reference, self._environ)


def load(
    flags: Mapping[str, str], environ: Mapping[str, str], cwd: pathlib.Path, *, system: pathlib.Path = places.SYSTEM
) -> Loaded:
    """The settings from flags ({`loop.interval`: `30s`}, and `config`: a file), the environment and the first file.

    Relative paths in a file start at the file, all others at `cwd`. Raises problem.Invalid with every problem, each
    naming the flag, the variable, or the file and line.
    """
    environ = {name: text for name, text in environ.items() if text}
    if garbled := [Problem(name, 0, 0, "", "text in UTF-8", ascii(environ[name])) for name in _garbled(environ)]:
        raise Invalid(garbled)
    file = places.settings_file(flags.get("config"), environ, cwd, system)
    stack = layers.Layers(Settings)
    if file is not None:
        stack.read(*places.read_settings(file))
    for name, field, text in telemetry.of_variables(environ):
        stack.put(field.split("."), text, name)
    for name, (field, words) in BRIEF_VARIABLES.items():
        if name in environ:
            stack.put(field.split("."), words.get(environ[name].lower(), environ[name]), name)
    for name, parts in _variables(environ):
        stack.put(parts, environ[name], name)
    for field, text in flags.items():
        if field != "config":
            stack.put(re.findall(r"[^.\[\]]+", field), text, f"flag {field}")
    stack.default(("database", "url"), f"sqlite:///{places.state_folder(environ) / 'podium.db'}")
    value = stack.build(Settings, _grounded, cwd)
    notes = [f"{name}: {words}" for name, words in BRIEF_WITHOUT_FIELD.items() if name in environ]
    if value.telemetry.traces.endpoint is not None:
        notes += telemetry.unspoken(environ)
    return Loaded(value.narrowed(), file, tuple(notes), stack, environ)


def mistakes(value: dict[str, Any], source: Source) -> tuple[Problem, ...]:
    """What is wrong with a Settings document by itself, without variables and flags."""
    stack = layers.Layers(Settings)
    stack.read(value, source)
    try:
        stack.build(Settings, _grounded, pathlib.Path())
    except Invalid as error:
        return error.problems
    return ()


def _garbled(environ: Mapping[str, str]) -> Iterator[str]:
    """Variables of ours whose bytes are no text: the system hands them on with each such byte as a lone surrogate."""
    ours = {*BRIEF_VARIABLES, *telemetry.VARIABLES, *(name for name, _ in _variables(environ))}
    for name in sorted(ours & environ.keys()):
        try:
            environ[name].encode()
        except UnicodeEncodeError:
            yield name


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    branches = {name.upper() for name in checking.field_names(Settings)}
    for name in sorted(environ):
        words = name.removeprefix("PODIUM_").split("__")
        if name.startswith("PODIUM_") and (len(words) > 1 or words[0] in branches):
            yield name, words


def _grounded(kind: Any, text: str, base: pathlib.Path) -> str:
    if pathlib.Path in checking.options(kind):
        return str(base / pathlib.Path(text).expanduser())
    if match := re.fullmatch(r"(sqlite[^:]*:///)([^:/?][^?]*)(.*)", text):
        return f"{match[1]}{base / pathlib.Path(match[2]).expanduser()}{match[3]}"
    if text.startswith("file:") and (kind == Secret or Secret in getattr(kind, "__args__", ())):
        return f"file:{base / pathlib.Path(text.removeprefix('file:')).expanduser()}"
    return text
