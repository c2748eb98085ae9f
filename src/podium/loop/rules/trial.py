"""A first look at expressions, before anybody acts on them: are they conditions, and are they answered in time?"""

from __future__ import annotations

import json
import random
import re
import struct
import subprocess
from collections.abc import Mapping, Sequence

from podium.loop.rules.asked import COMMAND
from podium.loop.rules.plain import condition
from podium.loop.rules.worker import READY

LIMIT_SECONDS = 5.0  # for a process that is asked all of them, its start included
TOO_LONG = f"an expression that is answered at once; this one was not within {LIMIT_SECONDS:g} s"
ROWS = 32  # of values that each is tried with
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def trial(expressions: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What was expected instead of each expression that is no condition. `expressions`: text -> the names it reads.

    Each is asked with 1.0 for every name, and then with values on both sides of the numbers that it names: what stands
    behind `queue > 500 &&` is looked at, too. There only what could never be a condition is a mistake; a division by
    zero is one of the values. Where no process can be started nothing is said to be wrong: a rule
    that cannot be asked is unknown in every turn, and the page says so.
    """
    waiting = [text for text in expressions if condition(text) is None]
    wrong: dict[str, str] = {}
    while waiting:
        told, late = _asked([(text, expressions[text]) for text in waiting])
        wrong |= {text: f"a CEL condition: {words}" for text, words in zip(waiting, told, strict=False) if words}
        if not late:
            break
        wrong[waiting[len(told)]] = TOO_LONG
        waiting = waiting[len(told) + 1 :]
    return wrong


def _asked(jobs: Sequence[tuple[str, Sequence[str]]]) -> tuple[list[str], bool]:
    """(what each was answered, as far as there are answers; whether the next one took too long)."""
    sent = b""
    for text, names in jobs:
        head = json.dumps({"text": text, "names": list(names), "rows": ROWS, "trial": True}).encode()
        sent += len(head).to_bytes(4, "big") + head + _values(text, len(names))
    try:
        done = subprocess.run(COMMAND, input=sent, stdout=subprocess.PIPE, timeout=LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
        return _read(output, len(jobs)), output.startswith(READY)
    except OSError:
        return [], False
    told = _read(done.stdout, len(jobs))
    return told, done.stdout.startswith(READY) and len(told) < len(jobs)  # it died of one: of memory, mostly


def _values(text: str, names: int) -> bytes:
    """A column of values for each name, the first of which is 1: the same for the same text."""
    named = [float(number) for number in _NUMBER.findall(text)[:32]]
    pool = sorted({0.0, 1.0, 1e9, *(number + by for number in named for by in (-1.0, 1.0))})
    chance = random.Random(text)  # noqa: S311  nothing is secret here
    columns = [[1.0, *chance.choices(pool, k=ROWS - 1)] for _ in range(names)]
    return b"".join(struct.pack(f"<{ROWS}d", *column) for column in columns)


def _read(output: bytes, most: int) -> list[str]:
    told: list[str] = []
    place = len(READY)
    while len(told) < most and len(output) >= place + 4:
        length = int.from_bytes(output[place : place + 4], "big")
        if len(output) < place + 4 + length:
            break
        answer = json.loads(output[place + 4 : place + 4 + length])
        told.append(answer["wrong"])
        place += 4 + length + int(answer["rows"])
    return told
