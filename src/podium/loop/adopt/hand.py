"""Handing a workload over, and giving it back: each step is one write that holds its own way back.

An HPA is kept and made inert: both directions are disabled and its limits opened, so that its controller agrees with
any number of replicas. A ScaledObject is paused by KEDA's own annotation. What was there before goes, in the very same
write, into an annotation of the object: a process that dies leaves it either untouched, or with its record. A copy of
the whole manifest lies in a file of the user's state, should the object be deleted meanwhile.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import os
import pathlib
import tempfile
from collections.abc import Awaitable, Callable
from typing import Any

from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client
from podium.loop.adopt import keda
from podium.loop.adopt.original import ADOPTED, HPA, SCALED, Original, Record, of

Value = dict[str, Any]
LONGEST = 200  # of a file's name; file systems end at 255
ATTEMPTS = 5  # a controller writes an object's status every few seconds, which moves its version
_SERVER_SIDE = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")


class Changed(Exception):
    """Somebody has changed the original since it was handed over; the message says what."""


def inert(spec: Value, most: int) -> Value:
    """An HPA's spec that never changes anything: what upstream does with it is tried with upstream's own code."""
    out = copy.deepcopy(spec)
    out["minReplicas"], out["maxReplicas"] = 1, max(int(out.get("maxReplicas", 1)), most)
    behavior = out.setdefault("behavior", {})
    for direction in ("scaleUp", "scaleDown"):
        behavior[direction] = (behavior.get(direction) or {}) | {"selectPolicy": "Disabled"}
    return out


async def hand_over(client: Client, one: Original, most: int) -> bool:
    """Let the original give way; `most` is the policy's maximum. False: it has done so already."""

    async def write(now: Original) -> bool:
        if now.record is not None:
            return False
        notes: dict[str, str] = {}
        if now.kind == SCALED:
            notes[keda.PAUSED] = "true"
        record = Record(now.spec, {name: now.annotations.get(name) for name in notes})
        metadata = {"resourceVersion": now.version, "annotations": notes | {ADOPTED: record.text()}}
        patch: Value = {"metadata": metadata}
        if now.kind == HPA:
            whole = inert(now.spec, most)
            patch["spec"] = {field: whole[field] for field in ("minReplicas", "maxReplicas", "behavior")}
        await client.merge_patch(now.where, patch, Value)
        return True

    return await _repeated(client, one, write)


async def give_back(client: Client, one: Original, kept: Original | None, *, whatever: bool = False) -> bool:
    """Put the original back as it was. False: it has not been handed over. `kept` is its copy, if there is one.

    Raises Changed where somebody has changed it meanwhile, unless `whatever` says to give back what was recorded.
    """

    async def write(now: Original) -> bool:
        if now.record is None and kept is not None:
            now = _without_its_record(now, kept)
        if now.record is None:
            return False
        if not whatever and (changes := _changes(now)):
            raise Changed(f"{now.key} was changed since it was handed over: {', '.join(changes)}")
        operations: list[Value] = [
            {"op": "replace", "path": "/metadata/resourceVersion", "value": now.version},
        ]
        if ADOPTED in (now.live["metadata"].get("annotations") or {}):
            operations.append({"op": "remove", "path": f"/metadata/annotations/{_pointer(ADOPTED)}"})
        if now.kind == HPA:
            operations.append({"op": "replace", "path": "/spec", "value": now.record.spec})
        live = now.live["metadata"].get("annotations") or {}
        for name, was in now.record.annotations.items():
            path = f"/metadata/annotations/{_pointer(name)}"
            if was is not None:
                operations.append({"op": "add", "path": path, "value": was})
            elif name in live:
                operations.append({"op": "remove", "path": path})
        await client.json_patch(now.where, operations, Value)
        return True

    return await _repeated(client, one, write)


