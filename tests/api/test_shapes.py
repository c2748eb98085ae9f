"""The page's TypeScript and the API's values are the same shapes."""

from __future__ import annotations

import pathlib
import re

import msgspec
import pytest

from podium.api import decisions, workloads
from podium.loop.tell import figures, fleetmap, view

SOURCE = pathlib.Path(__file__).parents[2] / "dashboard/src/lib/api.ts"
KINDS = (
    view.Pause,
    figures.Pair,
    figures.Cost,
    figures.Comparison,
    figures.Totals,
    figures.Reduction,
    view.WorkloadRow,
    view.SourceRow,
    view.FleetView,
    view.Sparks,
    workloads.WorkloadPage,
    fleetmap.MapView,
    fleetmap.MapColumns,
    fleetmap.MapChange,
    fleetmap.ChangedColumns,
    view.Band,
    view.WorkloadSeries,
    view.DecisionRow,
    view.Explanation,
    view.WorkloadTail,
    decisions.DecisionPage,
)


READ = dict(re.findall(r"interface (\w+) {\n(.*?)^}", SOURCE.read_text(), re.DOTALL | re.MULTILINE))
SHARED = [kind for kind in KINDS if kind.__name__ in READ]


def test_the_page_calls_the_shapes_by_their_names() -> None:
    assert {"FleetView", "WorkloadRow", "WorkloadSeries", "DecisionRow"} <= {kind.__name__ for kind in SHARED}


@pytest.mark.parametrize("kind", SHARED, ids=lambda kind: kind.__name__)
def test_the_page_reads_no_field_that_the_api_does_not_send(kind: type[msgspec.Struct]) -> None:
    read = re.findall(r"^  (\w+)\??:", READ[kind.__name__], re.MULTILINE)
    assert set(read) <= {field.name for field in msgspec.structs.fields(kind)}
