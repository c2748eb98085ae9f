"""One line of the doctor's answer."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "hint", "wrong"]


class Row(msgspec.Struct, frozen=True):
    """What was looked at, how it is, and what to do about it."""

    what: str
    state: State
    words: str
    remedy: str = ""
