"""Calendar: what people know of and no past shows, such as a sale, a launch, a broadcast or a holiday."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from podium.documents.document import Document
from podium.documents.kubernetes import LabelSelector, TargetRef
from podium.documents.shape import Objection, Shape
from podium.documents.values import PositiveSeconds, TimeZone, int_or_string, unexpected, written_as
from podium.loop.calendar.holidays import Holidays
from podium.loop.policy import HOMES, grouped
from podium.model import clock

LEAD: Literal["lead"] = "lead"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?")
_FACTOR = re.compile(r"x?(\d+(?:\.\d+)?)")
_EXAMPLE = "a date and a time such as 2026-11-27T09:00, on the clocks of timeZone unless it ends in an offset"


def _moment(value: str) -> str:
    if _MOMENT.fullmatch(value) is None:
        raise unexpected(_EXAMPLE)
    try:
        year = datetime.datetime.fromisoformat(value).year
    except ValueError:
        raise unexpected("a date and a time that exist, as in 2026-11-27T09:00") from None
    if not 1970 < year < 2200:
        raise unexpected("a year between 1971 and 2199")
    return value


Moment = Annotated[str, pydantic.AfterValidator(_moment), written_as(_MOMENT.pattern, 32)]
"""A moment as people write it."""


def _factor(value: object) -> float:
    match = _FACTOR.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        factor = float(match[1])
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        factor = float(value)
    else:
        raise unexpected("how many times the usual load, as in x3")
    if not 1 <= factor <= 10_000:
        raise unexpected("at least x1, for an event lowers nothing, and at most x10000")
    return factor


Factor = Annotated[
    float,
    BeforeValidator(_factor),
    PlainSerializer(lambda value: f"x{value:g}", return_type=str),
    WithJsonSchema(int_or_string(r"^x?[0-9]+(\.[0-9]+)?$", "How many times the usual load, as in x3.")),
]
"""How many times the usual load."""


def _before(value: object) -> float | str:
    if value == LEAD:
        return LEAD
    try:
        seconds = clock.parse_duration(value) if isinstance(value, str) else value
    except ValueError:
        seconds = None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e7:
        raise unexpected("lead, or a duration such as 30m")
    return float(seconds)


Before = Annotated[
    float | Literal["lead"],
    BeforeValidator(_before),
    PlainSerializer(lambda value: value if value == LEAD else clock.duration(value), return_type=str),
    WithJsonSchema(
        int_or_string(
            r"^(lead|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+)$", "`lead`, or a duration such as 30m or 1h."
        )
    ),
]
"""Seconds, or `lead`."""


class Announced(Shape):
    """One event: when it is, and what it brings. It raises what is prepared for, and never lowers anything."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """What people call it; reasons name it."""
    start: Moment
    """When the load comes."""
    end: Moment | None = None
    """When it is over; either this or `for`."""
    duration: Annotated[PositiveSeconds | None, Field(alias="for")] = None
    """How long it lasts, in real time."""
    expect: Factor | None = None
    """How many times the usual load of that hour of the week comes, as in x3."""
    at_least: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """The load that comes at least, in the unit of the policy's load."""
    before: Before = LEAD
    """How long before its start it is prepared for: `lead`, the workload's own time to a ready pod, or a duration."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        unlike = "!(size(self.start) in [16, 19]) || size(self.end) != size(self.start)"
        return (
            ("has(self.end) != has(self.__for__)", "either end or for"),  # a word of CEL is escaped so
            ("has(self.expect) || has(self.atLeast)", "expect, atLeast or both"),
            # Of two moments on one clock the later one reads later, letter by letter.
            (
                f"!has(self.end) || {unlike} || self.end.replace(' ', 'T') > self.start.replace(' ', 'T')",
                "end is after start",
            ),
        )

    def objections(self) -> Iterator[Objection]:
        """It ends once, and brings something."""
        if self.end is None and self.duration is None:
            yield Objection(("end",), "when it is over: end, or for")
        if self.end is not None and self.duration is not None:
            yield Objection(("for",), "nothing here, because end is written")
        if self.expect is None and self.at_least is None:
            yield Objection(("expect",), "what it brings: expect, as in x3, or atLeast")

    def span(self, zone: str) -> tuple[float, float]:
        """Unix seconds of its start and end; moments without an offset hang on the clocks of `zone`."""
        begin = instant(self.start, zone)
        return begin, instant(self.end, zone) if self.end is not None else begin + (self.duration or 0.0)


def instant(moment: str, zone: str) -> float:
    """Unix seconds. In an hour that comes twice the first is meant; one that is skipped begins when it is over."""
    written = datetime.datetime.fromisoformat(moment)
    if written.tzinfo is not None:
        return written.timestamp()
    clocks = zoneinfo.ZoneInfo(zone)
    there = written.replace(tzinfo=clocks)
    at = int(there.timestamp())
    if datetime.datetime.fromtimestamp(at, clocks).replace(tzinfo=None) == written:
        return float(at)
    # It is skipped: the readings of both sides lie around the leap, which is found to the second.
    low, high = int(there.replace(fold=1).timestamp()), at
    before = datetime.datetime.fromtimestamp(low, clocks).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        still = datetime.datetime.fromtimestamp(middle, clocks).utcoffset() == before
        low, high = (middle, high) if still else (low, middle)
    return float(high)


class CalendarSpec(Shape):
    """Events and holidays of the workloads of the namespace."""

    target_ref: TargetRef | None = None
    """The one workload they belong to; without it and a selector, every workload of the namespace with a policy."""
    selector: LabelSelector | None = None
    """The ScalingPolicies of the namespace whose labels match."""
    time_zone: TimeZone = "UTC"
    """Where the clocks hang that `start` and `end` are read on, and by which the usual load of an hour is known."""
    events: Annotated[tuple[Announced, ...], Field(max_length=500)] = ()
    """What is announced."""
    holidays: Holidays | None = None
    """Days whose load is not that of their weekday."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (
            ("!(has(self.targetRef) && has(self.selector))", "either targetRef or selector"),
            ("(has(self.events) && size(self.events) > 0) || has(self.holidays)", "events, holidays or both"),
            (f"!has(self.targetRef) || ({grouped('self.targetRef')})", "apiVersion of the target, as in apps/v1"),
        )

    def told(self) -> tuple[Announced | Holidays, ...]:
        """Everything it says, in the order in which reasons number it."""
        return self.events if self.holidays is None else (*self.events, self.holidays)

    def objections(self) -> Iterator[Objection]:
        """One way to name the workloads; something to say; every event ends after it starts."""
        if not self.events and self.holidays is None:
            yield Objection(("events",), "what is announced: events, holidays, or both")
        if self.target_ref is not None and self.selector is not None:
            yield Objection(("selector",), "nothing here, because targetRef is written")
        if self.target_ref is not None:
            group = HOMES.get(self.target_ref.kind.casefold())
            if group is not None and not self.target_ref.group:
                expected = f"apiVersion, as in {group} for a {self.target_ref.kind}"
                yield Objection(("targetRef", "apiVersion"), expected)
        for number, event in enumerate(self.events):
            start, end = event.span(self.time_zone)
            if end <= start:
                yield Objection(("events", number, "end"), f"after its start, {event.start}")


