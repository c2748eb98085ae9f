"""Rules that could not be answered, in words: nobody should wonder why a workload stands still."""

from __future__ import annotations

import collections
from collections.abc import Mapping

import numpy as np

from podium.loop.decide.limits import matching
from podium.loop.decide.table import PolicyTable
from podium.model.arrays import UNKNOWN
from podium.model.snapshot import Holds, Snapshot


def troubles(table: PolicyTable, snapshot: Snapshot) -> Mapping[int, tuple[str, ...]]:
    """Slot -> which of its rules nobody could answer, and what that does; only those with such a rule."""
    rules, held = table.rules, matching(table, snapshot.held).rules
    said: dict[int, list[str]] = collections.defaultdict(list)
    for row in np.flatnonzero((held == Holds.UNKNOWN) | (held == Holds.TOO_LONG)).tolist():
        text = " ".join(rules.expressions[rules.expression[row]].split())
        why = "took too long and was stopped" if held[row] == Holds.TOO_LONG else "cannot be answered"
        holds = rules.minimum[row] != UNKNOWN or rules.pause_down[row]
        effect = "the workload does not go down" if holds else "it does nothing"
        said[int(rules.slots[row])].append(f"rule `{text}` {why}: while that is so, {effect}")
    return {slot: tuple(words) for slot, words in said.items()}
