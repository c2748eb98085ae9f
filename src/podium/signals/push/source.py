"""The source `push`: what senders told us, read from memory. Asking it costs no wire; it is never waited for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import msgspec
import numpy as np

from podium.model.arrays import Bools, Int64s
from podium.signals.prometheus import subject_of
from podium.signals.push.batch import Batch, Labels
from podium.signals.push.question import Pushed
from podium.signals.push.remote_write import Decoder
from podium.signals.push.store import Store, Taken
from podium.signals.source import Permanent, Reading, Subject

MOST_SERIES = 200_000


@dataclasses.dataclass(slots=True)
class _Seen:
    """The series of a question, until others come or go."""

    change: int
    slots: Int64s
    subjects: tuple[Subject, ...]
    unplaced: int
    known: Bools  # which of them were in the last answer
    answered: tuple[Subject, ...]  # the subjects of these


class PushSource:
    """A Source over what was pushed. `take` is called by a door, in the event loop, with what it decoded."""

    def __init__(self, name: str, most: int = MOST_SERIES) -> None:
        self.name = name
        self.store = Store(most)
        self.decoder = Decoder(most)
        self.total = Taken()
        self._last = Taken()
        self._asked: dict[str, Pushed] = {}
        self._seen: dict[str, _Seen] = {}
        self._listeners: list[Callable[[], None]] = []

    def listen(self, told: Callable[[], None]) -> Callable[[], None]:
        """Call `told` after every push that brought something, until the answer is called."""
        self._listeners.append(told)
        return lambda: self._listeners.remove(told)

    def take(self, batch: Batch, now: float) -> Taken:
        """Take a request that came at `now`. Raises store.Full, having taken nothing."""
        taken = self.store.take(batch, now)
        self.total, self._last = self.total + taken, taken
        if taken.taken:
            for told in list(self._listeners):
                told()
        return taken

    async def read(self, query: str, now: float) -> Reading:
        """See the port. Raises Permanent for what is no question of ours."""
        return self.newest(query, now)

    def newest(self, query: str, now: float) -> Reading:
        """The same at once."""
        asked = self._question(query)
        seen = self._series(query, asked)
        known, values, at = self.store.newest(seen.slots, now, rate=asked.rate)
        if not np.array_equal(known, seen.known):
            chosen = np.flatnonzero(known).tolist()
            seen.known, seen.answered = known, tuple(seen.subjects[row] for row in chosen)
        return Reading(seen.answered, values[known], at[known], seen.unplaced, self._notes())

    async def close(self) -> None:
        """Nothing is open."""

    def _question(self, query: str) -> Pushed:
        found = self._asked.get(query)
        if found is None:
            try:
                found = msgspec.json.decode(query, type=Pushed)
            except msgspec.DecodeError as error:
                raise Permanent(f"{self.name}: {query!r} names no pushed metric ({error})") from error
            self._asked[query] = found
        return found

    def _series(self, query: str, asked: Pushed) -> _Seen:
        change, series = self.store.series(asked.metric)
        seen = self._seen.get(query)
        if seen is not None and seen.change == change:
            return seen
        wanted = set(asked.match)
        found = {slot: _subject(labels) for slot, labels in series.items() if wanted.issubset(labels)}
        placed = {slot: subject for slot, subject in found.items() if subject is not None}
        slots, subjects = np.array(list(placed), np.int64), tuple(placed.values())
        if seen is not None and seen.subjects == subjects:
            subjects = seen.subjects
        made = _Seen(change, slots, subjects, len(found) - len(placed), np.ones(len(slots), np.bool_), subjects)
        self._seen[query] = made
        return made

    def _notes(self) -> tuple[str, ...]:
        last = self._last
        told = (
            (last.ahead, "values of the last push are from the future: is its sender's clock right?"),
            (last.ancient, "values of the last push are more than an hour old"),
        )
        return tuple(f"{count} {what}" for count, what in told if count)


def _subject(labels: Labels) -> Subject | None:
    return subject_of(dict(labels))
