"""The first look at a cluster, told to people or to machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.cli import options, outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from podium.loop.survey.answer import Survey
    from podium.loop.survey.finding import Finding

MOST = 10  # of each table; JSON holds all


def show(found: Survey, form: str, output: str | None) -> int:
    """Print it. A cluster without a single workload is a negative answer."""
    if form == "json":
        options.emit(options.as_json(found.as_json()), output)
    else:
        from podium.cli import tables

        tables.show(_for_people(found), output)
    return outcome.DONE if found.fleet.rows else outcome.NEGATIVE


def _for_people(found: Survey) -> list[RenderableType]:
    from podium.cli import tables
    from podium.clients.http import shown
    from podium.loop.survey.finding import counted

    seen, rows = found.seen, found.fleet.rows
    where = (
        f"namespace {seen.namespace}" if seen.namespace else counted(len({row.name[0] for row in rows}), "namespace")
    )
    counts = [f"{tables.count(len(rows))} workloads in {where}"]
    for some, name in ((seen.pods, "pods"), (seen.hpas, "HPAs"), (seen.nodes, "nodes")):
        counts.append(f"{name} not seen" if some is None else f"{tables.count(len(some))} {name}")
    out: list[RenderableType] = [
        tables.pairs(
            [
                ("cluster", " ".join(part for part in (shown(seen.server), seen.version) if part)),
                ("seen", ", ".join(counts)),
                ("measured", found.measured),
            ]
        ),
        "",
        *_savings(found),
        "",
        *_risks(found.risks),
    ]
    if found.missing:
        out += ["", "Not seen", *(f"  {words}" for words in found.missing)]
    return [*out, "", "Nothing was changed. podium adopt compares its HPAs with policies made from them."]


def _savings(found: Survey) -> list[RenderableType]:
    from podium.cli import tables
    from podium.loop.prices.price import shown
    from podium.loop.survey.finding import amounts

    if not found.savings:
        return ["Largest savings: none was seen"]
    money = [("a month", "right")] if found.currency else []
    table = tables.table("Largest savings", ("frees", "right"), *money, "evidence", "what to do")  # type: ignore[arg-type]
    for one in found.savings[:MOST]:
        price = [shown(one.saved_micro, found.currency)] if found.currency else []
        table.add_row(one.workload, amounts(one.freed) or tables.UNKNOWN, *price, one.evidence, one.remedy)
    return [table, *_more(found.savings)]


def _risks(found: Sequence[Finding]) -> list[RenderableType]:
    from podium.cli import tables

    if not found:
        return ["Largest risks: none was seen"]
    table = tables.table("Largest risks", "what", "evidence", "what to do")
    for one in found[:MOST]:
        table.add_row(one.workload, one.what, one.evidence, one.remedy)
    return [table, *_more(found)]


def _more(found: Sequence[Finding]) -> list[RenderableType]:
    return [f"and {len(found) - MOST} more: -o json names all"] if len(found) > MOST else []
