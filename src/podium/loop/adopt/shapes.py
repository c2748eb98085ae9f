"""Whether what somebody wrote has the shape of its kind, before it is translated: the first mistake, with its field."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from podium.clients.kubernetes.objects import Struct
from podium.loop.adopt.original import HPA, SCALED, Original
from podium.loop.evaluate import autoscaler


class _Reference(Struct, frozen=True):
    kind: str = ""
    name: str = ""
    api_version: str = ""


class _Config(Struct, frozen=True):
    behavior: autoscaler.Behavior | None = None
    name: str | None = None


class _Advanced(Struct, frozen=True):
    horizontal_pod_autoscaler_config: _Config | None = None
    scaling_modifiers: dict[str, Any] | None = None


class _Trigger(Struct, frozen=True):
    type: str
    metadata: dict[str, str | int | float | bool] | None = None
    metric_type: str | None = None
    name: str | None = None
    authentication_ref: dict[str, Any] | None = None


class _Scaled(Struct, frozen=True):
    scale_target_ref: _Reference = _Reference()
    min_replica_count: int = 0
    max_replica_count: int = 100
    cooldown_period: int = 300
    advanced: _Advanced | None = None
    triggers: list[_Trigger] | None = None


class _Container(Struct, frozen=True):
    container_name: str = ""
    mode: str | None = None
    min_allowed: dict[str, str | int | float] | None = None
    max_allowed: dict[str, str | int | float] | None = None
    controlled_resources: list[str] | None = None


class _Resources(Struct, frozen=True):
    container_policies: list[_Container] | None = None


class _Update(Struct, frozen=True):
    update_mode: str | None = None


class _Vertical(Struct, frozen=True):
    target_ref: _Reference = _Reference()
    update_policy: _Update | None = None
    resource_policy: _Resources | None = None


def problem(one: Original) -> str:
    """What is wrong with it, as in `spec.minReplicas: expected int, got str`; "": nothing."""
    kind: Any = {HPA: autoscaler.Spec, SCALED: _Scaled}.get(one.kind, _Vertical)
    try:
        msgspec.convert(one.spec, kind)
    except msgspec.ValidationError as error:
        match = re.fullmatch(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", str(error), re.DOTALL)
        what, path = (match["what"], match["path"] or "") if match else (str(error), "")
        return f"spec{path}: {what[:1].lower()}{what[1:]}".replace("`", "")
    return ""
