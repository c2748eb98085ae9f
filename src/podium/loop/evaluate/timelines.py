"""Timelines: the whole controller, tick by tick. Timelines of one rhythm are reconciled together, a slot each."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from podium.loop.decide import horizontal, metrics, policies
from podium.loop.decide.draft import Draft, Policy, Turn
from podium.loop.decide.state import NONE, empty_state
from podium.loop.decide.table import PolicyTable
from podium.loop.evaluate import fleet, labels, rows, troubles
from podium.loop.evaluate.admission import Admitted
from podium.loop.evaluate.autoscaler import defaulted
from podium.loop.evaluate.cases import Line, Tick
from podium.loop.evaluate.controller import Condition, Kept, Proposed, Turned, shown
from podium.loop.evaluate.rows import Rows, Scene
from podium.loop.evaluate.rules import Ruled, Settings, ruled
from podium.loop.evaluate.states import ZERO
from podium.model.arrays import UNKNOWN, Bools
from podium.model.clock import rfc3339
from podium.model.decision import Decisions, Reason
from podium.model.snapshot import Snapshot

_SAID = frozenset(
    map(int, (Reason.STABILISED_DOWN, Reason.STABILISED_UP, Reason.RATE_LIMITED_UP, Reason.RATE_LIMITED_DOWN))
)  # the reasons that an HPA's conditions speak of


Entry = tuple[float, bool]  # a recommendation: its moment, and whether it is the size at the first sight


class Status(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """The HPA's status in the shape of the answer."""

    current_replicas: int
    desired_replicas: int
    last_scale_time: str | None = None
    conditions: list[Condition]
    current_metrics: list[dict[str, object]] | None = None


