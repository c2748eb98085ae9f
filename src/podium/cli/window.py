"""Which part of a big fleet a live table shows: its filter and order, the page, and the keys that change them."""

from __future__ import annotations

from podium.loop.tell.selection import SORTS

HELP = "↓ ↑ pages   s order   r reverse   / filter   q quit"
KEYS = {
    "\x1b[B": "next", "\x1b[6~": "next", " ": "next", "j": "next", "\x1b[A": "back", "\x1b[5~": "back", "k": "back",
    "\x1b[H": "begin", "g": "begin", "s": "sort", "r": "reverse", "/": "filter", "q": "quit",
}  # fmt: skip
_ENTER, _ESCAPE, _RUBOUT = ("\r", "\n"), "\x1b", ("\x7f", "\b")


class Window:
    """One view on the fleet. `typed` takes what the keyboard says, `asked` is the question for the API."""

    def __init__(self, fixed: dict[str, str], sort: str) -> None:
        self._fixed = fixed  # parameters that no key changes
        self._filter = fixed.pop("filter", "")
        self._sort = sort
        self._writing: str | None = None  # a filter that is being typed
        self._begins: list[tuple[str, int]] = [
            ("", 0)
        ]  # cursor of each page up to this one, and its first row's number
        self._following: tuple[str, int] | None = None

    @property
    def first(self) -> int:
        """The number of the first row."""
        return self._begins[-1][1]

    def asked(self, limit: int) -> dict[str, str]:
        """The question for this page."""
        cursor = self._begins[-1][0]
        asked = {**self._fixed, "filter": self._filter, "sort": self._sort, "limit": str(limit), "cursor": cursor}
        return {name: value for name, value in asked.items() if value}

    def answered(self, rows: int, following: str | None) -> None:
        """The page had so many rows, and a page behind it."""
        self._following = None if following is None else (following, self.first + rows)

    def words(self) -> str:
        """The last line: what the keys do, or what is being typed."""
        if self._writing is not None:
            return f"filter: {self._writing}▏  (enter: use it, escape: leave it)"
        shown = f"by {self._sort.removeprefix('-')}{', from the largest' if self._sort.startswith('-') else ''}"
        return f"{shown}{f', only {self._filter}' if self._filter else ''}   {HELP}"

    def typed(self, keys: str) -> bool:
        """Take what was typed. True: leave."""
        while keys:
            keys, leave = self._written(keys) if self._writing is not None else self._pressed(keys)
            if leave:
                return True
        return False

    def restart(self) -> None:
        """From the first row on: what is asked, or how many rows fit, is another."""
        self._begins, self._following = [("", 0)], None

    def _pressed(self, keys: str) -> tuple[str, bool]:
        """Take one key; returns the rest."""
        for key, deed in KEYS.items():
            if keys.startswith(key):
                if deed == "quit":
                    return "", True
                self._do(deed)
                return keys[len(key) :], False
        return keys[1:], False

    def _written(self, keys: str) -> tuple[str, bool]:
        """Take one letter of a filter; returns the rest."""
        letter, rest = keys[0], keys[1:]
        text = self._writing or ""
        if letter in _ENTER:
            self._filter, self._writing = " ".join(text.split()), None
            self.restart()
        elif letter == _ESCAPE:
            self._writing = None
            return "", False  # with what an arrow key sends behind it
        else:
            self._writing = text[:-1] if letter in _RUBOUT else text + letter if letter.isprintable() else text
        return rest, False

    def _do(self, deed: str) -> None:
        match deed:
            case "next" if self._following is not None:
                self._begins.append(self._following)
                self._following = None
            case "back" if len(self._begins) > 1:
                self._begins.pop()
                self._following = None
            case "begin":
                self.restart()
            case "sort":
                place = SORTS.index(self._sort.removeprefix("-"))
                self._sort = SORTS[(place + 1) % len(SORTS)]
                self.restart()
            case "reverse":
                self._sort = self._sort.removeprefix("-") if self._sort.startswith("-") else f"-{self._sort}"
                self.restart()
            case "filter":
                self._writing = self._filter
