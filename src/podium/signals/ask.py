"""One round of questions to all sources, side by side. A source that is slow or dead costs only its own answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from podium.model.clock import duration
from podium.signals.breaker import Breaker, Circuit
from podium.signals.source import Garbage, Late, Reading, Source, Temporary

Question: TypeAlias = tuple[str, str]  # (source, query)
Answer: TypeAlias = Reading | Exception


class Asker:
    """The sources and their circuit breakers."""

    def __init__(self, sources: Iterable[Source], breaker: Breaker) -> None:
        self._sources: dict[str, Source] = {source.name: source for source in sources}
        self._breakers = dict.fromkeys(self._sources, breaker)
        self.seconds: dict[str, float] = {}  # how long each source took in the last round; absent: not asked
        self._why: dict[str, Temporary] = {}  # a source's last failure, told again while its circuit is open

    @property
    def names(self) -> tuple[str, ...]:
        """The sources, in their order."""
        return tuple(self._sources)

    async def ask(self, questions: Iterable[Question], now: float, deadline_seconds: float) -> dict[Question, Answer]:
        """Every question once, all at the same time: a reading, or the error that came instead.

        Raises ValueError for a question to a source that does not exist.
        """
        by_source: dict[str, list[str]] = {}
        for source, query in dict.fromkeys(questions):
            by_source.setdefault(source, []).append(query)
        if unknown := by_source.keys() - self._sources.keys():
            there = ", ".join(self._sources) or "none"
            raise ValueError(f"no source {', '.join(sorted(unknown))}; there are: {there}")
        self.seconds = {}
        end = asyncio.get_running_loop().time() + deadline_seconds
        rounds = [self._ask_source(self._sources[name], queries, now, end) for name, queries in by_source.items()]
        return {
            (name, query): answer
            for name, answers in zip(by_source, await asyncio.gather(*rounds), strict=True)
            for query, answer in answers.items()
        }

    async def _ask_source(self, source: Source, queries: Sequence[str], now: float, end: float) -> dict[str, Answer]:
        breaker = self._breakers[source.name]
        circuit = breaker.circuit(now)
        if circuit is Circuit.OPEN:
            wait = duration(max(1.0, float(round(breaker.probe_at - now))))
            why = self._why[source.name]
            kind = Garbage if isinstance(why, Garbage) else Temporary  # what answers garbage is not silent
            return dict.fromkeys(queries, kind(f"{why} (asking again in {wait})"))
        began = time.perf_counter()
        first = queries[:1] if circuit is Circuit.HALF_OPEN else queries
        answers = await _ask_together(source, first, now, end)
        if circuit is Circuit.HALF_OPEN and isinstance(answers[queries[0]], Temporary):
            answers = dict.fromkeys(queries, answers[queries[0]])
        else:
            answers |= await _ask_together(source, queries[len(first) :], now, end)
        self.seconds[source.name] = time.perf_counter() - began
        self._remember(source.name, breaker, answers, now)
        return answers

    def _remember(self, name: str, breaker: Breaker, answers: dict[str, Answer], now: float) -> None:
        failures = [answer for answer in answers.values() if isinstance(answer, Temporary)]
        dead = len(failures) == len(answers)
        self._breakers[name] = breaker.failed(now) if dead else breaker.succeeded()
        if dead:
            self._why[name] = failures[0]

    async def close(self) -> None:
        """Close every source."""
        await asyncio.gather(*(source.close() for source in self._sources.values()))


async def _ask_together(source: Source, queries: Sequence[str], now: float, end: float) -> dict[str, Answer]:
    # A plugin's own mistake (a KeyError, say) is its answer, too: it must not take the other sources along.
    found = await asyncio.gather(*(_ask(source, query, now, end) for query in queries), return_exceptions=True)
    answers: dict[str, Answer] = {}
    for query, answer in zip(queries, found, strict=True):
        if isinstance(answer, BaseException) and not isinstance(answer, Exception):
            raise answer
        answers[query] = answer
    return answers


async def _ask(source: Source, query: str, now: float, end: float) -> Reading:
    """The answer until `end`. Whatever comes later is dropped, even of a source that does not let itself be stopped."""
    left = max(end - asyncio.get_running_loop().time(), 0.001)
    asking = asyncio.ensure_future(source.read(query, now))
    try:
        await asyncio.wait({asking}, timeout=left)
        if asking.done():
            return asking.result()
    finally:
        if not asking.done():
            asking.cancel()
            asking.add_done_callback(_drop)
    raise Late(f"no answer within {duration(left)}")


def _drop(asked: asyncio.Future[Reading]) -> None:
    """Nobody waits for it any more; an error of it is nobody's either."""
    if not asked.cancelled():
        asked.exception()
