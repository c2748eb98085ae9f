"""Conditions that arrays can answer: comparisons and sums of signals, joined by `&&`, `||` and `!`.

Most rules are of this kind. They are total and take a number of steps that their length bounds, so they need no
process: 100,000 workloads take a millisecond, where CEL's library takes 600. What is accepted means in CEL exactly
what it means here (a test holds the two against each other); everything else is left to CEL.

Numbers are float64. CEL does not mix whole numbers and fractions in sums, so a sum takes `2.0` and not `2`; a
comparison takes both. A quotient's divisor is a number that is not zero.
"""

from __future__ import annotations

import ast
import functools
import keyword
import math
import re
from collections.abc import Callable, Mapping

import numpy as np

from podium.documents import cel
from podium.model.arrays import Bools, Float64s

Condition = Callable[[Mapping[str, Float64s]], Bools]
_NUMBER = r"\d+\.\d+(?:[eE][+-]?\d+)?(?![\w.])|\d+(?![\w.])"
_ALLOWED = re.compile(rf"(?:[A-Za-z_]\w*|{_NUMBER}|&&|\|\||[<>]=?|[=!]=|[-+*/()!]|\s)+")
_PYTHON = {"&&": " and ", "||": " or ", "!": "~"}
_WORDS = frozenset(keyword.kwlist) | {"null", "true", "false"}
_COMPARES: dict[type[ast.cmpop], Callable[[Float64s, Float64s], Bools]] = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal, ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}  # fmt: skip
_SUMS: dict[type[ast.operator], Callable[[Float64s, Float64s], Float64s]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
}  # fmt: skip


@functools.lru_cache(10_000)
def condition(text: str) -> Condition | None:
    """What answers `text` over arrays, a value per row of every name it reads; None: only CEL can.

    Every value must be a finite number: what is unknown makes a rule unknown before anybody is asked.
    """
    if _ALLOWED.fullmatch(text) is None or not _WORDS.isdisjoint(cel.words(text)):
        return None
    translated = re.sub(r"&&|\|\||!(?!=)", lambda match: _PYTHON[match.group()], " ".join(text.split()))
    try:
        tree = ast.parse(translated.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    try:
        return _truth(tree)
    except (_Other, RecursionError):
        return None


class _Other(Exception):
    """Something that is left to CEL."""


def _truth(node: ast.expr) -> Condition:
    match node:
        case ast.BoolOp(op=op, values=values):
            parts, join = [_truth(one) for one in values], np.logical_and if isinstance(op, ast.And) else np.logical_or
            return lambda row: functools.reduce(join, [part(row) for part in parts])
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            inner = _truth(operand)
            return lambda row: np.logical_not(inner(row))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARES:
            compare, one, other = _COMPARES[type(op)], _number(left, alone=True), _number(right, alone=True)
            if _is_whole(left) and _is_whole(right):
                raise _Other  # CEL compares them as whole numbers
            return lambda row: compare(one(row), other(row))
    raise _Other


Number = Callable[[Mapping[str, Float64s]], Float64s]


def _number(node: ast.expr, *, alone: bool = False) -> Number:
    match node:
        case ast.Name(id=name):
            return lambda row: row[name]
        case ast.Constant(value=float(value)) if math.isfinite(value):
            return lambda _: np.asarray(value)
        case ast.Constant(value=int(value)) if alone and not isinstance(value, bool) and value < 2**53:
            return lambda _: np.asarray(float(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _number(operand, alone=alone)
            return lambda row: np.negative(inner(row))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SUMS:
            if isinstance(op, ast.Div) and not (isinstance(right, ast.Constant) and right.value):
                raise _Other
            apply, one, other = _SUMS[type(op)], _number(left), _number(right)
            return lambda row: apply(one(row), other(row))
    raise _Other


def _is_whole(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant) and isinstance(inner.value, int)
