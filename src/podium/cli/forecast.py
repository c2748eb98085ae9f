"""`podium forecast`: what the loop's forecaster would have said of a recorded load, and how right it was."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from podium.cli import comparison, options

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.loop.rehearse.answer import Answer
    from podium.loop.rehearse.figures import Figures

MOST_TARGETS = 1_000_000  # origins x targets: more is no answer that anybody reads


@click.command(short_help="Forecast a recorded load at many moments of its past, and judge what was said.")
@options.file("the load")
@click.option("--horizon", default="30m", show_default=True, metavar="TIME", help="How far ahead.")
@click.option("--step", default="1m", show_default=True, metavar="TIME", help="Between two moments that are forecast.")
@click.option(
    "--origins", type=click.IntRange(1, 100_000), default=36, show_default=True,
    help="At how many moments, evenly over the last third.",
)  # fmt: skip
@click.option(
    "--history", "history_", default="21d", show_default=True, metavar="TIME",
    help="How long before the first of them it begins to learn.",
)  # fmt: skip
@click.option(
    "--maximum/--no-maximum", default=None,
    help="Also forecast the largest load until the horizon, which scaling uses (default: where that is quick).",
)  # fmt: skip
@click.option("--forecaster", metavar="NAME", help="Another one than the loop's.")
@options.plot("Load and forecasts, drawn.")
@options.output
def command(
    file: pathlib.Path,
    column: str | None,
    time_column: str,
    horizon: str,
    step: str,
    origins: int,
    history_: str,
    maximum: bool | None,
    forecaster: str | None,
    plot: pathlib.Path | None,
    form: str,
    output: str | None,
) -> None:
    """Forecast the load in FILE (CSV, CSV.gz or Parquet) as the loop would have, at many moments of its last third.

    FILE has a time column (Unix seconds or RFC 3339) and the load in another; gaps are allowed. At each moment only
    what came before is known. What was said is compared with what came, and with the last value.
    """
    from podium.foresight import installed
    from podium.loop.rehearse.answer import answer
    from podium.loop.rehearse.rehearsal import Wanted, rehearse
    from podium.loop.rehearse.steps import steps
    from podium.loop.remember import anew

    options.svg(plot)
    wanted = Wanted(*_ahead(horizon, step), origins, options.seconds(history_, "--history"), maximum)
    if origins * len(wanted.ahead) > MOST_TARGETS:
        raise click.BadParameter(f"{origins} origins of {len(wanted.ahead)} steps are too many", param_hint="--origins")
    name = forecaster or anew.FORECASTER
    title, series = options.one_series(file, column, time_column)
    load = steps(title, series)
    if wanted.horizon_seconds < load.step_seconds:
        raise click.BadParameter(
            f"{horizon}: expected at least a step of the file, {load.step_seconds:g} s", param_hint="--horizon"
        )
    try:
        outlook = anew.new_outlook(name, load.step_seconds, 1)
    except installed.Unknown as error:
        raise click.BadParameter(str(error), param_hint="--forecaster") from error
    told = answer(rehearse(load, wanted, outlook, comparison.progress), wanted, name)
    if plot is not None:
        from podium.loop.rehearse.chart import draw

        options.write_text(plot, draw(told))
    if form == "json":
        options.emit(options.as_json(told.as_json()), output)
        return
    from podium.cli import tables

    tables.show(_for_people(told), output)


def _ahead(horizon: str, step: str) -> tuple[float, float]:
    from podium.foresight.outlook import LONGEST_SECONDS
    from podium.model.clock import duration

    far, fine = options.seconds(horizon, "--horizon"), options.seconds(step, "--step")
    if not 0 < far <= LONGEST_SECONDS:
        raise click.BadParameter(f"{horizon}: expected at most {duration(LONGEST_SECONDS)}", param_hint="--horizon")
    if not 1 <= fine <= far:
        raise click.BadParameter(f"{step}: expected 1s at least, and at most the horizon", param_hint="--step")
    return far, fine


def _for_people(told: Answer) -> Sequence[RenderableType]:
    from podium.cli import tables
    from podium.model.clock import duration

    right = [(name, "right") for name in ("error", "last value", "ratio", "95 % held", "99 % held", "judged")]
    table = tables.table("forecast", *right)  # type: ignore[arg-type]
    far = duration(told.wanted.horizon_seconds)
    rows = [
        (f"every {duration(told.wanted.step_seconds)} up to {far}", told.all),
        (f"{far} ahead", told.at_horizon),
    ]
    if told.said.trusted is not None:
        rows.append((f"the largest within {far}", told.maximum))
    for name, one in rows:
        table.add_row(name, *_cells(one))
    return tables.pairs(told.about()), "", table, "", told.verdict(), told.coverage_words()


def _cells(one: Figures) -> list[str]:
    from podium.cli import tables

    def share(value: float | None) -> str:
        return tables.UNKNOWN if value is None else f"{value:.1%}"

    held = [share(one.coverage[row]) for row in (2, 3)]
    ratio = tables.UNKNOWN if one.ratio is None else f"{one.ratio:.2f}"
    return [share(one.wape), share(one.last_value_wape), ratio, *held, tables.count(one.judged)]
