"""Giving floors back without a loop: by hand, by a CronJob, or when Podium is taken out of a cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Literal

from podium.loop.act.carry_out import Fate
from podium.loop.clusters.port import Conflict, Permanent, Temporary
from podium.loop.modes.floors import give_back
from podium.loop.modes.neighbours import FloorResult
from podium.loop.modes.surroundings import Autoscaler, Surroundings

Which = Literal["all", "expired"]


async def raised(surroundings: Surroundings, namespaces: Collection[str]) -> list[Autoscaler]:
    """The HPAs that bear a floor; an empty name stands for all namespaces. Raises Permanent for one that is closed."""
    around = await surroundings.autoscalers(namespaces)
    for namespace, words in sorted(around.troubles.items()):
        raise Permanent(f"{namespace or 'all namespaces'}: {words}")
    every = [one for found in around.autoscalers.values() for one in found if one.floor is not None]
    return sorted(every, key=lambda one: (one.namespace, one.name))


async def given_back(
    surroundings: Surroundings, namespaces: Collection[str], which: Which, now: float, *, dry: bool = False
) -> AsyncIterator[FloorResult]:
    """Give them back, each with its version as precondition; `expired`: those alone whose time passed before `now`.

    What somebody else wrote over a floor stays, and only the note goes. An HPA that moves meanwhile is refused and can
    be asked for again.
    """
    for one in await raised(surroundings, namespaces):
        if which == "expired" and one.floor is not None and one.floor.until > now:
            continue
        command = give_back(one, one.epoch)
        if dry:
            yield FloorResult(command, Fate.WITHHELD, "a dry run")
            continue
        try:
            await surroundings.set_floor(command)
        except Conflict as error:
            yield FloorResult(command, Fate.REFUSED, str(error))
        except (Temporary, Permanent) as error:
            yield FloorResult(command, Fate.FAILED, str(error))
        else:
            yield FloorResult(command, Fate.WRITTEN)
