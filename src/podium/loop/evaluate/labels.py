"""Label selectors as upstream reads, refuses, prints and matches them: also those that it refuses, word for word.

`clients.kubernetes.selectors` is what the live loop uses. Here the words of every mistake are part of the answer.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Iterator, Mapping

from podium.clients.kubernetes.objects import LabelSelector

_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_DOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_CHARACTERS = (
    "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_BAD_NAME = f"must {_CHARACTERS} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME}')"
_BAD_VALUE = (
    f"a valid label must be an empty string or {_CHARACTERS} "
    f"(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({_NAME})?')"
)
_BAD_DOMAIN = (
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    f"'-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
    f"regex used for validation is '{_DOMAIN}')"
)
_BAD_KEY = (
    f"a valid label key must {_CHARACTERS} (e.g. 'MyName',  or 'my.name',  or '123-abc', "
    f"regex used for validation is '{_NAME}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
_NO_INTEGER = "for 'Gt', 'Lt' operators, the value must be an integer"
_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_SPECIAL = "=!(),><"
_TOKENS = (")", ",", "!", "==", "=", ">", "<", "!=", "(")
_SYMBOLS = {"Equals": "=", "DoubleEquals": "==", "NotEquals": "!=", "GreaterThan": ">", "LessThan": "<"}
_OF_TOKEN = {symbol: name for name, symbol in _SYMBOLS.items()} | {"in": "In", "notin": "NotIn"}

Token = tuple[str, str]  # kind (a symbol, `in`, `notin`, `name`, `end` or `error`), text


@dataclasses.dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        values = ",".join(sorted(self.values))
        match self.operator:
            case "Exists":
                return self.key
            case "DoesNotExist":
                return f"!{self.key}"
            case "In" | "NotIn":
                return f"{self.key} {self.operator.lower()} ({values})"
        return f"{self.key}{_SYMBOLS[self.operator]}{values}"

    def met(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels meets it."""
        value = labels.get(self.key)
        match self.operator:
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case "NotIn" | "NotEquals":
                return value not in self.values
            case "GreaterThan" | "LessThan":
                return value is not None and _compares(value, self.operator, self.values[0])
        return value in self.values


def _compares(value: str, operator: str, bound: str) -> bool:
    if re.fullmatch(r"[+-]?\d+", value) is None:
        return False
    return int(value) > int(bound) if operator == "GreaterThan" else int(value) < int(bound)


