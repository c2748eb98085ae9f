"""The answer of a back-test, told to people or to machines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from podium.cli import options

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.loop.backtest.answer import Answer, Rate, Row
    from podium.loop.backtest.together import Together


def show(told: Answer, form: str, output: str | None) -> None:
    """Print an answer as JSON or for people."""
    if form == "json":
        options.emit(options.as_json(told.as_json()), output)
        return
    from podium.cli import tables

    tables.show(_for_people(told), output)


def _for_people(told: Answer) -> Sequence[RenderableType]:
    from podium.cli import tables
    from podium.model.clock import duration, rfc3339

    trace = told.case.trace
    start, end = (rfc3339(one) for one in told.judged)
    about = [
        ("load", trace.name),
        (
            "judged",
            f"{start} to {end}" + (f", {duration(trace.cut_minutes * 60)} cut out" if trace.cut_minutes else ""),
        ),
        ("a replica", f"serves {told.case.capacity:.6g}, from {duration(told.case.startup_seconds)} after its order"),
        *(("note", note) for note in told.notes),
    ]
    if told.rate.currency:
        about.append(("prices", told.rate.source))
    return tables.pairs(about), "", *_policies(told.rows, told.risk, told.rate)


def show_together(told: Together, form: str, output: str | None) -> None:
    """Print the answer of an installation's own past, as JSON or for people."""
    if form == "json":
        options.emit(options.as_json(told.as_json()), output)
        return
    from podium.cli import tables

    if len(told.answers) == 1:
        parts = _for_people(told.answers[0])
    else:
        parts = [f"{len(told.answers)} workloads together", "", *_policies(told.rows, told.risk, told.rate), ""]
        parts += _by_workload(told.answers)
    missing = ["", "Not seen", *(f"  {words}" for words in told.missing)] if told.missing else []
    tables.show([*parts, *missing], output)


def _by_workload(answers: Sequence[Answer]) -> list[RenderableType]:
    """The cost over the oracle's and the unserved share of each workload under each policy."""
    from podium.cli import tables

    names = [row.name for row in answers[0].rows if row.kind != "oracle"]
    table = tables.table("x oracle, unserved", *((name, "right") for name in names))
    for one in answers:
        cells = [
            f"{row.score.cost:.2f}, {row.score.unserved_fraction * 100:.3f} %" for row in one.rows if row.name in names
        ]
        table.add_row(one.case.trace.name, *cells)
    return [table]


def _policies(rows: Sequence[Row], risk: float, rate: Rate) -> list[RenderableType]:
    """A row per policy, and the sentence below."""
    from podium.cli import tables
    from podium.loop.backtest.answer import verdict
    from podium.loop.backtest.chart import percent
    from podium.loop.prices.price import shown, total

    priced_ = rate.currency != ""
    spread = any(row.likely is not None for row in rows)
    kept = any(row.score.reserve is not None for row in rows)
    names = ["unserved", "minutes short", "replica-hours", *(["reserve"] if kept else []), "x oracle", "changes"]
    right = [(name, "right") for name in (_with_intervals(names) if spread else names)]
    costs = [("cost", "right"), *([("of it reserve", "right")] if kept else [])] if priced_ else []
    head = ["policy", *right, *costs, f"within {percent(risk)}"]
    table = tables.table(*head)  # type: ignore[arg-type]
    for row in rows:
        score = row.score
        spare = score.reserve_hours
        money = [shown(total(rate.micro, score.replica_hours), rate.currency)] if priced_ else []
        if priced_ and kept:
            money.append("" if spare is None else shown(total(rate.micro, spare), rate.currency))
        one = row.likely
        unserved, cost = (None, None) if one is None else (one.unserved_fraction, one.cost_ratio)
        table.add_row(
            row.name,
            f"{score.unserved_fraction * 100:.3f} %",
            *([_span(unserved, 100, 3)] if spread else []),
            tables.count(score.violation_minutes),
            f"{score.replica_hours:,.0f}".replace(",", " "),
            *(["" if spare is None else f"{spare:,.0f}".replace(",", " ")] if kept else []),
            f"{score.cost:.2f}",
            *([_span(cost, 1, 2)] if spread else []),
            tables.count(int(score.changes.sum())),
            *money,
            "yes" if score.unserved_fraction <= risk else "no",
        )
    note = ["", "reserve: replica-hours only for what nobody could foresee, between the expected load and the floor"]
    note = note if kept else []
    note += ["", "likely: with 95 % confidence, were other days of the same kind judged"] if spread else []
    return [table, "", verdict(rows, risk), *note]


def _with_intervals(names: Sequence[str]) -> list[str]:
    return [part for name in names for part in ((name, "likely") if name in ("unserved", "x oracle") else (name,))]


def _span(interval: tuple[float, float] | None, times: float, digits: int) -> str:
    """`0.01-0.12`; nothing where too few days were judged."""
    if interval is None:
        return ""
    low, high = (f"{value * times:.{digits}f}" for value in interval)
    return f"{low}-{high}"


def progress(share: float) -> None:
    """How far the forecasts are, to a person who waits."""
    if sys.stderr.isatty():
        click.echo(f"\rforecasting {share:4.0%} …\r", err=True, nl=False)
