"""apimachinery's `resource.Quantity` to the last bit: its thousandths beyond int64, its float64, its canonical text.

`model.quantities` reads the same texts for the live loop and holds them inside int64. Upstream does not: more digits
than fit turn over, and a quantity of more than 18 digits is rounded by other rules than a short one.
"""

from __future__ import annotations

import dataclasses
import functools
import re

from podium.loop.evaluate.autoscaler import Quantity

_FORM = re.compile(
    r"(?P<sign>[+-]?)(?P<num>\d+(?=\.?)|(?=\.\d))\.?(?P<denom>\d*)(?P<suffix>[eE][+-]?\d+|[KMGTPE]i|[numkMGTPE]?)"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_SYMBOLS = {exponent: symbol for symbol, exponent in _DECIMAL.items()}
_MOST = 2**63 - 1
_DIGITS = 18  # that int64 surely holds


@dataclasses.dataclass(frozen=True, slots=True)
class _Amount:
    """value x 10^scale; `short` is upstream's int64Amount, else its inf.Dec."""

    value: int
    scale: int
    short: bool


def milli(quantity: Quantity) -> int:
    """`MilliValue`: thousandths, rounded up. Raises ValueError that shows what is no quantity."""
    text = str(quantity)
    if text.isdigit() and len(text) < 16:
        return int(text) * 1000
    if text[-1:] == "m" and text[:-1].isdigit() and len(text) < 18:
        return int(text[:-1])
    return _milli(text)


@functools.lru_cache(65_536)
def _milli(text: str) -> int:
    amount = _amount(text)
    shift = amount.scale + 3
    if shift >= 0:
        factor: int = 10**shift
        whole = amount.value * factor
        # Upstream multiplies by these powers in one step and lets it turn over; by others step by step, and gives up.
        return 0 if shift not in (0, 1, 2, 3, 6, 9) and abs(whole) > _MOST else _int64(whole)
    divisor: int = 10**-shift
    if amount.short:
        away = -(-abs(amount.value) // divisor)
        return away if amount.value >= 0 else -away
    if amount.value < _MOST:
        held = _int64(amount.value)
        cut, rest = divmod(abs(held), divisor)
        return (cut if held >= 0 else -cut) + bool(rest)
    return _int64(amount.value // divisor) + bool(amount.value % divisor)


def is_positive(quantity: Quantity) -> bool:
    """`Sign`: of the number as it is written, however much of it is lost later."""
    return _amount(str(quantity)).value > 0


def is_negative(quantity: Quantity) -> bool:
    """`Sign`, as above."""
    return _amount(str(quantity)).value < 0


@functools.lru_cache(4096)
def approximate(text: str) -> float:
    """`AsApproximateFloat64`: 0.3 is 3 x 10^-1 = 0.30000000000000004, and 300m is 0.3."""
    amount = _amount(text)
    return float(amount.value) if amount.scale == 0 else float(amount.value) * float(f"1e{amount.scale}")


def _amount(text: str) -> _Amount:
    """`ParseQuantity`."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity; expected a number with a unit, as in 250m, 2 or 64Mi")
    num, denom, suffix = match["num"].lstrip("0") or "0", match["denom"], match["suffix"]
    sign = -1 if match["sign"] == "-" else 1
    value = int(num + denom)
    if suffix in _BINARY[1:]:
        return _binary(sign, value, num, denom, 10 * _BINARY.index(suffix))
    exponent = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    scale = exponent - len(denom)
    if len(num) + len(denom) <= _DIGITS and scale >= -9:
        return _Amount(sign * value, scale, short=True)
    if value == 0:
        return _Amount(0, scale, short=False)
    return _Amount(sign * _billionths(value, scale), -9, short=False)


def _binary(sign: int, value: int, num: str, denom: str, power: int) -> _Amount:
    precise = 15 - len(num) - int(power * 3 / 10) - 1 >= 0
    if not denom and precise and value << power <= _MOST:
        return _Amount(sign * (value << power), 0, short=True)
    billionths = min(_billionths(value << power, -len(denom)), _MOST * 10**9)
    return _Amount(sign * billionths, -9, short=False)


def _billionths(value: int, scale: int) -> int:
    """Rounded up: whoever asks for something gets something."""
    factor: int = 10 ** abs(scale + 9)
    return value * factor if scale >= -9 else -(-value // factor)


def _int64(value: int) -> int:
    """The lowest 64 bits."""
    return (value + 2**63) % 2**64 - 2**63


def canonical(thousandths: int, *, binary: bool = False) -> str:
    """Thousandths as text: 2000000 is `2k`, 1500 is `1500m`; with `binary`, 1024000 is `1Ki`."""
    if thousandths == 0:
        return "0"
    value = thousandths
    if binary and abs(value) >= 1024_000 and value % 1000 == 0:
        number, power = value // 1000, 0
        while number % 1024 == 0:
            number, power = number // 1024, power + 1
        return f"{number}{_BINARY[power]}"
    exponent = -3
    while value % 10 == 0:
        value, exponent = value // 10, exponent + 1
    while exponent % 3:
        value, exponent = value * 10, exponent - 1
    return f"{value}{_SYMBOLS[exponent]}"
