"""Every kind of document, gathered from the packages that own them, with the checks between them."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from podium.documents import checking, schemas
from podium.documents.collection import Check
from podium.documents.document import Document
from podium.documents.folder import Folder
from podium.documents.loading import Asides
from podium.documents.problem import Problem
from podium.documents.shape import Shape
from podium.documents.source import Source
from podium.loop import apimetrics, checks
from podium.loop.calendar.document import Calendar
from podium.loop.clusters.simulated.scenario import Scenario
from podium.loop.policy import ScalingPolicy
from podium.settings import Settings, mistakes
from podium.signals.signal import Signal

KINDS: Mapping[str, type[Document]] = {kind.__name__: kind for kind in (ScalingPolicy, Signal, Calendar)}


def folder(path: pathlib.Path, settings: Settings | None = None) -> Folder:
    """The folder of documents at `path`, with every check; those of sources need the settings."""
    return Folder(path, KINDS, all_checks(settings), ASIDES)


def all_checks(settings: Settings | None = None) -> tuple[Check, ...]:
    """What must hold between documents; what must hold between them and the sources needs the settings."""
    if settings is None:
        return checks.CHECKS
    # Only a real cluster has metrics APIs, which measure what no Signal does.
    real = any(cluster.kind == "kubernetes" for cluster in settings.clusters)
    return (*checks.CHECKS, settings.sources_exist(), *(() if real else (apimetrics.measured,)))


def _scenario_mistakes(value: dict[str, Any], source: Source) -> Iterable[Problem]:
    found = checking.check(Scenario, value)
    return checking.placed(found, source) if isinstance(found, list) else ()


ASIDES: Asides = {"Settings": mistakes, "Scenario": _scenario_mistakes}
"""What people keep beside their documents: read by other ways than the set, and checked as what it is."""


def crds() -> list[dict[str, Any]]:
    """The CustomResourceDefinitions of all kinds that live in a cluster."""
    return [schemas.crd(kind) for kind in KINDS.values()]


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every kind by name, Settings and Scenario included."""
    models: dict[str, type[Shape]] = {**KINDS, "Settings": Settings, "Scenario": Scenario}
    return {name: schemas.json_schema(model) for name, model in models.items()}