def _without_its_record(now: Original, kept: Original) -> Original:
    """One whose annotation somebody took away, while it still stands as the hand-over left it: its copy tells."""
    behavior = now.spec.get("behavior") or {}
    disabled = all((behavior.get(way) or {}).get("selectPolicy") == "Disabled" for way in ("scaleUp", "scaleDown"))
    if now.kind == HPA and disabled and now.spec.get("minReplicas") == 1 and now.spec != kept.spec:
        return dataclasses.replace(now, value=kept.value, record=Record(kept.spec, {}))
    paused = now.annotations.get(keda.PAUSED) == "true" and keda.PAUSED not in kept.annotations
    if now.kind == SCALED and paused:
        return dataclasses.replace(now, value=kept.value, record=Record(kept.spec, {keda.PAUSED: None}))
    return now


async def make_again(client: Client, manifest: Value) -> None:
    """Create an original that was deleted meanwhile, from its copy."""
    one = of(manifest, "its copy")
    value = copy.deepcopy(one.value)
    value.pop("status", None)
    for field in _SERVER_SIDE:
        value["metadata"].pop(field, None)
    await client.create(dataclasses.replace(one.where, name=""), value, Value)


async def _repeated(client: Client, one: Original, write: Callable[[Original], Awaitable[bool]]) -> bool:
    """Write on what was read; where it has moved meanwhile, read it again."""
    now = one
    for _ in range(ATTEMPTS):
        try:
            return await write(now)
        except errors.Conflict:
            now = of(await client.get(one.where, Value) | {"kind": one.kind}, one.origin)
    raise errors.Temporary(f"{one.key} was changed by others {ATTEMPTS} times while it was being written; try again")


def _changes(now: Original) -> list[str]:
    """Which fields are no longer as the hand-over left them."""
    found = []
    live, annotations = now.live.get("spec") or {}, now.live["metadata"].get("annotations") or {}
    if now.kind == SCALED:
        if annotations.get(keda.PAUSED) != "true":
            found.append(f"the annotation {keda.PAUSED}")
        return found + [f"spec.{name}" for name in sorted({*live, *now.spec}) if live.get(name) != now.spec.get(name)]
    behavior = live.get("behavior") or {}
    directions = {name: (behavior.get(name) or {}).get("selectPolicy") for name in ("scaleUp", "scaleDown")}
    found += [f"spec.{name}" for name in ("scaleTargetRef", "metrics") if live.get(name) != now.spec.get(name)]
    found += ["spec.minReplicas"] if live.get("minReplicas") != 1 else []
    found += ["spec.maxReplicas"] if live.get("maxReplicas", 0) < now.spec.get("maxReplicas", 0) else []
    found += [f"spec.behavior.{name}.selectPolicy" for name, policy in directions.items() if policy != "Disabled"]
    return found


def _pointer(name: str) -> str:
    """RFC 6901."""
    return name.replace("~", "~0").replace("/", "~1")


class Copies:
    """Whole manifests as they were, a file each, in a folder of one cluster."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def keep(self, one: Original) -> None:
        """Write the original down before anything is done to it; what gave way already has its copy. Raises OSError."""
        file = self._file(one)
        if one.record is not None and file.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        number, name = tempfile.mkstemp(prefix=".", dir=self.folder)
        with os.fdopen(number, "w", encoding="utf-8") as opened:
            json.dump(one.value, opened)
            opened.flush()
            os.fsync(opened.fileno())
        pathlib.Path(name).replace(file)

    def all(self) -> list[Original]:
        """Everything that is kept. A file that is none of ours is passed over."""
        found = []
        for file in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else ():
            try:
                found.append(of(json.loads(file.read_text(encoding="utf-8")), str(file)))
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def drop(self, one: Original) -> None:
        """The original is back."""
        self._file(one).unlink(missing_ok=True)

    def _file(self, one: Original) -> pathlib.Path:
        name = f"{one.kind.lower()}.{one.namespace}.{one.name}"  # a namespace has no dots
        short = name if len(name) <= LONGEST else hashlib.sha256(name.encode()).hexdigest()
        return self.folder / f"{short}.json"
