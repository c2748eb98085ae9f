"""`podium pause`, `resume` and `believe` against a running Podium, and what `explain` then says."""

from __future__ import annotations

import pytest
from tests.cli.outside import Done, podium
from tests.journeys.installation import Installation

pytestmark = pytest.mark.slow


def asked(place: Installation, *words: str) -> Done:
    return podium(*words, at=place.folder)


def test_a_pause_is_given_named_and_taken_back(place: Installation) -> None:
    given = asked(place, "pause", "shop/web", "--direction", "down", "--for", "300h", "--reason", "a load test")
    assert (given.code, given.out.splitlines()[0]) == (0, "paused: shop/web"), given.err
    assert "scaling down of" in given.out
    assert ": a load test" in given.out
    began = place.asked("/api/v1/fleet")["tick"]
    place.until_turn(began + 2)
    told = asked(place, "explain", "web", "-o", "json").answer
    assert told["inputs"]["paused down"].endswith(": a load test")
    back = asked(place, "resume", "shop/web", "--reason", "it is over")
    assert (back.code, "taken back: scaling down" in back.out) == (0, True), back.err
    again = asked(place, "resume", "shop/web", "--reason", "once more")
    assert (again.code, again.err.startswith("podium: nothing is paused there")) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("pause", "everything", "--reason", "x", "--dry-run"), 0, "would be: paused: everything"),
        (("pause", "shop/*", "--reason", "x", "--dry-run"), 0, "would be: paused: shop/*"),
        (("pause", "wep", "--reason", "x"), 2, "no workload 'wep'"),
        (("pause", "web", "--reason", " "), 2, "reason"),
        (("pause", "web", "--reason", "x", "--for", "soon"), 2, "for: expected"),
        (("pause", "nowhere/*", "--reason", "x"), 2, "no workload is known in namespace nowhere"),
        (("pause", "web"), 2, "--reason"),
        (("believe", "graphite", "--reason", "x"), 2, "no source graphite"),
        (("pause", "web", "--reason", "x", "--url", "http://127.0.0.1:9", "--token", "t" * 20), 3, "is `podium run`"),
    ],
)
def test_every_answer_has_its_exit_code_and_one_clear_line(
    place: Installation, words: tuple[str, ...], code: int, said: str
) -> None:
    done = asked(place, *words)
    assert (done.code, said in done.out + done.err) == (code, True), done.out + done.err
    assert "Traceback" not in done.err
