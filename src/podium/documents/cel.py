"""CEL, looked at and not understood: are its quotes closed and its brackets in pairs? Which names does it read?

Strings are those of the language definition: '…' and "…" end with their line, three quotes span lines, and a
backslash takes the next sign along unless an r stands before the quote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(
    r"""
    //[^\n]*
    | [bB]?[rR][bB]?(?:\"{3}[\s\S]*?\"{3} | '{3}[\s\S]*?'{3} | "[^"\n]*" | '[^'\n]*')
    | \"{3}(?:\\[\s\S] | [^\\])*?\"{3} | '{3}(?:\\[\s\S] | [^\\])*?'{3}
    | "(?:\\. | [^"\\\n])*" | '(?:\\. | [^'\\\n])*'
    | \w+
    | (?P<sign>[()\[\]{}"'])
    """,
    re.VERBOSE,
)
_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}


def problem(text: str) -> str:
    """What was expected instead of an expression that cannot be CEL; "" when nothing is wrong at this depth."""
    open_brackets: list[tuple[str, int]] = []
    for match in _TOKEN.finditer(text):
        sign, column = match["sign"], match.start() + 1
        if sign is None:
            continue
        if sign in "\"'":
            return f"CEL with every quote closed; the {sign} at its character {column} is not"
        if sign in _CLOSED_BY:
            open_brackets.append((sign, column))
        elif not open_brackets or _CLOSED_BY[open_brackets.pop()[0]] != sign:
            return f"CEL with its brackets in pairs; the {sign} at its character {column} closes nothing"
    if open_brackets:
        sign, column = open_brackets[-1]
        return f"CEL with its brackets in pairs; the {sign} at its character {column} is not closed"
    return "" if text.strip() else "a CEL expression"


_NAME = re.compile(r"[A-Za-z_]\w*")


def words(text: str) -> tuple[str, ...]:
    """Every name in an expression, in order; what stands in quotes or behind a dot is none."""
    found = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if _NAME.fullmatch(token) and text[: match.start()].rstrip()[-1:] != ".":
            found.append(token)
    return tuple(found)


_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_WORDS = frozenset({"true", "false", "null", "in", "int", "uint", "double", "string", "bytes", "bool", "list", "map"})


def free(text: str) -> tuple[str, ...]:
    """The names that must be given to an expression: no words of the language, no functions, none that it binds."""
    bound = set(_BOUND.findall(text))
    called = {match.group(1) for match in re.finditer(r"([A-Za-z_]\w*)\s*\(", text)}
    return tuple(dict.fromkeys(word for word in words(text) if word not in _WORDS | bound | called))


def spoken(names: Iterable[str]) -> dict[str, str]:
    """Names as an expression writes them -> as they are: what no name of CEL may hold is `_`, as in `http_errors`."""
    return {re.sub(r"\W", "_", name): name for name in names}
