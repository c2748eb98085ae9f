"""`podium anomalies`: which rows of a recorded series are out of the ordinary, each judged by its past alone."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from podium.cli import options

if TYPE_CHECKING:
    from rich.console import RenderableType

    from podium.foresight.anomalies.episodes import Episode
    from podium.foresight.anomalies.recording import Judgement
    from podium.model.arrays import Float64s

SHOWN = 25  # episodes that a person is shown


@click.command(short_help="Say which rows of a recorded series are anomalous, each judged by its past alone.")
@options.file("meant")
@click.option(
    "--threshold", type=float, default=2.5, show_default=True, metavar="NUMBER",
    help="The sensitivity: more of it raises fewer alarms.",
)  # fmt: skip
@options.plot("Series and scores, drawn.")
@options.output
def command(
    file: pathlib.Path,
    column: str | None,
    time_column: str,
    threshold: float,
    plot: pathlib.Path | None,
    form: str,
    output: str | None,
) -> None:
    """Judge every row of FILE (CSV, CSV.gz or Parquet) by what came before it.

    FILE has a time column (Unix seconds or RFC 3339) and values in another; gaps are allowed, and rows may lie in any
    order. A score of 0.5 or more is the beginning of an alarm. One setting serves every series.
    """
    from podium.cli.outcome import BadInput
    from podium.foresight.anomalies import recording

    options.svg(plot)
    if not threshold > 0:
        raise click.BadParameter(f"{threshold:g}: expected a number above 0, as 2.5", param_hint="--threshold")
    name, series = options.one_series(file, column, time_column, as_written=True)
    if not len(series):
        raise BadInput(f"{file}: holds no rows; expected times and values")
    judged = recording.judge(series.at, series.value, threshold)
    if plot is not None:
        from podium.cli import anomaly_chart

        options.write_text(plot, anomaly_chart.draw(name, series.at, series.value, judged))
    if form == "json":
        options.emit(_json(name, series.at, judged, threshold), output)
        return
    from podium.cli import tables

    tables.show(_for_people(name, series.at, series.value, judged, threshold), output)


def _json(name: str, at: Float64s, judged: Judgement, threshold: float) -> str:
    """One row to a line: there may be hundreds of thousands."""
    import msgspec

    rows = zip(at.tolist(), judged.score.tolist(), judged.anomaly.tolist(), strict=True)
    encode = msgspec.json.encode
    lines = ",\n".join(encode({"ts": ts, "score": score, "anomaly": flag}).decode() for ts, score, flag in rows)
    found = ",\n".join(encode(_as_json(one)).decode() for one in judged.episodes)
    head = encode({"series": name, "threshold": threshold}).decode()[1:-1]
    return f'{{{head},\n"episodes": [\n{found}\n],\n"rows": [\n{lines}\n]}}'


def _as_json(one: Episode) -> dict[str, object]:
    return {
        "begin": one.begin,
        "end": one.end,
        "rows": one.last - one.first + 1,
        "kind": one.kind,
        "severity": one.severity,
        "score": one.peak,
        "before": one.before,
        "farthest": one.farthest,
    }


def _for_people(
    name: str, at: Float64s, value: Float64s, judged: Judgement, threshold: float
) -> Sequence[RenderableType]:
    import numpy as np

    from podium.cli import tables
    from podium.model.clock import duration, rfc3339

    days = float(at.max() - at.min()) / 86400
    unknown = int(np.isnan(value).sum())
    usual = "too few rows to tell" if np.isnan(judged.step_seconds) else f"{duration(judged.step_seconds)} apart"
    about = [
        ("series", name),
        ("rows", f"{len(at)}, {usual}, {rfc3339(float(at.min()))} to {rfc3339(float(at.max()))}"),
        ("threshold", f"{threshold:g}"),
        *([("note", f"{unknown} rows have no value")] if unknown else []),
    ]
    found = sorted(judged.episodes, key=lambda one: -one.peak)[:SHOWN]
    table = tables.table("begins", ("rows", "right"), ("score", "right"), "severity", "what", ("before", "right"),
                         ("farthest", "right"))  # fmt: skip
    for one in sorted(found, key=lambda one: one.begin):
        before, farthest = (tables.UNKNOWN if x is None else f"{x:.6g}" for x in (one.before, one.farthest))
        count, what = str(one.last - one.first + 1), one.kind or "not over yet"
        table.add_row(rfc3339(one.begin), count, f"{one.peak:.2f}", one.severity, what, before, farthest)
    parts: list[RenderableType] = [tables.pairs(about), ""]
    if found:
        parts += [table, ""]
    return [*parts, _verdict(len(judged.episodes), days, len(found))]


def _verdict(count: int, days: float, shown: int) -> str:
    if not count:
        return "Nothing is out of the ordinary."
    rate = count / days if days >= 1 else 0.0
    often = f", {rate:.1f} a day" if rate >= 1 else f", one in {1 / rate:.0f} days" if rate else ""
    first = f"; the {shown} strongest are shown" if shown < count else ""
    return f"{count} {'anomaly' if count == 1 else 'anomalies'}{often}{first}."
