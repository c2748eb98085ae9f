"""Keys of a live table: pages, order, filter."""

from __future__ import annotations

from podium.cli.window import Window


def test_pages_turn_forth_and_back() -> None:
    window = Window({}, "state")
    window.answered(10, "mark-1")
    window.typed("j")
    assert window.asked(10) == {"sort": "state", "limit": "10", "cursor": "mark-1"}
    window.answered(10, "mark-2")
    window.typed("\x1b[B")
    assert (window.first, window.asked(5)["cursor"]) == (20, "mark-2")
    window.answered(3, None)
    window.typed("j")  # there is no page behind it
    assert window.first == 20
    window.typed("kk")
    assert (window.first, "cursor" in window.asked(10)) == (0, False)


def test_another_order_begins_at_the_first_page() -> None:
    window = Window({"tenant": "shop"}, "key")
    window.answered(10, "mark-1")
    window.typed("jsr")
    assert window.asked(10) == {"tenant": "shop", "sort": "-tenant", "limit": "10"}


def test_a_filter_is_typed_corrected_and_used() -> None:
    window = Window({"filter": "web"}, "key")
    window.typed("/")
    assert window.words().startswith("filter: web")
    window.typed("\x7f\x7f\x7fstate:helf\x7fd qs")
    assert window.asked(10)["filter"] == "web"
    window.typed("\r")
    assert window.asked(10)["filter"] == "state:held qs"


def test_a_filter_left_with_escape_stays_as_it_was() -> None:
    window = Window({}, "key")
    assert window.typed("/nonsense\x1b") is False
    assert "filter" not in window.asked(10)


def test_only_q_leaves() -> None:
    assert [Window({}, "key").typed(keys) for keys in ("x", "\x1b[C", "", "é", "q")] == [
        False,
        False,
        False,
        False,
        True,
    ]
