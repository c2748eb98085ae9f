"""Lines of cases: states, and timelines, which have ticks. Unknown members of a line are mistakes; those inside
Kubernetes' own objects are not, because people paste whole objects."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from podium.clients.kubernetes.objects import LabelSelector, Pod, PodMetrics, Struct
from podium.documents.problem import dotted, nearest
from podium.loop.evaluate.autoscaler import Autoscaler, Int32, Quantity, Spec

FOREIGN = ("fail", "rival", "follow")  # what only a driver of upstream can act out
GATES = {"HPAConfigurableTolerance": True, "HPAScaleToZero": False}


class Wrong(ValueError):
    """A line cannot be used. The message names the member and what was expected."""


class DescribedObject(Struct, frozen=True):
    """v1 ObjectReference, the part that tells metrics apart."""

    kind: str = ""
    name: str = ""


class MetricName(Struct, frozen=True):
    """custom.metrics.k8s.io MetricIdentifier."""

    name: str = ""
    selector: LabelSelector | None = None


class CustomValue(Struct, frozen=True):
    """custom.metrics.k8s.io/v1beta2 MetricValue."""

    described_object: DescribedObject = DescribedObject()
    metric: MetricName = MetricName()
    timestamp: datetime.datetime | None = None
    window_seconds: int | None = None
    value: Quantity = "0"


class ExternalValue(Struct, frozen=True):
    """external.metrics.k8s.io/v1beta1 ExternalMetricValue."""

    metric_name: str = ""
    metric_labels: dict[str, str] | None = None
    value: Quantity = "0"


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the three metrics APIs know; None keeps what they knew before."""

    pods: list[PodMetrics] | None = None
    custom: list[CustomValue] | None = None
    external: list[ExternalValue] | None = None


class World(msgspec.Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """What the controller can observe; None keeps what was there before."""

    replicas: Int32 | None = None
    status_replicas: Int32 | None = None
    selector: str | None = None
    pods: list[Pod] | None = None
    metrics: Metrics = Metrics()


class Tick(World, frozen=True, kw_only=True):
    """What changes right before the reconciliation at a second."""

    at: int
    spec: Spec | None = None
    load: dict[str, Quantity] | None = None  # left over where followed pods were written out
    fail: Any = None
    rival: Any = None
    follow: Any = None


class Controller(Struct, frozen=True, forbid_unknown_fields=True):
    """kube-controller-manager's settings of its HPA controller."""

    window: str = msgspec.field(name="horizontalPodAutoscalerDownscaleStabilizationWindow", default="5m")
    tolerance: float = msgspec.field(name="horizontalPodAutoscalerTolerance", default=0.1)
    initialization: str = msgspec.field(name="horizontalPodAutoscalerCPUInitializationPeriod", default="5m")
    readiness: str = msgspec.field(name="horizontalPodAutoscalerInitialReadinessDelay", default="30s")


class Line(World, frozen=True, kw_only=True):
    """One case."""

    id: str = ""
    hpa: Autoscaler
    feature_gates: dict[str, bool] = {}
    controller: Controller = Controller()
    tick_seconds: int = msgspec.field(name="tick_seconds", default=15)
    ticks: list[Tick] | None = None
    follow: Any = None

    def gate(self, name: str) -> bool:
        """Whether a feature gate is open."""
        return self.feature_gates.get(name, GATES[name])


_decoder = msgspec.json.Decoder(Line)
_PLACE = re.compile(r"(?P<what>.*) - at `\$\.?(?P<path>.*)`", re.DOTALL)


def read(text: bytes) -> Line:
    """One line. Raises Wrong."""
    try:
        line = _decoded(text)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Wrong(_said(error, text)) from error
    problem = next(_problems(line), None)
    if problem is not None:
        raise Wrong(problem)
    return line


def _decoded(text: bytes) -> Line:
    """A member that is null is one that is left out: Go writes empty lists so, and reads them so."""
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        if "got `null`" not in str(error):
            raise
        return _decoder.decode(msgspec.json.encode(_without_nulls(msgspec.json.decode(text))))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def _said(error: msgspec.MsgspecError, text: bytes) -> str:
    match = _PLACE.fullmatch(str(error))
    if match is None:
        unknown = re.fullmatch(r"Object contains unknown field `(.*)`", str(error))
        return _unknown("", unknown[1]) if unknown else str(error)
    path, what = match["path"], match["what"]
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", what)
    if unknown:
        return _unknown(_numbered(path, text), unknown[1])
    return f"{_numbered(path, text)}: {what[:1].lower() + what[1:]}"


def _unknown(path: str, name: str) -> str:
    known = [field.encode_name for kind in (Line, Tick, Metrics, Controller) for field in msgspec.structs.fields(kind)]
    where = f"{path}.{name}" if path else name
    return f"{where}: there is no such member{nearest(name, known)}"


def _numbered(path: str, text: bytes) -> str:
    """msgspec writes `ticks[...]`; the number is that of the first element that is wrong in itself."""
    head, dots, tail = path.partition("[...]")
    if not dots or head != "ticks":
        return path
    for number, tick in enumerate(json.loads(text)["ticks"]):
        try:
            msgspec.convert(tick, Tick)
        except msgspec.ValidationError:
            return f"ticks[{number}]{tail}"
    return path


def _problems(line: Line) -> Iterator[str]:
    for name in line.feature_gates:
        if name not in GATES:
            yield f"featureGates.{name}: expected one of {', '.join(GATES)}{nearest(name, list(GATES))}"
    if line.follow:
        yield "follow: Podium reads lines in which followed pods are written out; `peers expand` writes them out"
    if line.ticks is None:
        return
    if not line.ticks:
        yield "ticks: expected at least one"
    if line.tick_seconds < 1:
        yield f"tick_seconds: expected at least 1; got {line.tick_seconds}"
        return
    before = None
    for number, tick in enumerate(line.ticks):
        for name in FOREIGN:
            if getattr(tick, name):
                yield f"ticks[{number}].{name}: only a driver of upstream acts this out"
        step = tick.at - before if before is not None else line.tick_seconds
        if step <= 0 or step % line.tick_seconds:
            yield f"ticks[{number}].at: expected {line.tick_seconds} s, or a multiple, after {before}; got {tick.at}"
        before = tick.at


def place_of(text: bytes, shown: str) -> str:
    """The dotted path of the first quantity or duration that reads as `shown`, "" where there is none."""
    for path, value in _leaves(json.loads(text), ()):
        measured = path[-1] in _MEASURED or not _HOLDERS.isdisjoint(path)
        if measured and isinstance(value, str | int | float) and repr(str(value)) == shown:
            return dotted(path)
    return ""


_MEASURED = frozenset(("value", "averageValue", "tolerance", "window"))  # members that hold a quantity or a duration
_HOLDERS = frozenset(("requests", "usage", "controller"))  # members all of whose members do


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, (*path, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _leaves(part, (*path, number))
    else:
        yield path, value
