"""The page's TypeScript and the API's values are the same shapes."""

from __future__ import annotations

import pathlib
import re

import msgspec
import pytest

from podium.api import decisions, stream
from podium.loop.tell import view

SOURCE = pathlib.Path(__file__).parents[2] / "dashboard/src/lib/api.ts"
KINDS = (
    view.WorkloadRow,
    view.SourceRow,
    view.FleetView,
    view.Band,
    view.WorkloadSeries,
    view.DecisionRow,
    view.Explanation,
    stream.WorkloadTail,
    decisions.DecisionPage,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_page_reads_no_field_that_the_api_does_not_send(kind: type[msgspec.Struct]) -> None:
    block = re.search(rf"interface {kind.__name__} {{(.*?)}}", SOURCE.read_text(), re.DOTALL)
    assert block is not None
    read = re.findall(r"^  (\w+)\??:", block[1], re.MULTILINE)
    assert read
    assert set(read) <= {field.name for field in msgspec.structs.fields(kind)}
