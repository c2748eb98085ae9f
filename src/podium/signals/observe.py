"""Sources asked, answers joined: one round of signals over the whole fleet.

Every distinct query is asked once, however many namespaces share it; each sees its own series alone. When a question
fails, its last reading stands in with its old timestamps, until they are too old; then the values are missing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from podium.model.arrays import UNKNOWN, Bools, Float64s
from podium.model.fleet import Fleet
from podium.model.snapshot import Level, Samples
from podium.signals.ask import Answer, Asker, Question
from podium.signals.bound import BoundSignal
from podium.signals.breaker import Breaker
from podium.signals.health import Counts, Health, counted, judged
from podium.signals.levels import Joined, join
from podium.signals.placement import Index, Names, Places, PodRows
from podium.signals.source import Reading, Source


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the signals say at `now` (n slots, p pods)."""

    sources: tuple[str, ...]  # the index of `Level.source`
    answered: Bools  # per source: did it answer everything it was asked this time?
    levels: dict[str, Level]  # signal name -> a row per slot
    samples: dict[str, Samples]  # signal name -> a row per pod, for signals of pods
    origins: dict[str, dict[int, str]]  # signal name -> {slot: "recorded: …" | "synthetic: …"}; absent: measured
    health: tuple[Health, ...]  # per source


class Glanced(Protocol):
    """A source that answers at once."""

    def newest(self, query: str, now: float) -> Reading:
        """See `Source.read`."""


class Observer:
    """Asks the sources and remembers, between rounds, what makes the next one cheap and calm."""

    def __init__(self, sources: Iterable[Source], breaker: Breaker | None = None) -> None:
        self._asker = Asker(sources, breaker or Breaker())
        self._health: dict[str, Health] = {}
        self._last: dict[Question, Reading] = {}
        self._places = Places()
        self._scopes: dict[tuple[str, frozenset[str]], tuple[Names, Bools]] = {}
        # 2,000 signals of 1,000 namespaces take 8 ms to put together, and are the same object from turn to turn.
        self._grouped: tuple[Sequence[BoundSignal], dict[BoundSignal, frozenset[str]]] = ((), {})

    async def observe(
        self, signals: Sequence[BoundSignal], fleet: Fleet, rows: PodRows, now: float, deadline_seconds: float
    ) -> Observed:
        """Ask everything that `signals` need, and join the answers. Takes the deadline at most.

        Raises ValueError for a signal whose source does not exist, and nothing of what sources raise.
        """
        return self.join(signals, await self.ask(signals, now, deadline_seconds), fleet, rows, now)

    async def ask(self, signals: Sequence[BoundSignal], now: float, deadline_seconds: float) -> dict[Question, Answer]:
        """The first half of `observe`, which needs no fleet: the cluster can be asked at the same time."""
        return await self._asker.ask([(one.source, one.query) for one in signals], now, deadline_seconds)

    def join(
        self,
        signals: Sequence[BoundSignal],
        answers: Mapping[Question, Answer],
        fleet: Fleet,
        rows: PodRows,
        now: float,
    ) -> Observed:
        """The second half: the answers over the fleet."""
        readings = self._last | {question: one for question, one in answers.items() if isinstance(one, Reading)}
        self._last = {question: readings[question] for question in answers if question in readings}
        self._places.keep(set(answers))
        board = _Board(self._asker.names, len(fleet), len(rows.pods))
        if signals is not self._grouped[0]:
            self._grouped = (signals, _together(signals))
        for signal, namespaces in self._grouped[1].items():
            question = (signal.source, signal.query)
            index = self._places.index(fleet, rows, signal.cluster)
            mine = self._scope(index, signal.cluster, namespaces)
            board.claim(signal, mine)
            if (reading := self._last.get(question)) is not None:
                placement = self._places.place(question, signal.cluster, index, reading.subjects)
                board.put(signal, join(reading, placement, mine, rows, signal, now))
                board.tell(signal, placement.origins(reading.origins), mine)
        self._health = {name: self._judged(name, answers, board.counts[name], now) for name in self._asker.names}
        return board.observed(tuple(self._health.values()))

    def glance(self, sources: Mapping[str, Glanced], fleet: Fleet, rows: PodRows, now: float) -> dict[str, Float64s]:
        """Signal name -> [n] values that `sources` would give in a round now. Nothing is asked, judged or remembered.

        The signals are those of the last round; all others, and what is missing, are NaN.
        """
        out: dict[str, Float64s] = {}
        for signal, namespaces in self._grouped[1].items():
            if signal.source not in sources:
                continue
            index = self._places.index(fleet, rows, signal.cluster)
            mine = self._scope(index, signal.cluster, namespaces)
            reading = sources[signal.source].newest(signal.query, now)
            question = (signal.source, signal.query)
            placement = self._places.place(question, signal.cluster, index, reading.subjects)
            joined = join(reading, placement, mine, rows, signal, now)
            value = out.setdefault(signal.name, np.full(len(fleet), np.nan))
            value[joined.seen] = joined.value[joined.seen]
        return out

    def _scope(self, index: Index, cluster: str, namespaces: frozenset[str]) -> Bools:
        """[n] slots of these namespaces."""
        known = self._scopes.get((cluster, namespaces))
        if known is None or known[0] is not index.names:
            names = index.names
            mine = np.fromiter((name in namespaces for name in names.namespaces), np.bool_, len(names.namespaces))
            self._scopes = {key: value for key, value in self._scopes.items() if value[0] is names or key[0] != cluster}
            known = self._scopes[cluster, namespaces] = (names, mine)
        return known[1]

    def _judged(self, name: str, answers: Mapping[Question, Answer], counts: Counts, now: float) -> Health:
        own = [answer for (source, _), answer in answers.items() if source == name]
        seconds = self._asker.seconds.get(name, float("nan"))
        return judged(name, self._health.get(name), own, counted(own) + counts, now, seconds)

    async def close(self) -> None:
        """Close every source."""
        await self._asker.close()


