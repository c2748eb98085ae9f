"""Driving the loop: lead, remember, turn after turn on the grid of the interval, until told to stop.

A turn that overruns the grid, a process that was suspended and a clock that was set forward all pass moments by: they
are skipped and counted, never queued.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable

import structlog

from podium.ledger import errors as ledger_errors
from podium.ledger.lease import Leadership
from podium.ledger.ledger import Ledger
from podium.loop.cycle import Cycle, Turned
from podium.loop.early import Early
from podium.loop.pace import Pace, next_moment, passed_by, reached
from podium.loop.tell import facts
from podium.loop.tell.live import Live
from podium.loop.tracing import UNTOLD, Tracer
from podium.signals.push.store import moment as floored

RETRY_SECONDS = 1.0
log = structlog.get_logger()


async def lead(ledger: Ledger, holder: str, ttl_seconds: float, live: Live, *, above: int = 0) -> Leadership:
    """Wait until this process leads, under an epoch above `above`. While another does, that is said, once for each."""
    said = ""
    while True:
        try:
            return await asyncio.to_thread(functools.partial(ledger.lead, holder, ttl_seconds, above=above))
        except (ledger_errors.Led, ledger_errors.Temporary) as error:
            who = error.who if isinstance(error, ledger_errors.Led) else str(error)
            live.waiting(f"waiting to lead: {error}")
            if who != said:
                log.info("waiting to lead", reason=str(error))
            said = who
            await asyncio.sleep(min(RETRY_SECONDS, ttl_seconds / 4))


async def drive(
    cycle: Cycle,
    pace: Pace,
    interval_seconds: float,
    live: Live,
    after_turn: Callable[[Turned, int], None],
    tracer: Tracer = UNTOLD,
    early: Early | None = None,
) -> None:
    """Turn after turn, until cancelled. `after_turn` gets each, and how many moments were skipped before it.

    `early` brings turns forward; without it they come on the grid alone.

    Raises StaleLeader when another leads, and what the ledger raises: what cannot be recorded is not done.
    """
    while True:
        asked = next_moment(pace(), cycle.last_at, interval_seconds)
        live.waiting("turn", asked)
        before = early is not None and await early.wait(asked, pace)
        if early is None:
            await pace.sleep_until(asked)
        if (now := pace()) < asked and not before:
            continue  # the clock was set back
        at = floored(now) if before else reached(asked, now, interval_seconds)
        skipped = passed_by(cycle.last_at, at, interval_seconds)
        began = time.monotonic()
        with tracer.span("turn") as span:
            turned = await cycle.turn(at)
            span.note(facts.of(turned, skipped))
        if early is not None:
            early.turned(turned, cycle.assignment.fleet, time.monotonic() - began, early=before)
        after_turn(turned, skipped)