class Calendar(Document):
    """Announced events and holidays of workloads of the document's namespace."""

    plural: ClassVar[str] = "calendars"
    short_names: ClassVar[tuple[str, ...]] = ("pcal",)
    columns: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("TimeZone", "string", ".spec.timeZone"),
        ("First", "string", ".spec.events[0].name"),
        ("Start", "string", ".spec.events[0].start"),
    )

    kind: Literal["Calendar"] = "Calendar"
    spec: CalendarSpec

    def means(self, namespace: str, target: TargetRef, labels: Mapping[str, str]) -> bool:
        """Whether it speaks of the workload of a ScalingPolicy with these labels in that namespace."""
        if namespace != self.namespace:
            return False
        one = self.spec.target_ref
        if one is not None:
            return (one.kind.casefold(), one.group, one.name) == (target.kind.casefold(), target.group, target.name)
        return self.spec.selector is None or _matches(self.spec.selector, labels)


def _matches(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """As Kubernetes has it: every line holds; NotIn and DoesNotExist hold where the label is missing."""
    if any(labels.get(name) != value for name, value in selector.match_labels.items()):
        return False
    for line in selector.match_expressions:
        value = labels.get(line.key)
        holds: Any = {
            "In": value is not None and value in line.values,
            "NotIn": value is None or value not in line.values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[line.operator]
        if not holds:
            return False
    return True
