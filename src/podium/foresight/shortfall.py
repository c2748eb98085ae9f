"""The level that keeps a promise: how sure the floor must be so that the asked share of the load stays unserved.

No quantile serves a given share by itself: what is lost hangs on how far and for how long a load exceeds it, and on the
replicas that the last minutes' load keeps. So the level is controlled by what following the floor to the letter has
left unserved: the floor's replicas serve one start after they were asked for, and those that the load of the last
five minutes needs stay. A start is spread as it was measured: the shortfall is expected over eight equally likely ones,
so that nobody pays as if every start were the slowest, and slow ones are paid for as often as they come.

In every step the level's log-odds rise by GAIN x (shortfall / allowed shortfall - 1), at most LARGEST times, where PART
of the asked share is allowed: so most are within it, not half of them. It may fall far below a half: the load of the
last minutes carries most of what a lenient share needs.

What a person, a limit, a pause or a slow node keeps back does not count: the floor did ask for it.
"""

from __future__ import annotations

import math

import numpy as np

from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float32s, Float64s, Int64s

GAIN = 0.0002  # a minute: a day without any shortfall lowers the log-odds by .29
LARGEST = 2250.0  # a minute counts as so many times its allowance at most: .45 in log-odds
PART = 0.6
LOWEST = 0.02  # a floor lower still adds nothing to what the last minutes' load keeps
START_FACTOR = 10.0  # one thousandth unserved begins at the .99 quantile
START_LOWEST = 0.5
USUAL_SECONDS = 3 * 86_400.0
PEAK_SECONDS = 14 * 86_400.0
SHARE_SECONDS = 14 * 86_400.0  # over which the realised share is told
BEYOND = np.float32(1.5)  # times the highest load of the last weeks: more is not prepared for
HOLD_SECONDS = 300.0  # replicas that the load needed stay so long, as an HPA's do
STEADY = 0.03  # fewer replicas by less than this part are not worth the change
LEARNING_SECONDS = 86_400.0  # until then the level stays where it began

_LOWEST_ODDS = math.log(LOWEST / (1 - LOWEST))


def fields(longest: int) -> dict[str, Field]:
    """What is remembered per slot."""
    return {
        "odds": Field(dtype=np.float64),  # log-odds of the level; NaN: nobody asked yet
        "usual": Field(),  # mean load
        "unit": Field(),  # load of one replica, as it was taken for last
        "peak": Field(fill=0.0),  # highest load, fading
        "age": Field(fill=0.0),  # seconds since the first load
        "missed": Field(fill=0.0),  # fading sums, of which the realised share is made
        "asked": Field(fill=0.0),
        "orders": Field((longest,)),  # what the floor would have ordered, as a load that it serves
    }


def highest_level(risk: Float64s) -> Float64s:
    """[n] no level goes beyond it: what comes in less than half of the asked share of minutes is not prepared for."""
    return 1 - risk / 2


def level(memory: Memory, risk: Float64s) -> Float64s:
    """[n] the level that a floor is to have now; NaN where no risk is asked."""
    odds = memory["odds"]
    begin = _log_odds(np.clip(1 - START_FACTOR * risk, START_LOWEST, highest_level(risk)))
    memory["odds"][...] = np.where(np.isnan(odds), begin, odds)
    bounded = np.clip(memory["odds"], _LOWEST_ODDS, _log_odds(highest_level(risk)))
    out: Float64s = 1 / (1 + np.exp(-bounded))
    return out


def follow(memory: Memory, step: int, starts: Int64s, loads: Float32s, risk: Float64s, step_seconds: float) -> None:
    """Take in the [n] loads of a step: what of them the orders of the last steps would have left unserved.

    `starts` [k, n] are the steps that equally likely starts take; 0: unknown.
    """
    known = ~np.isnan(loads)
    usual, peak, age = memory["usual"], memory["peak"], memory["age"]
    usual[...] = np.where(np.isnan(usual), loads, usual)
    np.add(usual, np.float32(step_seconds / USUAL_SECONDS) * (loads - usual), out=usual, where=known)
    peak *= np.float32(np.exp(-step_seconds / PEAK_SECONDS))
    np.fmax(peak, loads, out=peak)
    age += (known | (age > 0)) * np.float32(step_seconds)
    short = _expected_short(memory, step, starts, loads)
    counted = known & ~np.isnan(short)
    short = np.where(counted, short, 0)
    kept = np.float32(1 - min(step_seconds / SHARE_SECONDS, 1.0))
    for name, values in (("missed", short), ("asked", np.where(counted, loads, 0))):
        memory[name][...] = memory[name] * kept + values
    controlled = counted & (age > LEARNING_SECONDS) & ~np.isnan(risk) & (usual > 0)
    allowed = np.where(controlled, PART * risk * usual, 1.0)
    turn = np.minimum(short / allowed, LARGEST) - 1
    odds = memory["odds"] + np.where(controlled, GAIN * step_seconds / 60.0 * turn, 0.0)
    asked = ~np.isnan(risk)
    highest = _log_odds(highest_level(np.where(asked, risk, 0.5)))
    memory["odds"][...] = np.where(asked, np.clip(odds, _LOWEST_ODDS, highest), memory["odds"])


def order(memory: Memory, step: int, floor: Float32s, capacity: Float64s) -> None:
    """Note what is ordered in this step: for the `floor` [n], which carries the load of the last five minutes too."""
    orders = memory["orders"]
    wanted = floor.astype(np.float64)
    whole = np.where(np.isnan(capacity), wanted, np.ceil(wanted / capacity - 1e-9) * capacity)
    before = orders[(step - 1) % len(orders)]
    stays = (whole < before) & (whole >= (1 - STEADY) * before)
    orders[step % len(orders)] = np.where(stays, before, whole)


def bounded(memory: Memory, floor: Float32s) -> Float32s:
    """[n] a floor as far as it is prepared for."""
    out: Float32s = np.minimum(floor, BEYOND * memory["peak"])
    return out


def realised(memory: Memory) -> Float32s:
    """[n] share of the load of the last two weeks that following the floor left unserved; NaN: not known."""
    asked = memory["asked"]
    return np.divide(memory["missed"], asked, out=np.full_like(asked, np.nan), where=asked > 0)


def _expected_short(memory: Memory, step: int, starts: Int64s, loads: Float32s) -> Float32s:
    """[n] what of the loads is not served, as a mean over equally likely starts; NaN: not known.

    After a start of k steps those replicas serve that were ordered throughout the last k.
    """
    orders = memory["orders"]
    least = np.full(memory.size, np.inf, np.float32)
    total = np.zeros(memory.size, np.float32)
    told = np.zeros(memory.size, np.int64)
    for back in range(1, int(starts.max(initial=0)) + 1):
        np.minimum(least, orders[(step - back) % len(orders)], out=least)  # NaN stays: unknown
        alike = (starts == back).sum(axis=0)
        total += np.where(alike > 0, alike * np.maximum(loads - least, 0), 0).astype(np.float32)
        told += alike
    out = np.full(memory.size, np.nan, np.float32)
    np.divide(total, np.float32(len(starts)), out=out, where=told == len(starts))
    return out


def _log_odds(level: Float64s) -> Float64s:
    with np.errstate(divide="ignore"):
        out: Float64s = np.log(level / (1 - level))
    return out
