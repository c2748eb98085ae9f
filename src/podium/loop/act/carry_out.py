"""Carrying out commands: rechecked, then written, a bounded number at once. What fails is decided anew next turn."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
from collections.abc import Callable, Sequence

from podium.loop.clusters.port import Cluster, Conflict, Permanent, StaleLeader, Temporary
from podium.model.command import Scale

AT_ONCE = 32  # writes in flight: where a real API server on two cores stops getting faster


class Fate(enum.StrEnum):
    """What became of a command."""

    WRITTEN = "written"
    REFUSED = "refused"  # a precondition no longer held
    FAILED = "failed"  # the cluster did not or could not do it
    WITHHELD = "withheld"  # the recheck stopped it before it was sent


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """A command and its fate, with the cluster's own words where it was not written."""

    command: Scale
    fate: Fate
    words: str = ""


Recheck = Callable[[Scale], str]  # why a command must not be sent any more; "" lets it go


async def carry_out(cluster: Cluster, commands: Sequence[Scale], recheck: Recheck) -> tuple[Result, ...]:
    """Write every command that is still right, in any order. A stale leadership withholds all that are not yet sent."""
    gate = asyncio.Semaphore(AT_ONCE)
    stale: list[str] = []

    async def one(command: Scale) -> Result:
        async with gate:
            # Checked last, right before the write: the lease may have run out while this command waited its turn.
            reason = stale[0] if stale else recheck(command)
            if reason:
                return Result(command, Fate.WITHHELD, reason)
            try:
                await cluster.scale(command)
            except StaleLeader as error:
                stale.append(str(error))
                return Result(command, Fate.REFUSED, str(error))
            except Conflict as error:
                return Result(command, Fate.REFUSED, str(error))
            except (Temporary, Permanent) as error:
                return Result(command, Fate.FAILED, str(error))
            return Result(command, Fate.WRITTEN)

    return tuple(await asyncio.gather(*(one(command) for command in commands)))
