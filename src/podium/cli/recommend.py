"""`podium recommend`: what would change in a cluster, and why. It touches nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from podium.cli import comparison, history, options, outcome, pointed, priced

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.loop.backtest.advice import Advice
    from podium.loop.backtest.answer import Rate
    from podium.loop.backtest.recorded import History
    from podium.loop.backtest.replayed import Replayed
    from podium.loop.prices.price import Price

MOST = 10  # rows of each table; JSON holds all


@click.command(short_help="Say what a cluster could save and what will hurt it, with evidence; touch nothing.")
@pointed.options
@click.option(
    "--prometheus",
    "url",
    metavar="URL",
    help="A Prometheus that remembers; it is only read. Alone, it is all that is asked.",
)
@click.option("--namespace", default="", metavar="NAME", help="This namespace alone.")
@click.option("--days", type=click.IntRange(2, 366), default=14, show_default=True, help="How far back.")
@click.option("--hours", type=click.IntRange(1, 48), help="How far back instead; less than two days are not replayed.")
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
    kubeconfig: str | None,
    context: str | None,
    url: str | None,
    namespace: str,
    days: int,
    hours: int | None,
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
    """The ten largest savings and the ten largest risks of a cluster, each with its evidence.

    Read are workloads, pods, HPAs, disruption budgets and nodes of --context, what metrics.k8s.io says that pods use,
    and, where --prometheus is given, their history: it is replayed under Podium beside what really happened. What may
    not be seen is named and left out. With --prometheus alone, the history is all that is told.

    Nothing is installed and nothing is written anywhere.
    """
    wait = options.seconds(startup, "--startup")
    price = priced.Prices(price_place, price_cpu_hour, price_memory_hour, currency).price(config, flags)
    wish = _Wish(url, bearer, namespace, days * 1440 if hours is None else hours * 60, risk, wait, price)
    if url is not None and context is None and kubeconfig is None:
        return _history_alone(wish, url, form, output)
    return _cluster(wish, kubeconfig, context, form, output)


@dataclasses.dataclass(frozen=True)
class _Wish:
    """What was asked."""

    url: str | None
    bearer: str | None
    namespace: str
    minutes: int
    risk: float
    startup_seconds: float
    price: Price | None


def _cluster(wish: _Wish, kubeconfig: str | None, context: str | None, form: str, output: str | None) -> int:
    from podium.cli import survey as shown
    from podium.loop.survey import lately, reading
    from podium.loop.survey.answer import Past, survey
    from podium.loop.survey.rows import Amounts
    from podium.model.arrays import UNKNOWN
    from podium.model.clock import wall_clock

    there = pointed.access(kubeconfig, context)
    seen = pointed.ask(there, lambda client: reading.read(client, wish.namespace))
    past = Past()
    if wish.url is not None:
        found, advice, unseen = _past(wish, wish.url)
        by_pod = history.ask(
            wish.url, wish.bearer, lambda client: lately.read(client, wall_clock(), wish.minutes, wish.namespace)
        )
        past = Past(wish.minutes, found.workloads, tuple(advice), tuple(unseen), by_pod)

    def money(freed: Amounts) -> int | None:
        rate = priced.rate(wish.price, freed.cpu or 0, freed.memory)
        return None if rate.micro == UNKNOWN else rate.micro

    currency = wish.price.currency if wish.price is not None else ""
    return shown.show(survey(seen, past, money, currency, wall_clock()), form, output)


def _past(wish: _Wish, url: str) -> tuple[History, list[Advice], list[str]]:
    """What a Prometheus remembers, what replaying it says, and what could not be seen or replayed."""
    from podium.loop.backtest.advice import advise
    from podium.loop.backtest.recorded import Asked
    from podium.loop.backtest.replayed import replayed
    from podium.loop.backtest.run import Unfit
    from podium.loop.remember.anew import new_memory
    from podium.model.clock import wall_clock

    found = history.read(url, wish.bearer, Asked(wall_clock(), wish.minutes, wish.namespace))
    cases: list[Replayed] = []
    unseen = list(found.missing)
    for one in found.workloads:
        try:
            cases.append(replayed(one, found.first, capacity=None, startup_seconds=wish.startup_seconds))
        except Unfit as error:
            unseen.append(str(error))

    def rate_of(one: Replayed) -> Rate:
        cpu, memory = history.requests(one, None, None)
        return priced.rate(wish.price, cpu, None if memory is None else memory // 1000)

    return found, advise(cases, wish.risk, rate_of, new_memory, comparison.progress), unseen


def _history_alone(wish: _Wish, url: str, form: str, output: str | None) -> int:
    _, advice, unseen = _past(wish, url)
    days = wish.minutes / 1440
    if form == "json":
        workloads = [one.as_json() for one in advice]
        whole = {"risk": wish.risk, "days": days, "workloads": workloads, "unseen": unseen}
        options.emit(options.as_json(whole), output)
    else:
        from podium.cli import tables

        tables.show(_for_people(advice, unseen, days), output)
    return outcome.DONE if advice else outcome.NEGATIVE


def _for_people(advice: Sequence[Advice], unseen: Sequence[str], days: float) -> list[RenderableType]:
    out: list[RenderableType] = [
        f"{len(advice)} workloads replayed over the last {days:g} days. Nothing was changed.",
        "",
    ]
    savings = [one for one in advice if one.saved_hours > 0]
    risks = sorted((one for one in advice if one.at_risk > 0), key=lambda one: -one.at_risk)
    rest = [one for one in advice if one not in savings and one not in risks]
    for title, some in (("Largest savings", savings), ("Largest risks", risks), ("Others", rest)):
        if some:
            out += [title, advice_table(some[:MOST]), ""]
            if len(some) > MOST:
                out += [f"and {len(some) - MOST} more: -o json names all", ""]
    if unseen:
        out += ["Not seen", *(f"  {words}" for words in unseen), ""]
    out.append("podium backtest --prometheus URL --hpa NAMESPACE/NAME compares one of them with other policies.")
    return out


def advice_table(some: Sequence[Advice]) -> RenderableType:
    """Each workload as it was and as it would have been."""
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
