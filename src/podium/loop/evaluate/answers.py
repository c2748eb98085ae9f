"""A stream of lines answered in their order: many lines of like settings in one call, a few thousand at a time."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from podium.loop.evaluate import cases, states, timelines
from podium.loop.evaluate.admission import Admitted, admit
from podium.loop.evaluate.rules import Settings

CHUNK_LINES = 2000
CHUNK_BYTES = 16 * 2**20  # a chunk's objects take some ten times its text


class Invalid(ValueError):
    """A line cannot be answered. The message names its number, the member and what was expected."""


class StateAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The answer to a state."""

    id: str
    invalid: tuple[str, ...] = ()
    metrics: Sequence[states.Proposal]


class TimelineAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The answer to a timeline."""

    id: str
    invalid: tuple[str, ...] = ()
    ticks: Sequence[timelines.Reconciled]


@dataclasses.dataclass(frozen=True, slots=True)
class _Read:
    """One line that was read, and where it stood."""

    number: int
    text: bytes
    admitted: Admitted
    settings: Settings


def answers(lines: Iterable[bytes], *, full: bool, at_once: int = CHUNK_LINES) -> Iterator[bytes]:
    """One answer for every line that is not blank, without its end of line. Raises Invalid.

    `at_once` lines are in memory; fewer when they are long.
    """
    encoder = msgspec.json.Encoder()
    for chunk in _chunks(lines, at_once):
        for answer in _answered([_read(number, text) for number, text in chunk], full=full):
            yield encoder.encode(answer)


def _chunks(lines: Iterable[bytes], at_once: int) -> Iterator[list[tuple[int, bytes]]]:
    chunk: list[tuple[int, bytes]] = []
    size = 0
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        chunk.append((number, text))
        size += len(text)
        if len(chunk) >= at_once or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _read(number: int, text: bytes) -> _Read:
    try:
        line = cases.read(text)
        given = line.controller
        settings = Settings.of(given.window, given.tolerance, given.initialization, given.readiness)
        return _Read(number, text, admit(line), settings)
    except cases.Wrong as error:
        raise Invalid(f"line {number}: {error}") from error
    except ValueError as error:
        raise _unreadable(number, text, error) from error


def _unreadable(number: int, text: bytes, error: ValueError) -> Invalid:
    """A text inside Kubernetes' objects that cannot be read: the first member that holds it is named."""
    shown = str(error).partition(" is not ")[0]
    place = cases.place_of(text, shown)
    return Invalid(f"line {number}: {f'{place}: ' if place else ''}{error}")


def _answered(chunk: Sequence[_Read], *, full: bool) -> Iterator[StateAnswer | TimelineAnswer]:
    found: dict[int, StateAnswer | TimelineAnswer] = {}
    for key, group in _alike(chunk).items():
        if key[0] is None:
            found |= _states(group)
        else:
            found |= _timelines(group, full=full)
    for one in chunk:
        yield found[one.number]


def _alike(chunk: Sequence[_Read]) -> dict[tuple[object, ...], list[_Read]]:
    """Lines that can be asked together: the same settings, for timelines also the same beginning and rhythm."""
    groups: dict[tuple[object, ...], list[_Read]] = collections.defaultdict(list)
    for one in chunk:
        line = one.admitted.line
        if line.ticks is None:  # of the settings, tolerances are each HPA's own, and a state has no window
            groups[None, one.settings.initialization, one.settings.readiness].append(one)
        else:
            groups[line.tick_seconds, line.ticks[0].at, one.settings].append(one)
    return groups


def _states(group: Sequence[_Read]) -> dict[int, StateAnswer | TimelineAnswer]:
    out: dict[int, StateAnswer | TimelineAnswer] = {}
    asked = []
    for one in group:
        admitted = one.admitted
        if admitted.invalid:
            out[one.number] = StateAnswer(id=admitted.line.id, invalid=admitted.invalid, metrics=())
            continue
        try:
            asked.append((one, states.asking(admitted, one.settings)))
        except ValueError as error:
            raise _unreadable(one.number, one.text, error) from error
    if asked:
        proposals = states.propose([asking for _, asking in asked], group[0].settings)
        for (one, _), proposed in zip(asked, proposals, strict=True):
            out[one.number] = StateAnswer(id=one.admitted.line.id, metrics=proposed)
    return out


def _timelines(group: Sequence[_Read], *, full: bool) -> dict[int, StateAnswer | TimelineAnswer]:
    out: dict[int, StateAnswer | TimelineAnswer] = {}
    for one in group:
        if one.admitted.invalid:
            out[one.number] = TimelineAnswer(id=one.admitted.line.id, invalid=one.admitted.invalid, ticks=())
    valid = [one for one in group if not one.admitted.invalid]
    try:
        answered = timelines.reconcile([one.admitted for one in valid], group[0].settings, full=full) if valid else []
    except ValueError as error:
        raise _who(valid, error, full=full) from error
    for one, ticks in zip(valid, answered, strict=True):
        out[one.number] = TimelineAnswer(id=one.admitted.line.id, ticks=ticks)
    return out


def _who(group: Sequence[_Read], error: ValueError, *, full: bool) -> Invalid:
    """Which of several lines asked together cannot be read: each is asked alone."""
    for one in group:
        try:
            timelines.reconcile([one.admitted], one.settings, full=full)
        except ValueError as own:
            return _unreadable(one.number, one.text, own)
    return Invalid(str(error))
