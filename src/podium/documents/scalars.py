"""What a YAML scalar means to the Kubernetes API server: the rules of sigs.k8s.io/yaml, on the way to JSON.

That is YAML 1.1 as go-yaml v2 reads it: `n`, `off` and `yes` are booleans, `0644` and `0o644` are octal, timestamps
are text, and `1e3` is the whole number 1000, because JSON writes it so. `tests/documents/scalars.json` holds what the
real thing answers.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import math
import re
from typing import TypeAlias

import numpy as np

Scalar: TypeAlias = bool | int | float | str | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMBER_STARTS = frozenset("+-0123456789")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DOT_FLOAT = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
_DATE = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"((?P<t>[Tt ])(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2}):(?P<second>[0-9]{1,2})([.,][0-9]+)?"
    r"(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
_DATE_PARTS = ("year", "month", "day", "hour", "minute", "second")
_INT_BASES = (
    (re.compile(r"0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"0[oO]([0-7]+)"), 8),
    (re.compile(r"0[bB]([01]+)"), 2),
)
_OCTAL = re.compile(r"0[0-7]*")
_DECIMAL = re.compile(r"[1-9][0-9]*")
_SIGNED_BINARY = re.compile(r"(-?)0b([-+]?)([01]+)")

_PREFIX = "tag:yaml.org,2002:"
_RESOLVED = {_PREFIX + name for name in ("bool", "int", "float", "null", "timestamp")}


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar without a tag."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first == ".":
        return _float(text.replace("_", ""), text) if _DOT_FLOAT.fullmatch(text) else text
    if first not in _NUMBER_STARTS:
        return text  # timestamps, which go on as the text they are, fail every form of number below
    digits = text.replace("_", "")
    whole = _integer(digits)
    if whole is not None:
        return whole
    if _FLOAT.fullmatch(digits):
        return _float(digits, text)
    binary = _SIGNED_BINARY.fullmatch(digits)
    # go-yaml hands what follows 0b to a parser that takes signs: 0b-101 is -5, but -0b-101 is text.
    if binary is not None and not (binary[1] and binary[2]):
        number = int(binary[1] + binary[2] + binary[3], 2)
        return number if -(2**63) <= number < 2**63 else text
    return text


def tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with an explicit tag. Raises ValueError when the text does not fit the tag."""
    if tag == _PREFIX + "binary":
        try:
            return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise ValueError("base64 after !!binary") from None
    if tag not in _RESOLVED:
        return text
    name = tag.removeprefix(_PREFIX)
    value = plain(text)
    if name == "timestamp" and _is_timestamp(text):
        return text
    if name == "float" and isinstance(value, int) and not isinstance(value, bool) and value < 2**63:
        return float(value)
    if name != _name(value):
        raise ValueError(f"something that is a !!{name}")
    return value


def key(value: Scalar) -> str:
    """The JSON key that a YAML key becomes. Raises ValueError for one that has no such form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _shortest(value)
    if value is None or value >= 2**63:
        raise ValueError("a key that is text, a number or a boolean")
    return str(value)


def _name(value: Scalar) -> str:
    if value is None:
        return "null"
    return {bool: "bool", int: "int", float: "float", str: "str"}[type(value)]


def _integer(text: str) -> int | None:
    """Go's ParseInt with base 0, and ParseUint beyond it: 64 bits, else None."""
    sign = text[:1] if text[:1] in "+-" else ""
    body = text[len(sign) :]
    number: int | None = None
    for form, base in _INT_BASES:
        match = form.fullmatch(body)
        if match is not None:
            number = int(match[1], base)
    if _OCTAL.fullmatch(body):
        number = int(body, 8)
    elif len(body) <= 20 and _DECIMAL.fullmatch(body):
        number = int(body)
    if number is None:
        return None
    number = -number if sign == "-" else number
    # ParseUint takes no sign: +18446744073709551615 falls through to float.
    return number if -(2**63) <= number < (2**63 if sign else 2**64) else None


def _float(digits: str, text: str) -> Scalar:
    value = float(digits)
    return text if math.isinf(value) else value  # 1e400 does not fit, and stays text


def _is_timestamp(text: str) -> bool:
    """Whether Go takes it for a time: a date, a date and time with a zone, or with a space and none."""
    match = _DATE.fullmatch(text)
    if match is None or (match["t"] is not None and (match["t"] == " ") == (match["zone"] is not None)):
        return False
    try:
        year, month, day, hour, minute, second = (int(match[name] or 0) for name in _DATE_PARTS)
        datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        return False
    return True


def _shortest(value: float) -> str:
    """Go's FormatFloat(value, 'g', -1, 32): the fewest digits that tell a float32 apart."""
    if math.isnan(value):
        return ".nan"
    with np.errstate(over="ignore"):
        single = np.float32(value)
    if np.isinf(single):
        return ".inf" if value > 0 else "-.inf"
    mantissa, _, exponent = np.format_float_scientific(single, trim="-").partition("e")
    power = int(exponent)
    if not -4 <= power < 6:
        return f"{mantissa}e{power:+03d}"
    return np.format_float_positional(single, trim="-")
