"""What commands share that look at an installation's own past: which workloads, how far back, from which ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from podium.cli import options
from podium.cli.outcome import BadInput

if TYPE_CHECKING:
    from podium.loop.backtest.lived import Past
    from podium.loop.policy import ScalingPolicy
    from podium.model.identity import WorkloadKey


def read(
    config: str | None, flags: tuple[str, ...], workloads: Sequence[str], days: float, *, of_demo: bool = False
) -> Past:
    """The past of the named workloads, or of all. Raises BadInput where nothing is recorded, or no such workload."""
    from podium.cli import names, store
    from podium.loop.backtest import lived

    loaded = options.recorded(config, flags, of_demo=of_demo)

    def wanted(documents: Mapping[WorkloadKey, ScalingPolicy]) -> Sequence[WorkloadKey]:
        if not workloads:
            return sorted(documents)
        return list(dict.fromkeys(names.resolve(one, documents) for one in workloads))

    with store.ledger(loaded) as ledger:
        try:
            past = lived.read(ledger, days, loaded.value.database.retention.metrics_step, wanted)
        except KeyError as error:
            raise BadInput(str(error.args[0])) from error
    if not past.lived:
        raise BadInput("; ".join(past.missing) or "no workload is recorded")
    return past