def _together(signals: Sequence[BoundSignal]) -> dict[BoundSignal, frozenset[str]]:
    """Signals alike in all but their namespace -> the namespaces: one pass over the series serves them all."""
    groups: dict[BoundSignal, set[str]] = {}
    for signal in signals:
        groups.setdefault(dataclasses.replace(signal, namespace=""), set()).add(signal.namespace)
    return {signal: frozenset(namespaces) for signal, namespaces in groups.items()}


class _Board:
    """The arrays of one round, filled signal by signal. Signals of one name in two namespaces share a level."""

    def __init__(self, sources: tuple[str, ...], size: int, pods: int) -> None:
        self._sources = {name: number for number, name in enumerate(sources)}
        self._size, self._pods = size, pods
        self._levels: dict[str, Level] = {}
        self._samples: dict[str, Samples] = {}
        self._origins: dict[str, dict[int, str]] = {}
        self.counts = dict.fromkeys(sources, Counts())

    def claim(self, signal: BoundSignal, mine: Bools) -> None:
        """Whose the slots `mine` are, whether or not it answers."""
        level = self._levels.get(signal.name)
        if level is None:
            level = Level(
                np.full(self._size, np.nan), np.full(self._size, np.nan), np.full(self._size, UNKNOWN, np.int32)
            )
            self._levels[signal.name] = level
        level.source[mine] = self._sources[signal.source]
        if signal.of == "pods" and signal.name not in self._samples:
            none = np.full(self._pods, UNKNOWN, np.int64)
            self._samples[signal.name] = Samples(
                none, np.full(self._pods, np.nan), np.full(self._pods, signal.window_seconds)
            )

    def put(self, signal: BoundSignal, joined: Joined) -> None:
        """What the signal's source said."""
        level = self._levels[signal.name]
        level.value[joined.seen], level.at[joined.seen] = joined.value[joined.seen], joined.at[joined.seen]
        if joined.samples is not None:
            samples, new = self._samples[signal.name], joined.samples
            there = ~np.isnan(new.at)
            samples.milli[there], samples.at[there] = new.milli[there], new.at[there]
            samples.window[there] = new.window[there]
        self.counts[signal.source] += Counts(
            matched=joined.matched, stale=joined.stale, garbage=joined.garbage, unmeasured=joined.unmeasured
        )

    def tell(self, signal: BoundSignal, origins: Mapping[int, str], mine: Bools) -> None:
        """Where recorded values come from."""
        if origins:
            own = {slot: origin for slot, origin in origins.items() if mine[slot]}
            self._origins.setdefault(signal.name, {}).update(own)

    def observed(self, health: tuple[Health, ...]) -> Observed:
        return Observed(
            sources=tuple(self._sources),
            answered=np.array([one.answered for one in health], np.bool_),
            levels=self._levels,
            samples=self._samples,
            origins=self._origins,
            health=health,
        )
