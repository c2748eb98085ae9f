"""What could be given back: requests far above use, and replicas above need."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping

from podium.loop.backtest.advice import MONTH_HOURS, Advice
from podium.loop.survey import hpas
from podium.loop.survey.finding import Finding, amounts, cores, counted, memory, size
from podium.loop.survey.rows import Amounts, Fleet, Row

Money = Callable[[Amounts], int | None]  # micro-units an hour; None without prices

ROOM = 1.25  # over the fullest pod: it would be used to 80 %
HALF = 0.5  # a request that is used to more than this is left alone: one look says little of peaks
LEAST_CPU, LEAST_MEMORY = 10, 32 * 2**20  # of a request; less is not worth the risk


def savings(fleet: Fleet, peaks: Mapping[str, Amounts], advice: Mapping[str, Advice], money: Money) -> list[Finding]:
    """The largest first; of each workload the largest alone, for one undoes another. `peaks` are those of a history."""
    best: dict[str, Finding] = {}
    for row in fleet.rows:
        known = advice.get(row.shown)
        for found in (
            *_requests(row, fleet.window_seconds, peaks.get(row.shown)),
            *_minimum(row),
            *_replayed(row, known),
        ):
            there = best.get(row.shown)
            if there is None or found.weight > there.weight:
                best[row.shown] = found
    priced = [_priced(one, money) for one in best.values()]
    return sorted(priced, key=lambda one: (-(one.saved_micro or 0), -one.weight, one.workload))


def _priced(one: Finding, money: Money) -> Finding:
    hour = money(one.freed)
    return one if hour is None else dataclasses.replace(one, saved_micro=round(hour * MONTH_HOURS))


def _requests(row: Row, window: float, past: Amounts | None) -> Iterator[Finding]:
    """Requests of which even the fullest pod uses less than half."""
    cpu, seen = row.peak("cpu"), f"in one reading of {window:.0f} s" if math.isfinite(window) else ""
    if past is not None and past.cpu is not None and cpu is not None:
        cpu, seen = max(cpu, past.cpu), "in 999 of 1000 minutes of the history"
    elif past is not None and past.cpu is not None:
        cpu, seen = past.cpu, "in 999 of 1000 minutes of the history"
    words, freed = [], {}
    most, when = row.peak("memory"), "now"
    if row.most_memory is not None:
        most, when = max(row.most_memory, most or 0), "at most, lately"
    parts = (("cpu", cpu, LEAST_CPU, cores, seen), ("memory", most, LEAST_MEMORY, memory, when))
    for resource, used, least, shown, ever in parts:
        asked = getattr(row.request, resource)
        if used is None or asked is None or used >= HALF * asked:
            continue
        enough = max(math.ceil(used * ROOM), least)
        if enough < asked:
            freed[resource] = (asked - enough) * row.replicas
            words.append(f"{resource}: {shown(asked)} requested, the fullest pod used {shown(used)} {ever}")
    amount = Amounts(freed.get("cpu"), freed.get("memory"))
    if not words or not size(amount):
        return
    pods = counted(row.replicas, "pod")
    yield Finding(
        code="requests-above-use",
        workload=row.shown,
        what=f"requests far above use frees {amounts(amount)}",
        evidence=f"{pods}, {'; '.join(words)}",
        remedy="watch it for a week, then lower the requests"
        if past is None
        else "lower the requests to a quarter above the peak",
        weight=size(amount),
        freed=amount,
    )


def _minimum(row: Row) -> Iterator[Finding]:
    """An HPA that holds more replicas than its own metrics ask for, because its minimum says so."""
    if len(row.hpas) != 1:
        return
    (hpa,) = row.hpas
    wanted, lowest = hpas.asked_for(hpa), hpa.spec.minimum
    if wanted is None or hpa.status.current_replicas != lowest or not 0 < wanted < lowest:
        return
    spare = lowest - wanted
    amount = Amounts(_times(row.request.cpu, spare), _times(row.request.memory, spare))
    if size(amount):
        yield Finding(
            code="minimum-above-need",
            workload=row.shown,
            what=f"{spare} replicas above need",
            evidence=f"HPA {hpa.metadata.name} holds its minimum of {lowest}; its metrics ask for {wanted} right now",
            remedy="lower minReplicas after a look at a busy day",
            weight=size(amount),
            freed=amount,
        )


def _replayed(row: Row, known: Advice | None) -> Iterator[Finding]:
    """Replicas that a replay of the history did not need."""
    if known is None or known.saved_hours <= 0:
        return
    spare = known.saved_hours / MONTH_HOURS
    amount = Amounts(_times(row.request.cpu, spare), _times(row.request.memory, spare))
    days = float(known.was.minutes.sum()) / 1440
    yield Finding(
        code="replicas-above-need",
        workload=row.shown,
        what=f"{spare:.1f} replicas fewer on average",
        evidence=f"{days:.1f} days replayed: {known.reasons()[0]}",
        remedy="podium adopt",
        weight=size(amount),
        freed=amount,
    )


def _times(amount: int | None, count: float) -> int | None:
    return None if amount is None else round(amount * count)
