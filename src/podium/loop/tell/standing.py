"""How the sources stand: what each is called on the page, why, and which workloads do not go down because of it."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import numpy as np

from podium.loop.cycle import Turned
from podium.loop.decide.state import Trust
from podium.loop.decide.table import MetricGroup, PolicyTable
from podium.loop.decide.trust import measure
from podium.loop.tell.view import SourceRow
from podium.model import clock
from podium.model.arrays import UNKNOWN, Bools, Int64s
from podium.model.decision import Reason
from podium.model.fleet import Fleet

NAMED = 3  # workloads called by name in one sentence
MANY = 0.5  # share of a source's workloads without a value from which on it counts as silent

Where = Mapping[str, tuple[str, str]]  # source -> (kind, URL or file)


class Sources:
    """The sources in one turn: who asks them for what, and what they did not say."""

    def __init__(self, turned: Turned, table: PolicyTable, where: Where) -> None:
        self._turned = turned
        self._table = table
        self._where = where
        self._snapshot = turned.turn.snapshot

    def rows(self, fleet: Fleet) -> tuple[SourceRow, ...]:
        """Every source of signals, and the cluster last."""
        health = {one.name: one for one in self._turned.sight.health}
        out = []
        for number, name in enumerate(self._snapshot.sources):
            kind, place = self._where.get(name, ("cluster" if name not in health else "", ""))
            trouble = self._turned.sight.cluster_trouble if name not in health else ""
            state, since, words = ("silent", None, trouble) if trouble else ("ok", None, "")
            asked, held = self._asked[number], self._missing[number]
            if name in health:
                state, since, words = str(health[name].state), health[name].since, health[name].words
            if state == "ok" and name in self._doubts:
                state, since, words = self._doubts[name]
                held = asked
            elif state == "ok" and held.any():
                state = "silent" if held.sum() >= MANY * asked.sum() else "ok"
                words = _gone(np.flatnonzero(held), int(asked.sum()), fleet)
            row = SourceRow(
                name=name,
                kind=kind,
                where=place,
                state=state,
                since=since,
                words=_full(name, place, words),
                workloads=int(asked.sum()),
                held=int(held.sum()),
            )
            out.append(row)
        return tuple(out)

    @functools.cached_property
    def held(self) -> Bools:
        """[n] workloads that do not go down because of a source."""
        held = np.zeros(len(self._table), np.bool_)
        for number, name in enumerate(self._snapshot.sources):
            held |= self._asked[number] if name in self._doubts else self._missing[number]
        return held

    def holds(self, slot: int) -> tuple[str, ...]:
        """In words, which sources keep a workload from going down."""
        if not self.held[slot]:
            return ()
        said: dict[str, None] = {}  # a dict keeps the order and says nothing twice
        own = [(group, row) for group in self._table.metrics for row in np.flatnonzero(group.slots == slot).tolist()]
        for group, row in own:
            if self._unknown(group)[row]:
                name = self._snapshot.sources[self._told_by(group)[row]]
                said[f"{self._named(name, f'no value of {group.signal}')}; it does not go down"] = None
        for group, row in own:
            name = self._snapshot.sources[self._told_by(group)[row]]
            if name in self._doubts:
                said[self._named(name, f"is {self._doubts[name][0]}; it does not go down")] = None
        return tuple(said)

    def _named(self, name: str, words: str) -> str:
        return _full(name, self._where.get(name, ("", ""))[1], words)

    @functools.cached_property
    def _doubts(self) -> Mapping[str, tuple[str, float, str]]:
        found = {name: _doubt(trust, self._snapshot.now) for name, trust in self._turned.trust.items()}
        return {name: doubt for name, doubt in found.items() if doubt}

    @functools.cached_property
    def _asked(self) -> list[Bools]:
        """A mark per slot for each source: its policy uses one of the source's signals."""
        out = [np.zeros(len(self._table), np.bool_) for _ in self._snapshot.sources]
        for group in self._table.metrics:
            told_by = self._told_by(group)
            for number in np.unique(told_by).tolist():
                out[number][group.slots[told_by == number]] = True
        return out

    @functools.cached_property
    def _missing(self) -> list[Bools]:
        """A mark per slot for each source: it did not say what a policy uses."""
        out = [np.zeros(len(self._table), np.bool_) for _ in self._snapshot.sources]
        for group in self._table.metrics if len(self._unsaid) else ():
            unknown, told_by = self._unknown(group), self._told_by(group)
            for number in np.unique(told_by[unknown]).tolist():
                out[number][group.slots[unknown & (told_by == number)]] = True
        return out

    @functools.cached_property
    def _unsaid(self) -> Int64s:
        """(slot, position) of every metric that a policy uses and that is unknown, as one number each."""
        reasons = self._turned.turn.decisions.reasons
        missing = reasons.code == Reason.SIGNAL_MISSING
        return _pair(reasons.slot[missing], reasons.metric[missing])

    def _unknown(self, group: MetricGroup) -> Bools:
        return np.isin(_pair(group.slots, group.position), self._unsaid)

    def _told_by(self, group: MetricGroup) -> Int64s:
        """Who measures a group's signal, per row; the cluster, which is the last, when nobody else says so."""
        cluster = len(self._snapshot.sources) - 1
        level = self._snapshot.signals.get(measure(group))
        if level is None:
            return np.full(len(group.slots), cluster, np.int64)
        told_by = level.source[group.slots].astype(np.int64)
        return np.where(told_by == UNKNOWN, cluster, told_by)


def doubts(turned: Turned) -> dict[str, tuple[str, str]]:
    """Sources that are not believed: name -> (state, what it means)."""
    found = {name: _doubt(trust, turned.turn.snapshot.now) for name, trust in turned.trust.items()}
    return {name: (doubt[0], doubt[2]) for name, doubt in found.items() if doubt}


def _pair(slots: np.ndarray, positions: np.ndarray) -> Int64s:
    return slots.astype(np.int64) << 16 | positions.astype(np.int64)


def _doubt(trust: Trust | None, now: float) -> tuple[str, float, str] | None:
    """(state, since, words) of a source that answers and is not believed."""
    if trust is None:
        return None
    for state, since, what, told in (
        ("suspect", trust.suspect_since, "many of its values have leapt together", True),
        ("frozen", trust.frozen_since, "its values have stood still", trust.stands_still(now)),
    ):
        if told and not math.isnan(since):
            return state, since, f"{what}, for {clock.duration(round(now - since))} now; nothing goes down on its word"
    return None


def _gone(slots: Int64s, asked: int, fleet: Fleet) -> str:
    keys = [fleet.slots[slot].key for slot in slots[:NAMED].tolist()]
    names = ", ".join(f"{key.namespace}/{key.name}" for key in keys if key is not None)
    more = ", …" if len(slots) > NAMED else ""
    return f"no value for {len(slots)} of {asked} workloads ({names}{more}); they do not go down"


def _full(name: str, where: str, words: str) -> str:
    """A sentence with the source's name and, unless it is there already, its URL or file."""
    if not words:
        return ""
    plain = words.removeprefix(f"{name}: ")
    return f"{name}: {plain}" if not where or where in plain else f"{name}: {where}: {plain}"
