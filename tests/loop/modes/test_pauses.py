"""The annotation podium.dev/paused as orders: what it says begins and ends pauses, and only its own."""

from __future__ import annotations

import pytest

from podium.loop.modes.pauses import direction, orders
from podium.loop.orders.order import Order, Target
from podium.loop.orders.orders import Orders

WEB = Target("workload", "local/shop/deployment.apps/web")
SHOP = Target("namespace", "local/shop")
NOW = 1_800_000_000.0

WORDS = [
    ("true", "both"), ("both", "both"), ("Up", "up"), (" down ", "down"), ("false", None), ("", None), ("none", None),
    ("ture", "both"), ("1", "both"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "way"), WORDS)
def test_any_word_but_no_stops_something(text: str, way: str | None) -> None:
    assert direction(text) == way


def after(standing: Orders, written: dict[Target, str], unseen: frozenset[Target] = frozenset()) -> Orders:
    for one in orders(standing, written, unseen, NOW):
        standing = standing.after(one)
    return standing


def shown(standing: Orders) -> list[tuple[Target, str, str]]:
    return [(one.target, one.direction, one.by) for one in standing.pauses]


def test_what_is_written_is_a_pause_until_it_is_taken_away() -> None:
    there = after(Orders(), {WEB: "true", SHOP: "down"})
    assert shown(there) == [
        (WEB, "both", "annotation podium.dev/paused"),
        (SHOP, "down", "annotation podium.dev/paused"),
    ]
    assert list(orders(there, {WEB: "true", SHOP: "down"}, frozenset(), NOW)) == []
    assert shown(after(there, {SHOP: "down"})) == [(SHOP, "down", "annotation podium.dev/paused")]


def test_another_word_is_another_direction() -> None:
    assert shown(after(after(Orders(), {WEB: "true"}), {WEB: "up"})) == [(WEB, "up", "annotation podium.dev/paused")]


def test_a_misspelt_one_says_what_was_expected() -> None:
    (order,) = orders(Orders(), {WEB: "ture"}, frozenset(), NOW)
    assert order.reason == 'it says "ture"; expected true, up, down or both, so both are taken'


def test_what_cannot_be_read_now_stays_paused() -> None:
    there = after(Orders(), {WEB: "true"})
    assert after(there, {}, frozenset({WEB})) == there


def test_a_persons_own_pause_of_the_same_object_neither_ends_nor_is_ended() -> None:
    by_hand = Order(id="1", at=NOW, what="pause", target=WEB, by="ann", reason="a test")
    both = after(Orders((by_hand,)), {WEB: "true"})
    assert [one.by for one in both.pauses] == ["ann", "annotation podium.dev/paused"]
    assert after(both, {}) == Orders((by_hand,))
    resume = Order(id="2", at=NOW, what="resume", target=WEB, by="ann", reason="done")
    assert [one.by for one in both.after(resume).pauses] == ["annotation podium.dev/paused"]
    assert both.of(WEB) == (by_hand,)
