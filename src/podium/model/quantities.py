"""Kubernetes quantities (`250m`, `64Mi`, `1e3`) as exact thousandths, and back.

The scheme is apimachinery's `resource.Quantity`: a decimal number with a suffix. Values are rounded *up* to
thousandths, as `MilliValue` does, so that 1000001n is 2m; they saturate at int64.
"""

from __future__ import annotations

import functools
import re
from fractions import Fraction

MAX_MILLI = 2**63 - 1

_QUANTITY = re.compile(r"(?P<sign>[+-]?)(?P<number>\d+\.?\d*|\.\d+)(?P<suffix>[eE][+-]?\d+|[KMGTPE]i|[numkMGTPE]?)")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


@functools.lru_cache(4096)  # a fleet's documents write few different quantities; each takes 20 us
def parse_milli(text: str) -> int:
    """Thousandths of a quantity. Raises ValueError that shows the expected form."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity; expected a number with a unit, as in 250m, 2 or 64Mi")
    suffix = match["suffix"]
    if suffix in _BINARY:
        scale = Fraction(1024 ** _BINARY[suffix])
    elif suffix in _DECIMAL:
        scale = Fraction(10) ** _DECIMAL[suffix]
    else:
        scale = Fraction(10) ** max(-30, min(30, int(suffix[1:])))
    exact = Fraction(match["number"]) * scale * 1000
    milli = -(-exact.numerator // exact.denominator)  # away from zero, as apimachinery rounds
    milli = min(milli, MAX_MILLI)
    return -milli if match["sign"] == "-" else milli


def format_milli(milli: int) -> str:
    """The shortest decimal form: 250 -> `250m`, 2000 -> `2`, 1500 -> `1500m`."""
    whole, rest = divmod(milli, 1000)
    return f"{milli}m" if rest else str(whole)
