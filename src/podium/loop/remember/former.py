"""What earlier versions left in the ledger, in today's form: a restart on their checkpoints forgets nothing."""

from __future__ import annotations

import numpy as np

from podium.loop.decide.state import NONE
from podium.model.arrays import Bools, Columns, Float64s, Int64s


def state_columns(stored: Columns) -> Columns:
    """The columns of a checkpoint. The first version kept a ring [k, n] of times and counts for every slot."""
    if "state.recommended.outdated" not in stored:
        return stored
    rings = ("recommended", "raised", "lowered")
    kept = {name: array for name, array in stored.items() if name.split(".")[1] not in rings}
    for name in rings:
        at = np.asarray(stored[f"state.{name}.at"], np.float64)
        value = np.asarray(stored[f"state.{name}.value"], np.int64)
        outdated = np.asarray(stored[f"state.{name}.outdated"], np.bool_)
        found = _rows(at, value) if name == "recommended" else _events(at, value, outdated)
        kept |= {f"state.{name}.{part}": array for part, array in found.items()}
    return kept


def is_digest(recorded: str) -> bool:
    """Whether it is of a state in an earlier form, which nothing can be compared with. The first was digits alone."""
    return len(recorded) == 64 or recorded.startswith("2:")


def _rows(at: Float64s, value: Int64s) -> Columns:
    """A row for each moment, and one more where a slot has two proposals of it: its first sight and its first turn."""
    moments, rows = [], []
    for moment in np.unique(at[~np.isnan(at)]).tolist():
        here = at == moment
        for number in range(int(here.sum(axis=0).max())):
            chosen = here & (np.cumsum(here, axis=0) == number + 1)
            moments.append(moment)
            rows.append(np.where(chosen, value, NONE).max(axis=0, initial=NONE))
    return {
        "at": np.array(moments, np.float64),
        "value": np.array(rows, np.int64).reshape(len(rows), at.shape[1]),
        "seeded": np.array((~np.isnan(at)).any(axis=0), np.bool_),
    }


def _events(at: Float64s, value: Int64s, outdated: Bools) -> Columns:
    slot, entry = np.nonzero(~np.isnan(at.T))
    return {
        "at": at[entry, slot],
        "slot": slot.astype(np.int32),
        "change": value[entry, slot],
        "outdated": outdated[entry, slot],
    }
