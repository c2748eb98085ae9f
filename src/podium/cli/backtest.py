"""`podium backtest`: a recorded load replayed under several policies, side by side."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from podium.cli import comparison, history, lived, options, priced

if TYPE_CHECKING:
    from podium.loop.backtest.contender import Contender
    from podium.loop.backtest.run import Case, Ran

POLICIES = ("podium", "hpa:50", "hpa:60", "hpa:70", "hpa:80", "kpa", "oracle")
LIVED = ("podium", "hpa:70", "oracle")
LONGEST_STARTUP = 7200.0


@click.command(short_help="Replay a recorded load under several policies, and compare cost and unserved load.")
@options.file("the load", required=False)
@click.option(
    "--capacity", type=float, metavar="LOAD", help="Load that one replica serves (default: 99.9th percentile / 50)."
)
@click.option(
    "--startup", default="120s", show_default=True, metavar="TIME[,TIME…]",
    help="From an order until a replica serves; of several, as 20s,20s,20s,180s, each is equally likely.",
)  # fmt: skip
@click.option(
    "--history", "history_", default="7d", show_default=True, metavar="TIME", help="How much at the start only teaches."
)
@click.option(
    "--risk", type=float, default=0.001, show_default=True, metavar="SHARE", help="Load that may go unserved."
)
@click.option(
    "--policy", "names", multiple=True, metavar="POLICY",
    help="podium, podium:RISK, hpa:TARGET, kpa, keda:LAG, fft, static:REPLICAS or oracle; again for more. "
    f"(default: {', '.join(POLICIES)})",
)  # fmt: skip
@click.option(
    "--min", "fewest", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="Fewest replicas."
)
@click.option(
    "--max", "most", type=click.IntRange(1, 1_000_000), default=1_000_000, help="Most replicas (default: any)."
)
@click.option("--request-cpu", metavar="QUANTITY", help="CPU that a replica requests, as 500m: for money.")
@click.option("--request-memory", metavar="QUANTITY", help="Memory that a replica requests, as 1Gi: for money.")
@priced.prices
@click.option("--trace", "trace_file", type=click.Path(path_type=pathlib.Path), metavar="FILE",
              help="Every judged minute there: .csv, .csv.gz or .parquet.")  # fmt: skip
@options.plot("Cost against unserved load, drawn there.")
@click.option(
    "--prometheus", "url", metavar="URL", help="Instead of FILE: a Prometheus that remembers; it is only read."
)
@click.option("--hpa", metavar="NAMESPACE/NAME", help="With --prometheus: the HPA to compare with.")
@click.option("--query", metavar="PROMQL", help="With --prometheus: the load (default: the CPU that its pods use).")
@click.option("--from-ledger", is_flag=True, help="Instead of FILE: what this installation recorded itself.")
@click.option("--workload", "workloads", multiple=True, metavar="NAME",
              help="With --from-ledger: this one (default: all); again for more.")  # fmt: skip
@click.option(
    "--days", type=click.IntRange(2, 366), default=14, show_default=True,
    help="With --prometheus or --from-ledger: how far back.",
)  # fmt: skip
@history.access
@options.config
@options.output
def command(
    file: pathlib.Path | None,
    column: str | None,
    time_column: str,
    capacity: float | None,
    startup: str,
    history_: str,
    risk: float,
    names: tuple[str, ...],
    fewest: int,
    most: int,
    request_cpu: str | None,
    request_memory: str | None,
    price_place: str | None,
    price_cpu_hour: float | None,
    price_memory_hour: float | None,
    currency: str,
    trace_file: pathlib.Path | None,
    plot: pathlib.Path | None,
    url: str | None,
    hpa: str | None,
    query: str | None,
    from_ledger: bool,
    workloads: tuple[str, ...],
    days: int,
    bearer: str | None,
    config: str | None,
    flags: tuple[str, ...],
    form: str,
    output: str | None,
) -> None:
    """Replay the load in FILE (CSV, CSV.gz or Parquet) under several policies, and compare them.

    FILE has a time column (Unix seconds or RFC 3339) and the load in another; gaps are allowed. The first --history of
    it only teaches; the rest is judged. Nothing is contacted and nothing is changed.

    With --prometheus and --hpa the load, the replicas and the requests are read from your own history instead, and what
    the HPA really did is one of the policies compared. With --from-ledger they are what this Podium recorded while it
    ran: loads, replicas, capacities and lead times as they were. It need not run now.
    """
    from podium.loop.backtest import courses
    from podium.loop.backtest.answer import answer
    from podium.loop.backtest.contender import Limits
    from podium.loop.backtest.replayed import history_minutes
    from podium.loop.backtest.run import Field, Rules, backtest
    from podium.loop.backtest.together import replay, together
    from podium.loop.remember.anew import new_memory

    options.svg(plot)
    if (file is not None) + (url is not None) + from_ledger != 1:
        raise click.BadParameter(
            "one of them: a file with a recorded load, a Prometheus, or this installation's own past",
            param_hint="FILE, --prometheus, --from-ledger",
        )
    if workloads and not from_ledger:
        raise click.BadParameter("goes with --from-ledger", param_hint="--workload")
    if url is None and (hpa or query):
        raise click.BadParameter("goes with --prometheus", param_hint="--hpa" if hpa else "--query")
    starts, share = _startup(startup), _share(risk)
    contenders = _contenders(names or POLICIES, share)
    prices = priced.Prices(price_place, price_cpu_hour, price_memory_hour, currency)
    price = prices.price(config, flags)
    replica = _milli(request_cpu, "--request-cpu"), _milli(request_memory, "--request-memory")
    if most < fewest:
        raise click.BadParameter(f"expected at least --min, which is {fewest}", param_hint="--max")
    if from_ledger:
        _refuse_files(trace_file, plot)
        past = lived.read(config, flags, workloads, days)
        field, ran = replay(past, _contenders(names or LIVED, share), new_memory, comparison.progress)
        told_all = together(past, field, ran, share, priced.rate(price, replica[0], _bytes(replica[1])))
        comparison.show_together(told_all, form, output)
        return
    before: list[Ran] = []
    if file is not None:
        case, notes = _case(file, column, time_column, capacity, starts)
        case = dataclasses.replace(case, limits=Limits(fewest, most))
        rules = Rules(_minutes(history_, "--history"))
        field = Field([case], rules)
    else:
        one = history.one(str(url), bearer, hpa, query or "", days, capacity, max(starts))
        rules, notes = Rules(history_minutes([one])), list(one.notes)
        field = Field([one.case], rules)
        before = [one.ran(field, 0)]
        contenders = _contenders(names or history.usual_policies(one), share)
        replica = history.requests(one, *replica)
    ran = before + list(backtest(field, contenders, new_memory, comparison.progress))
    rate = priced.rate(price, replica[0], _bytes(replica[1]))
    told = answer(field, ran, share, rate, notes)
    if trace_file is not None:
        courses.write(trace_file, courses.columns(field, ran))
    if plot is not None:
        options.write_text(plot, told.chart())
    comparison.show(told, form, output)


def _refuse_files(trace_file: pathlib.Path | None, plot: pathlib.Path | None) -> None:
    """A trace and a chart are of one load. Raises BadParameter."""
    for path, hint in ((trace_file, "--trace"), (plot, "--plot")):
        if path is not None:
            raise click.BadParameter("goes with FILE or --prometheus", param_hint=hint)


def _bytes(milli: int | None) -> int | None:
    return None if milli is None else milli // 1000


def _contenders(names: Sequence[str], risk: float) -> list[Contender]:
    from podium.loop.backtest import contender

    try:
        return [contender.parse(name, risk) for name in dict.fromkeys(names)]
    except contender.Unclear as error:
        raise click.BadParameter(str(error), param_hint="--policy") from error


def _case(
    file: pathlib.Path, column: str | None, time_column: str, capacity: float | None, starts: Sequence[float]
) -> tuple[Case, list[str]]:
    """The load of a file, and what was assumed about it. Raises Permanent or BadInput."""
    from podium.loop.backtest.run import spread_case, usual_capacity
    from podium.loop.backtest.trace import trace
    from podium.model.clock import duration

    name, series = options.one_series(file, column, time_column)
    load = trace(name, series)
    notes = []
    usual = usual_capacity(load) if capacity is None else capacity
    if capacity is None:
        notes.append(
            f"--capacity was not given: fifty replicas serve all but one minute in a thousand, {usual:.6g} each"
        )
    case = spread_case(load, usual, starts)
    if case.starts:
        quantile = duration(case.startup_seconds)
        notes.append(f"start-up: each order's is one of {len(starts)}, drawn; their .95 quantile is {quantile}")
    return case, notes


def _milli(text: str | None, hint: str) -> int | None:
    from podium.model.quantities import parse_milli

    if text is None:
        return None
    try:
        milli = parse_milli(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=hint) from error
    if milli < 0:
        raise click.BadParameter(f"{text!r}: expected a quantity of at least 0", param_hint=hint)
    return milli


def _share(risk: float) -> float:
    if not 0 < risk < 1:
        raise click.BadParameter(f"{risk:g}: expected a share between 0 and 1, as 0.001", param_hint="--risk")
    return risk


def _startup(text: str) -> list[float]:
    """Equally likely start-ups, in seconds. Raises BadParameter."""
    starts = [options.seconds(part.strip(), "--startup") for part in text.split(",")]
    if max(starts) > LONGEST_STARTUP:
        raise click.BadParameter(f"{text}: expected at most 2h", param_hint="--startup")
    return starts


def _minutes(text: str, hint: str) -> int:
    return round(options.seconds(text, hint) / 60)
