"""The list of errors for people stays in step with the rooms that raise them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import podium
from podium.cli import outcome

# Names by which rooms call what a person must read; the rest is translated before it leaves its room.
NAMES = ("Temporary", "Permanent", "Invalid", "Led", "StaleLeader", "Garbage")
INSIDE = {
    "podium.loop.clusters.port.StaleLeader",  # a conflict, which the loop itself answers
    "podium.loop.evaluate.answers.Invalid",  # a bad line, which `podium policy eval` names by its file
}


def rooms() -> Iterator[type[Exception]]:
    for module in pkgutil.walk_packages(podium.__path__, "podium."):
        if ".migrations" in module.name or ".cli" in module.name:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if name in NAMES and isinstance(value, type) and value.__module__ == module.name:
                yield value


def test_every_listed_kind_is_there() -> None:
    for module, name, code in outcome.KINDS:
        assert issubclass(getattr(importlib.import_module(module), name), Exception)
        assert code in (outcome.BAD_INPUT, outcome.OUT_OF_REACH)


def test_every_kind_that_a_room_defines_is_listed() -> None:
    found = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in rooms()}
    unknown = [name for name, kind in found.items() if outcome.known(kind.__new__(kind)) is None]
    assert set(unknown) == INSIDE
    assert len(found) > len(INSIDE) + 8


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (outcome.BadInput("no such thing"), 2, "podium: no such thing\n"),
        (outcome.OutOfReach("nobody there"), 3, "podium: nobody there\n"),
        (KeyboardInterrupt(), 130, ""),
        (ExceptionGroup("tasks", [importlib.import_module("podium.api.server").Permanent("taken")]), 2,
         "podium: taken\n"),
    ],
)  # fmt: skip
def test_an_ending_is_one_message_and_one_code(
    raised: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        raise raised

    assert (outcome.of(run), capsys.readouterr().err) == (code, said)


def test_a_mistake_of_our_own_is_not_hidden() -> None:
    def run() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        outcome.of(run)