@dataclasses.dataclass(frozen=True, slots=True)
class Selector:
    """All requirements together, by key."""

    requirements: tuple[Requirement, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(one.met(labels) for one in self.requirements)


def of(struct: LabelSelector | None) -> Selector:
    """The struct's selector, as a metric has one. Raises ValueError in upstream's words.

    Upstream takes none for the selector of nothing; on its way to an API both print as "", which selects everything.
    """
    if struct is None:
        return Selector(())
    pairs = (_required(key, "Equals", [value]) for key, value in sorted((struct.match_labels or {}).items()))
    return _sorted([*pairs, *_expressions(struct)])


def _expressions(struct: LabelSelector) -> Iterator[Requirement]:
    for one in struct.match_expressions or ():
        if one.operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            raise ValueError(f'"{one.operator}" is not a valid label selector operator')
        yield _required(one.key, one.operator, one.values or None)  # upstream copies an empty list into none


def _sorted(found: list[Requirement]) -> Selector:
    return Selector(tuple(sorted(found, key=lambda one: one.key)))


def _required(key: str, operator: str, given: list[str] | None) -> Requirement:
    """A requirement that is right in itself. Raises ValueError that lists every mistake."""
    wrong = [f"key: Invalid value: {json.dumps(key)}: {'; '.join(key_mistakes(key))}"] if key_mistakes(key) else []
    values, shown = given or [], json.dumps(given, separators=(",", ":"))
    if operator in ("In", "NotIn") and not values:
        wrong.append(f"values: Invalid value: {shown}: for 'in', 'notin' operators, values set can't be empty")
    if operator in ("Exists", "DoesNotExist") and values:
        wrong.append(f"values: Invalid value: {shown}: values set must be empty for exists and does not exist")
    if operator in ("GreaterThan", "LessThan"):
        wrong += [
            f"values[{number}]: Invalid value: {json.dumps(value)}: {_NO_INTEGER}"
            for number, value in enumerate(values)
            if re.fullmatch(r"[+-]?\d+", value) is None
        ]
    for number, value in enumerate(values):
        mistakes = _value_mistakes(value)
        if mistakes:
            wrong.append(f"values[{number}][{key}]: Invalid value: {json.dumps(value)}: {'; '.join(mistakes)}")
    if wrong:
        raise ValueError(wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")
    return Requirement(key, operator, tuple(values))


@functools.lru_cache(4096)
def key_mistakes(key: str) -> tuple[str, ...]:
    """What is wrong with a qualified name, such as a label's key."""
    prefix, slash, name = key.rpartition("/")
    if key.count("/") > 1:
        return (_BAD_KEY,)
    wrong = []
    if slash and not prefix:
        wrong.append("prefix part must be non-empty")
    elif slash and (len(prefix) > 253 or re.fullmatch(_DOMAIN, prefix) is None):
        wrong += ["prefix part must be no more than 253 bytes"] * (len(prefix) > 253)
        wrong += [_BAD_DOMAIN] * (re.fullmatch(_DOMAIN, prefix) is None)
    if not name:
        wrong.append("name part must be non-empty")
    wrong += ["name part must be no more than 63 bytes"] * (len(name) > 63)
    wrong += [f"name part {_BAD_NAME}"] * (re.fullmatch(_NAME, name) is None)
    return tuple(wrong)


def _value_mistakes(value: str) -> list[str]:
    wrong = ["must be no more than 63 bytes"] * (len(value) > 63)
    return wrong + [_BAD_VALUE] * (re.fullmatch(f"({_NAME})?", value) is None)


@functools.lru_cache(1024)
def parse(text: str) -> Selector:
    """A selector's text. Raises ValueError in upstream's words."""
    return _Parser(text).selector()


class _Parser:
    """Upstream's, step by step: what it says of a mistake follows from where it notices it."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), ("end", "")]
        self._at = 0

    def _ahead(self, *, operator: bool = False) -> Token:
        kind, text = self._tokens[min(self._at, len(self._tokens) - 1)]
        return (kind if operator or kind not in ("in", "notin") else "name"), text

    def _next(self, *, operator: bool = False) -> Token:
        token = self._ahead(operator=operator)
        self._at += 1
        return token

    def selector(self) -> Selector:
        found: list[Requirement] = []
        while True:
            kind, text = self._ahead()
            if kind == "end":
                return _sorted(found)
            if kind not in ("name", "!"):
                raise ValueError(f"found '{text}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from error
            kind, text = self._next()
            if kind == "end":
                return _sorted(found)
            if kind != ",":
                raise ValueError(f"found '{text}', expected: ',' or 'end of string'")
            kind, text = self._ahead()
            if kind not in ("name", "!"):
                raise ValueError(f"found '{text}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        kind, key = self._next()
        absent = kind == "!"
        if absent:
            kind, key = self._next()
        if kind != "name":
            raise ValueError(f"found '{key}', expected: identifier")
        if key_mistakes(key):
            raise ValueError(f"<nil>: Invalid value: {json.dumps(key)}: {'; '.join(key_mistakes(key))}")
        if absent or self._ahead()[0] in ("end", ","):
            return _required(key, "DoesNotExist" if absent else "Exists", [])
        kind, text = self._next(operator=True)
        if kind not in _OF_TOKEN:
            raise ValueError(f"found '{text}', expected: {_OPERATORS}")
        operator = _OF_TOKEN[kind]
        values = self._values() if operator in ("In", "NotIn") else {self._value()}
        return _required(key, operator, sorted(values))

    def _value(self) -> str:
        if self._ahead()[0] in ("end", ","):
            return ""
        kind, text = self._next()
        if kind != "name":
            raise ValueError(f"found '{text}', expected: identifier")
        return text

    def _values(self) -> set[str]:
        kind, text = self._next()
        if kind != "(":
            raise ValueError(f"found '{text}' expected: '('")
        kind, text = self._ahead()
        if kind == ")":
            self._next()
            return {""}
        if kind not in ("name", ","):
            raise ValueError(f"found '{text}', expected: ',', ')' or identifier")
        values = self._listed()
        if self._next()[0] != ")":
            raise ValueError(f"found '{text}', expected: ')'")
        return values

    def _listed(self) -> set[str]:
        values: set[str] = set()
        while True:
            kind, text = self._next()
            ahead, later = self._ahead()
            if kind == "name":
                values.add(text)
                if ahead == ")":
                    return values
                if ahead != ",":
                    raise ValueError(f"found '{later}', expected: ',' or ')'")
            elif kind == ",":
                if not values:
                    values.add("")
                if ahead in (")", ","):
                    values.add("")
                if ahead == ")":
                    return values
            else:
                raise ValueError(f"found '{text}', expected: ',', or identifier")


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
        elif text[at] in _SPECIAL:
            token, at = _symbol(text, at)
            yield token
        else:
            begin = at
            while at < len(text) and text[at] not in _SPECIAL + " \t\r\n":
                at += 1
            word = text[begin:at]
            yield (word if word in ("in", "notin") else "name"), word


def _symbol(text: str, at: int) -> tuple[Token, int]:
    """The longest symbol from `at` on."""
    for length in (2, 1):
        if text[at : at + length] in _TOKENS:
            return (text[at : at + length], text[at : at + length]), at + length
    return ("error", f"error expected: keyword found '{text[at]}'"), at + 1