class Reconciled(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What one reconciliation left behind."""

    at: int
    replicas: int
    wrote: int | None = None
    status: Status
    error: str = ""


class _Track:
    """One timeline on its way: the present world, the present spec, and what the controller keeps."""

    def __init__(self, admitted: Admitted, settings: Settings) -> None:
        line = admitted.line
        assert line.ticks is not None  # noqa: S101  a timeline has ticks
        self.line, self.settings = line, settings
        self.ticks, self.end = line.ticks, line.ticks[-1].at
        self.number = 0
        self.replicas = 1
        self.existing: int | None = None
        self.namespace = line.hpa.metadata.namespace
        self.scene = Scene()
        self.kept = Kept(line.hpa.status, self.namespace, to_zero=line.gate("HPAScaleToZero"))
        self.answers: list[Reconciled] = []
        self.remembered: list[Entry] = []
        self.ruled: Ruled = ruled(admitted.spec, settings)
        self.selector_problem = ""
        self._change(line, anew=True)

    def begin(self, at: int) -> tuple[bool, bool]:
        """Take over the tick of this second, if there is one. Answers whether the rows and the rules are new."""
        self.existing = None
        if self.number >= len(self.ticks) or self.ticks[self.number].at != at:
            return False, False
        tick = self.ticks[self.number]
        self.number += 1
        if tick.spec is not None:
            spec = defaulted(tick.spec, tolerances=self.line.gate("HPAConfigurableTolerance"))
            self.ruled = ruled(spec, self.settings)
        return self._change(tick, anew=tick.spec is not None), tick.spec is not None

    def _change(self, world: Line | Tick, *, anew: bool = False) -> bool:
        metrics = world.metrics
        given: dict[str, Any] = {
            "selector": world.selector,
            "pods": world.pods,
            "pod_metrics": metrics.pods,
            "custom": metrics.custom,
            "external": metrics.external,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        self.scene = dataclasses.replace(self.scene, **changes)
        self.existing = world.status_replicas
        if world.replicas is not None:
            self.replicas = world.replicas
        if anew or changes:
            self.selector_problem = _selector_problem(self.scene.selector)
            scene = (
                dataclasses.replace(self.scene, selector=rows.DEFAULT_SELECTOR) if self.selector_problem else self.scene
            )
            self.rows: Rows = rows.seen(scene, self.ruled.asked, self.namespace)
            return True
        return False

    def remember(self, now: float) -> Entry | None:
        """Take this moment's recommendation into the list as upstream does; answers the one that it overwrites.

        Of those that no window sees any more it is the last in the list. The others stay, and count if a window grows.
        """
        window = self.settings.window
        if self.ruled.behaved:
            window = max(self.ruled.up.window, self.ruled.down.window)
        outdated = [place for place, (at, _) in enumerate(self.remembered) if now - at > window]
        if not outdated:
            self.remembered.append((now, False))
            return None
        overwritten = self.remembered[outdated[-1]]
        self.remembered[outdated[-1]] = (now, False)
        return overwritten

    @property
    def status_replicas(self) -> int:
        """`status.replicas` of the scale in this tick."""
        return self.rows.existing if self.existing is None else self.existing


def _selector_problem(text: str) -> str:
    """What the controller says of a selector that it cannot use; "" of one that it can."""
    if not text:
        return "selector is required"
    try:
        labels.parse(text)
    except ValueError as error:
        return f"couldn't convert selector into a corresponding internal selector object: {error}"
    return ""


def reconcile(admitted: Sequence[Admitted], settings: Settings, *, full: bool) -> list[list[Reconciled]]:
    """All reconciliations of timelines with the same beginning and rhythm. `full`: with messages and metrics."""
    tracks = [_Track(one, settings) for one in admitted]
    first, step = tracks[0].ticks[0].at, tracks[0].line.tick_seconds
    stage = _Stage(tracks, settings)
    for at in range(first, max(track.end for track in tracks) + 1, step):
        stage.turn(at, full=full)
    return [track.answers for track in tracks]


class _Stage:
    """Tracks side by side, and what the policies remember of them."""

    def __init__(self, tracks: list[_Track], settings: Settings) -> None:
        self._tracks, self._settings = tracks, settings
        self._state = empty_state(len(tracks))
        self._began = ZERO + tracks[0].ticks[0].at
        self._rules = self._table()

    def _table(self) -> PolicyTable:
        can_select = [not track.selector_problem for track in self._tracks]
        return fleet.table([track.ruled for track in self._tracks], self._settings, can_select)

    def turn(self, at: int, *, full: bool) -> None:
        """One reconciliation of every track that is not at its end."""
        alive = [track for track in self._tracks if at <= track.end]
        news = [track.begin(at) for track in alive]
        if any(rules or rows for rows, rules in news):
            self._rules = self._table()
        live = np.array([at <= track.end for track in self._tracks], np.bool_)
        replicas = np.where(live, [track.replicas for track in self._tracks], UNKNOWN).astype(np.int64)
        existing = np.array([track.status_replicas for track in self._tracks], np.int64)
        now = ZERO + at
        seen = fleet.snapshot(now, [track.rows for track in self._tracks], replicas, existing)
        returning = np.array([track.kept.is_returning(track.ruled) for track in self._tracks], np.bool_)
        proposals, decisions = self._decide(seen, returning)
        told = _told(decisions, len(self._tracks))
        proposed = self._proposed(proposals)
        for slot, track in enumerate(self._tracks):
            if at <= track.end:
                wanted = int(decisions.replicas[slot])
                turned = Turned(now, track.replicas, wanted, proposed[slot], told[slot], track.selector_problem)
                track.kept.reconcile(track.ruled, turned)
                track.answers.append(_answer(track, at, wanted, full=full))
                track.replicas = wanted
        self._forget(now)
        written = np.where(live & (decisions.replicas != replicas), decisions.replicas, UNKNOWN)
        # In force is the behaviour of this tick; the next one may have another.
        self._state = horizontal.scaled(self._state, self._rules, written, replicas)

    def _decide(self, seen: Snapshot, returning: Bools) -> tuple[list[metrics.Proposals], Decisions]:
        """The live loop's own policies as far as they are the HPA's, and what each metric proposed on the way."""
        heard: list[metrics.Proposals] = []

        def follow(turn: Turn, draft: Draft) -> Draft:
            heard.extend(metrics.propose(turn, group) for group in turn.table.metrics)
            return horizontal.follow(turn, draft, heard)

        order: tuple[Policy, ...] = (
            functools.partial(horizontal.observed, returning=returning),
            horizontal.within_bounds,
            follow,
            horizontal.stabilise,
            horizontal.limit_rate,
            horizontal.within_limits,
        )
        size = len(returning)
        nothing = fleet.nothing_ahead(size, seen.now)
        self._state, decisions = policies.decide(self._state, seen, nothing, self._rules, np.zeros(size), order=order)
        return heard, decisions

    def _forget(self, now: float) -> None:
        """The live loop remembers every proposal that a window can see; what upstream overwrote must go here."""
        made = self._state.recommended
        values = made.value.copy()
        for slot in np.flatnonzero(values[-1] != NONE).tolist():
            track = self._tracks[slot]
            if not track.remembered:
                track.remembered.append((self._began, True))
            overwritten = track.remember(now)
            if overwritten is not None:
                at, is_first_size = overwritten
                rows_then = np.flatnonzero(made.at == at)  # none, if it is older than any window can be
                values[rows_then[:1] if is_first_size else rows_then[-1:], slot] = NONE
        self._state = dataclasses.replace(self._state, recommended=dataclasses.replace(made, value=values))

    def _proposed(self, proposals: Sequence[metrics.Proposals]) -> list[list[Proposed]]:
        out: list[list[Proposed]] = [[] for _ in self._tracks]
        for group, answer in zip(self._rules.metrics, proposals, strict=True):
            columns = (group.slots, group.position, answer.replicas, answer.usage, answer.percent, answer.trouble)
            for slot, position, wanted, usage, percent, trouble in zip(*(one.tolist() for one in columns), strict=True):
                track = self._tracks[slot]
                asked = track.ruled.asked[position]
                error = troubles.told(asked, trouble, track.rows, track.scene, track.namespace) if trouble else ""
                out[slot].append(Proposed(asked, wanted, usage, percent, error))
        return out


def _told(decisions: Decisions, size: int) -> list[dict[int, float]]:
    """Per slot, the reasons that conditions speak of, each with its number b."""
    out: list[dict[int, float]] = [{} for _ in range(size)]
    reasons = decisions.reasons
    for slot, code, number in zip(reasons.slot.tolist(), reasons.code.tolist(), reasons.b.tolist(), strict=True):
        if code in _SAID:
            out[slot][code] = number
    return out


def _answer(track: _Track, at: int, wanted: int, *, full: bool) -> Reconciled:
    kept = track.kept
    conditions = kept.conditions
    return Reconciled(
        at=at,
        replicas=wanted,
        wrote=wanted if wanted != track.replicas else None,
        status=Status(
            current_replicas=kept.current,
            desired_replicas=kept.desired,
            last_scale_time=None if kept.scaled_at is None else rfc3339(kept.scaled_at.timestamp()),
            conditions=list(conditions)
            if full
            else [Condition(one.type, one.status, one.reason) for one in conditions],
            current_metrics=[shown(one) for one in kept.measured] if full and kept.measured else None,
        ),
        error=kept.error,
    )
