"""What the chart takes from the models is what the models say now: `make docs` writes it anew."""

from __future__ import annotations

import pytest
from tools import chart


@pytest.mark.parametrize("path", chart.files())
def test_the_chart_is_up_to_date(path: str) -> None:
    assert (chart.FOLDER / path).read_text() == chart.files()[path], "run `make docs`"
