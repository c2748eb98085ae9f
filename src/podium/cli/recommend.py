"""`podium recommend`: what would change in a cluster, and why. It touches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from podium.cli import comparison, history, options, outcome, priced

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.loop.backtest.advice import Advice
    from podium.loop.backtest.answer import Rate
    from podium.loop.backtest.replayed import Replayed

MOST = 10  # rows of each table; JSON holds all


@click.command(short_help="Say what would change in a cluster, and why, from its Prometheus; touch nothing.")
@click.option("--prometheus", "url", required=True, metavar="URL", help="A Prometheus that remembers; it is only read.")
@click.option("--namespace", default="", metavar="NAME", help="This namespace alone.")
@click.option("--days", type=click.IntRange(2, 366), default=14, show_default=True, help="How far back.")
@click.option("--risk", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.001, show_default=True,
              metavar="SHARE", help="Load that may go unserved.")  # fmt: skip
@click.option(
    "--startup", default="120s", show_default=True, metavar="TIME", help="Where the history does not tell it."
)
@priced.prices
@history.access
@options.config
@options.output
def command(
    url: str,
    namespace: str,
    days: int,
    risk: float,
    startup: str,
    price_place: str | None,
    price_cpu_hour: float | None,
    price_memory_hour: float | None,
    currency: str,
    bearer: str | None,
    config: str | None,
    flags: tuple[str, ...],
    form: str,
    output: str | None,
) -> int:
    """Replay the history of every Deployment and StatefulSet under Podium, beside what it really did.

    The load is the CPU that its pods used, a replica's capacity what it requests. Nothing is written anywhere; what
    could not be seen is said.
    """
    from podium.loop.backtest.advice import advise
    from podium.loop.backtest.recorded import Asked
    from podium.loop.backtest.replayed import replayed
    from podium.loop.backtest.run import Unfit
    from podium.loop.backtest.trace import DAY
    from podium.loop.remember.anew import new_memory
    from podium.model.clock import parse_duration, wall_clock

    try:
        wait = parse_duration(startup)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--startup") from error
    price = priced.Prices(price_place, price_cpu_hour, price_memory_hour, currency).price(config, flags)
    found = history.read(url, bearer, Asked(wall_clock(), days * DAY, namespace))
    cases: list[Replayed] = []
    unseen = list(found.missing)
    for one in found.workloads:
        try:
            cases.append(replayed(one, found.first, capacity=None, startup_seconds=wait))
        except Unfit as error:
            unseen.append(str(error))

    def rate_of(one: Replayed) -> Rate:
        cpu, memory = history.requests(one, None, None)
        return priced.rate(price, cpu, None if memory is None else memory // 1000)

    advice = advise(cases, risk, rate_of, new_memory, comparison.progress)
    if form == "json":
        whole = {"risk": risk, "days": days, "workloads": [one.as_json() for one in advice], "unseen": unseen}
        options.emit(options.as_json(whole), output)
    else:
        from podium.cli import tables

        tables.show(_for_people(advice, unseen, days), output)
    return outcome.DONE if advice else outcome.NEGATIVE


def _for_people(advice: Sequence[Advice], unseen: Sequence[str], days: int) -> list[RenderableType]:
    out: list[RenderableType] = [
        f"{len(advice)} workloads replayed over the last {days} days. Nothing was changed.",
        "",
    ]
    savings = [one for one in advice if one.saved_hours > 0]
    risks = sorted((one for one in advice if one.at_risk > 0), key=lambda one: -one.at_risk)
    rest = [one for one in advice if one not in savings and one not in risks]
    for title, some in (("Largest savings", savings), ("Largest risks", risks), ("Others", rest)):
        if some:
            out += [title, _table(some[:MOST]), ""]
            if len(some) > MOST:
                out += [f"and {len(some) - MOST} more: -o json names all", ""]
    if unseen:
        out += ["Not seen", *(f"  {words}" for words in unseen), ""]
    out.append("podium backtest --prometheus URL --hpa NAMESPACE/NAME compares one of them with other policies.")
    return out


def _table(some: Sequence[Advice]) -> RenderableType:
    from podium.cli import tables
    from podium.loop.prices.price import shown

    head = ("replicas now", "with Podium", "unserved now", "with Podium", "saved a month")
    table = tables.table("workload", *((name, "right") for name in head), "why")
    for one in some:
        low, high, least, most = one.replicas
        hours = f"{one.saved_hours:,.0f} replica-hours".replace(",", " ")
        table.add_row(
            one.name,
            f"{low}-{high}",
            f"{least}-{most}",
            f"{one.was.unserved_fraction:.3%}",
            f"{one.would.unserved_fraction:.3%}",
            hours if one.saved_micro is None else shown(one.saved_micro, one.rate.currency),
            "; ".join(one.reasons()),
        )
    return table
