"""Chance that depends on who is asked, not on how often: the same pod draws the same numbers in every run.

Each draw is a hash of (seed, pod, which draw), so that neither the order of calls nor the steps of time matter.
"""

from __future__ import annotations

import math

import numpy as np

from podium.loop.clusters.simulated.shape import Startup
from podium.model.arrays import Float64s, Int64s

_MASK = (1 << 64) - 1
_BACKOFF_FIRST = 10.0  # seconds: the kubelet waits 10 s after the first failure, doubles it each time …
_BACKOFF_LAST = 300.0  # … and never waits longer than five minutes
_ATTEMPTS = 40  # a start that failed this often is taken as good, so that a probability near 1 ends


def mixed(seed: int, pod: int, draw: int) -> int:
    """64 well-mixed bits (SplitMix64's finaliser; Steele, Lea, Flood 2014)."""
    value = (seed * 0x9E3779B97F4A7C15 + pod * 0xD1B54A32D192ED03 + draw * 0x8CB92BA72F3D8DD7 + 1) & _MASK
    for _ in range(2):
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
        value ^= value >> 31
    return value


def uniform(seed: int, pod: int, draw: int) -> float:
    """A number in [0, 1)."""
    return (mixed(seed, pod, draw) >> 11) / (1 << 53)


def wobble(seed: int, pods: Int64s, moment: int) -> Float64s:
    """[p] numbers in [-1, 1) for each pod at one moment: `mixed` for all of them at once."""
    with np.errstate(over="ignore"):
        value = pods.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03) + np.uint64(mixed(seed, moment, 0))
        for _ in range(2):
            value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            value ^= value >> np.uint64(31)
    return (value >> np.uint64(11)).astype(np.float64) / (1 << 52) - 1.0


def start_delay(startup: Startup, seed: int, pod: int, draw: int) -> float:
    """Seconds one start takes. Two draws are used for the normal deviate (Box and Muller, 1958)."""
    first, second = uniform(seed, pod, draw), uniform(seed, pod, draw + 1)
    if startup.distribution == "uniform":
        return startup.median * (1 + startup.spread * (2 * first - 1))
    normal = math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)
    return startup.median * math.exp(startup.spread * normal)


def backoff(failures: int) -> float:
    """Seconds the kubelet waits after the given number of failures in a row: 10, 20, 40 … 300."""
    return min(_BACKOFF_FIRST * 2.0 ** (failures - 1), _BACKOFF_LAST)


def start_up(startup: Startup, seed: int, pod: int) -> tuple[float, float, int]:
    """Seconds from a pod's scheduling until it runs and until it is Ready, and how often its container restarted."""
    running, failures = startup.pull, 0
    while failures < _ATTEMPTS and uniform(seed, pod, 3 * failures) < startup.pull_failures:
        failures += 1
        running += backoff(failures) + startup.pull
    ready, restarts = running, 0
    while True:
        draw = 1000 + 3 * restarts
        ready += start_delay(startup, seed, pod, draw)
        if restarts >= _ATTEMPTS or uniform(seed, pod, draw + 2) >= startup.crashes:
            return running, ready, restarts
        restarts += 1
        ready += backoff(restarts)
