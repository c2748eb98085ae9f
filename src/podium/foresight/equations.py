"""Normal equations of n ridge regressions at once, each of q outcomes on the same p numbers, fading as time passes.

Instead of shrinking all old samples at every new one, new samples grow: sums weigh the same, and each is written once
(378 sums of 100,000 slots are 151 MB). When what grows has become large, everything of that slot is scaled down.
"""

from __future__ import annotations

import functools

import numpy as np

from podium.foresight.memory import Array, Field, Memory
from podium.model.arrays import Float32s, Float64s, Int64s

PULL = 60.0  # samples of usual weight that speak for a coefficient of 0
FREE = 1e-3  # the same for the last number, the constant
FLOOR = 0.1  # of the numbers' mean square: one that hardly ever moved yet is taken for at least that large
TIMES_A_DAY = 2
YOUNG_DAYS = 1.0  # a slot that knows less is solved more often:
YOUNG_TIMES_A_DAY = 6
ENOUGH = 12.0  # samples before anything is said
LARGEST = np.float32(1e4)
FARTHEST = np.float32(4)  # times its usual size: a number further out than that is taken for so much
DOUBTED = np.float32(0.05)  # what is left of old sums when the numbers change their meaning
AT_ONCE = 256  # slots solved together: their matrices fit a cache


def fields(size: int, outcomes: int) -> dict[str, Field]:
    """Sums for `size` numbers and so many outcomes, and the coefficients solved last."""
    return {
        "square": Field((size * (size + 1) // 2,), 0.0),  # the upper triangle, row by row
        "cross": Field((size, outcomes), 0.0),
        "coefficients": Field((size, outcomes), 0.0),
        "bounds": Field((size,), np.inf),
        "samples": Field(fill=0.0),
        "grown": Field(fill=1.0),
        "turn": Field(fill=-1, dtype=np.int32),  # which share of the day is this slot's; -1: nothing ever moved
    }


def learn(memory: Memory, vector: Float32s, outcomes: Float32s, weight: Float32s, length: float) -> None:
    """Take in a sample per slot: [p, n], [q, n] and [n] weights, 0 where there is none. `length` samples are kept."""
    taken = weight > 0
    if not taken.any():
        return
    _assign(memory, vector, outcomes, taken)
    samples, grown = memory["samples"], memory["grown"]
    samples += taken
    np.multiply(grown, np.float32(length / (length - 1)), out=grown, where=taken)
    pulled = vector * (weight * grown)
    square, cross, row = memory["square"], memory["cross"], 0
    for i in range(len(vector)):
        square[row : row + len(vector) - i] += pulled[i] * vector[i:]
        cross[i] += pulled[i] * outcomes
        row += len(vector) - i
    large = np.flatnonzero(grown > LARGEST)
    if len(large):
        square[:, large] /= grown[large]
        cross[..., large] /= grown[large]
        grown[large] = 1


def doubt(memory: Memory, slots: Int64s) -> None:
    """The numbers of these slots mean something else from now on: what was learned of them hardly counts."""
    for name in ("square", "cross"):
        memory[name][..., slots] *= DOUBTED


def solve(memory: Memory, step: int, steps_a_day: int) -> None:
    """Solve anew for the slots whose turn it is at `step`."""
    samples, turn = memory["samples"], memory["turn"]
    often = max(1, steps_a_day // YOUNG_TIMES_A_DAY)
    seldom = max(1, steps_a_day // TIMES_A_DAY)
    due = (turn >= 0) & (samples >= ENOUGH) & (turn % often == step % often)
    if not due.any():
        return
    due &= (turn % seldom == step % seldom) | (samples < YOUNG_DAYS * steps_a_day)
    slots = np.flatnonzero(due)
    for start in range(0, len(slots), AT_ONCE):
        some = slots[start : start + AT_ONCE]
        coefficients, sizes = _solved(memory, some)
        memory["coefficients"][..., some] = coefficients.transpose(1, 2, 0)
        memory["bounds"][:, some] = FARTHEST * sizes.T


def bound(memory: Memory, vector: Float32s, rows: list[int]) -> None:
    """Take back these numbers of a vector [p, n] to where the line was learned, in place."""
    bounds = memory["bounds"][rows]
    vector[rows] = np.minimum(np.maximum(vector[rows], -bounds), bounds)


def answer(memory: Memory, vector: Float32s) -> Float32s:
    """[q, n] what is expected given [p, n] numbers."""
    return np.asarray(np.einsum("pqn,pn->qn", memory["coefficients"], vector))


def _assign(memory: Memory, vector: Float32s, outcomes: Float32s, taken: Array) -> None:
    """Give slots their turn, drawn from their own first moving sample: alone or in company, it is the same one."""
    turn = memory["turn"]
    anew = np.flatnonzero(taken & (turn < 0) & (outcomes != 0).any(axis=0))
    if len(anew):
        bits = np.concatenate((vector[:, anew], outcomes[:, anew])).view(np.uint32).astype(np.uint64).sum(axis=0)
        turn[anew] = (bits * np.uint64(2_654_435_761) >> np.uint64(8)) % np.uint64(1 << 30)


def _solved(memory: Memory, slots: Int64s) -> tuple[Float64s, Float64s]:
    """[m, p, q] the coefficients of some slots, and [m, p] the usual size of each number."""
    size = memory["cross"].shape[0]
    grown = memory["grown"][slots].astype(np.float64)
    upper = memory["square"][:, slots].astype(np.float64) / grown
    square = np.ascontiguousarray(upper.T)[:, _places(size)]
    cross = (memory["cross"][..., slots] / grown).transpose(2, 0, 1)
    diagonal = np.arange(size)
    sizes = square[:, diagonal, diagonal]
    usual = FLOOR * sizes[:, :-1].mean(axis=1, keepdims=True)
    count = np.maximum(sizes[:, -1:], 1e-9)
    scale = np.sqrt(np.maximum(np.maximum(sizes, usual) / count, 1e-12))
    square /= scale[:, :, None] * scale[:, None, :]
    square[:, diagonal[:-1], diagonal[:-1]] += PULL
    square[:, -1, -1] += FREE
    solved = np.linalg.solve(square, cross / scale[:, :, None]) / scale[:, :, None]
    return np.asarray(solved), scale


@functools.cache
def _places(size: int) -> Int64s:
    """[p, p] where each entry of a symmetric matrix lies in its upper triangle."""
    out = np.zeros((size, size), np.int64)
    rows, columns = np.triu_indices(size)
    out[rows, columns] = out[columns, rows] = np.arange(len(rows))
    return out
