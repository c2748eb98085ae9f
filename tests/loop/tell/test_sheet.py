"""The fleet as columns: sums, pages in any order, and the whole map."""

from __future__ import annotations

import numpy as np
import pytest
from tests.api.fakes import sheet_of, workload

from podium.loop.tell.selection import SORTS, Selection, find
from podium.loop.tell.sheet import NOBODY, STATES, Sheet, Standing, picture, totals
from podium.loop.tell.view import WorkloadRow


def fleet(count: int = 60) -> list[WorkloadRow]:
    """Workloads of three tenants in every state; every seventh unknown."""
    return [
        workload(
            f"local/{('shop', 'bank', 'media')[number % 3]}/deployment.apps/w{number:03}",
            state=STATES[number % len(STATES)],
            replicas=None if number % 7 == 0 else number % 5 + 1,
            ready=None if number % 7 == 0 else number % 4,
            use=None if number % 7 == 0 else (number % 9) / 4,
            load=None if number % 11 == 0 else float(number % 13),
        )
        for number in range(count)
    ]


def sheet(rows: list[WorkloadRow]) -> Sheet:
    return sheet_of(rows, 100.0, 1)


def keys(sheet: Sheet, wanted: Selection) -> list[str]:
    return [sheet.roll.key[row].rpartition("/")[2] for row in find(sheet, wanted).rows.tolist()]


def paged(sheet: Sheet, limit: int, **asked: object) -> list[str]:
    """All pages of a question, one after the other."""
    out: list[str] = []
    after = None
    while True:
        wanted = Selection(limit=limit, after=after, **asked)  # type: ignore[arg-type]
        out += keys(sheet, wanted)
        after = find(sheet, wanted).last
        if after is None:
            return out


def test_sums_of_tenants_add_up_to_those_of_the_fleet() -> None:
    rows = fleet()
    whole, tenants = totals(sheet(rows))
    assert whole.replicas == sum(row.replicas or 0 for row in rows) == sum(one.replicas for one in tenants)
    assert whole.unknown == sum(row.replicas is None for row in rows) == sum(one.unknown for one in tenants)
    assert sum(whole.states.values()) == whole.workloads == len(rows)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_in_any_order_hold_everybody_once_and_unknown_last(sort: str, descending: bool) -> None:
    rows = sheet(fleet())
    whole = keys(rows, Selection(sort=sort, descending=descending, limit=1000))
    assert paged(rows, 7, sort=sort, descending=descending) == whole
    assert sorted(whole) == [f"w{number:03}" for number in range(60)]
    if sort in ("replicas", "ready", "use"):
        assert set(whole[-9:]) == {f"w{number:03}" for number in range(0, 60, 7)}


def test_worst_first_is_the_order_of_the_states() -> None:
    shown = sheet(fleet(18))
    found = find(shown, Selection(sort="state", limit=18)).rows
    assert shown.state[found].tolist() == sorted(shown.state.tolist())
    assert shown.state[found][0] == Standing.UNKNOWN


def test_a_page_goes_on_although_the_workload_it_ended_with_is_gone_or_has_moved() -> None:
    rows = fleet()
    before = sheet(rows)
    found = find(before, Selection(sort="use", limit=10))
    last = before.roll.key[int(found.rows[-1])]
    after = sheet([row for row in rows if row.key != last])
    rest = keys(after, Selection(sort="use", limit=1000, after=found.last))
    assert rest == keys(before, Selection(sort="use", limit=1000))[10:]


def test_fields_take_any_of_their_values_and_words_all_of_them() -> None:
    shown = sheet(fleet())
    some = keys(shown, Selection(fields=(("state", ("held", "short")), ("tenant", ("bank",))), limit=1000))
    assert some == [f"w{n:03}" for n in range(60) if n % 3 == 1 and STATES[n % 9] in ("held", "short")]
    assert keys(shown, Selection(words=("SHOP", "w00"), limit=1000)) == [f"w00{n}" for n in (0, 3, 6, 9)]


def test_what_nobody_can_serve_is_used_most_and_shown_as_unknown() -> None:
    rows = [workload(use=0.5), workload("local/shop/deployment.apps/none", use=float("inf"))]
    shown = sheet(rows)
    assert keys(shown, Selection(sort="use", descending=True)) == ["none", "web"]
    assert list(picture(shown).columns.use) == [None, 0.5]


def test_before_the_first_turn_there_is_nobody() -> None:
    assert find(NOBODY, Selection(words=("web",), fields=(("namespace", ("shop",)),))).total == 0
    assert (totals(NOBODY)[0].workloads, totals(NOBODY)[1], list(picture(NOBODY).columns.key)) == (0, (), [])


def test_a_map_of_many_is_columns_of_one_length() -> None:
    columns = picture(sheet(fleet())).columns
    lengths = {len(getattr(columns, name)) for name in columns.__struct_fields__}
    assert lengths == {60}
    assert np.unique(columns.slot).size == 60
