"""`make brief`: docs/brief.csv checked, what it calls working shown from the outside, docs/brief.md rendered.

A row is one named thing of the brief: id, name, status, shown_by, missing. `shown_by` is `$ command`, run by a shell
in the project's folder with an empty home (exit code 0; after ` => ` a regular expression that the output must
contain), or `test path::name`. What works, wholly or partly, is run; exit code 1 when anything of it does not.
"""

from __future__ import annotations

import collections
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tools import outcomes

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "brief.csv"
PAGE = ROOT / "docs" / "brief.md"
ITEMS = ROOT.parent / "shared" / "brief" / "items.csv"  # beside the project, never inside it

STATUSES = ("works", "partial", "planned", "not software")
PARTS = {"A": "Autoscaling", "S": "Scripts", "M": "Automation", "T": "Tenants", "C": "Configurations"}
COLUMNS = ["id", "name", "status", "shown_by", "missing"]
COMMAND_SECONDS = 300.0


class Row(NamedTuple):
    """One named thing of the brief."""

    id: str
    name: str
    status: str
    shown_by: str
    missing: str


def read(path: pathlib.Path) -> list[Row]:
    """The rows of the table. Raises ValueError when its columns are not `COLUMNS` or a line has too few or too many."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        if header != COLUMNS:
            raise ValueError(f"{path.name}: columns {header}; expected {COLUMNS}")
        rows = []
        for cells in lines:
            if len(cells) != len(COLUMNS):
                raise ValueError(f"{path.name}:{lines.line_num}: {len(cells)} cells; expected {len(COLUMNS)}")
            rows.append(Row(*cells))
        return rows


def names_of_items(path: pathlib.Path) -> dict[str, str]:
    """Name by id of everything the brief names."""
    with path.open(newline="", encoding="utf-8") as file:
        return {item["id"]: item["name"] for item in csv.DictReader(file)}


def problems(rows: Sequence[Row], items: Mapping[str, str] | None) -> list[str]:
    """What is wrong with the table itself; `items` (name by id) is None where the list of the brief is not here."""
    found = [
        f"{row_id}: {count} rows" for row_id, count in collections.Counter(r.id for r in rows).items() if count > 1
    ]
    for row in rows:
        found += [f"{row.id}: {words}" for words in _problems_of(row)]
    if items is not None:
        named = {row.id: row.name for row in rows}
        found += [f"{item}: the brief names it, the table has no row" for item in items if item not in named]
        found += [
            f"{row_id}: the table has a row, the brief does not name it" for row_id in named if row_id not in items
        ]
        found += [
            f"{row_id}: is called {name!r}; the brief calls it {items[row_id]!r}"
            for row_id, name in named.items()
            if row_id in items and name != items[row_id]
        ]
    return found


def _problems_of(row: Row) -> Iterable[str]:
    if row.status not in STATUSES:
        yield f"status {row.status!r}; expected one of {', '.join(STATUSES)}"
    if row.id[:1] not in PARTS:
        yield f"an id begins with one of {', '.join(PARTS)}"
    if row.status == "works" and row.missing:
        yield "it works, and yet something is missing; then it is partial"
    if row.status in ("works", "partial") and not row.shown_by:
        yield f"{row.status}, and nothing shows it"
    if row.status in ("planned", "not software") and row.shown_by:
        yield f"{row.status}, and yet something shows it"
    if row.status != "works" and not row.missing:
        yield f"{row.status}, without a word on what is missing"
    if row.shown_by and not row.shown_by.startswith(("$ ", "test ")):
        yield f"shown by {row.shown_by!r}; expected '$ command' or 'test path::name'"
    if row.shown_by.startswith("test ") and not _exists(row.shown_by.removeprefix("test ")):
        yield f"there is no test {row.shown_by.removeprefix('test ')}"


def _exists(test: str) -> bool:
    path, _, name = test.partition("::")
    file = ROOT / path
    function = name.rpartition("::")[2].partition("[")[0]
    return file.is_file() and re.search(rf"def {re.escape(function)}\(", file.read_text(encoding="utf-8")) is not None


def show_command(line: str, home: pathlib.Path, seconds: float = COMMAND_SECONDS) -> str:
    """Run `command => expected` with `home` as the home directory; what went wrong in words, "" when it was shown."""
    command, _, expected = line.partition(" => ")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "XDG_"))}
    environment |= {"HOME": str(home), "PATH": f"{pathlib.Path(sys.executable).parent}:{environment['PATH']}"}
    try:
        done = subprocess.run(
            ["sh", "-c", command], cwd=ROOT, env=environment, text=True, timeout=seconds, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"still running after {seconds:g} s"
    if done.returncode != 0:
        return f"exit code {done.returncode}: {outcomes.ending(done.stdout)}"
    if expected and re.search(expected, done.stdout) is None:
        return f"nothing matches {expected!r} in: {outcomes.ending(done.stdout)}"
    return ""


def show_tests(tests: Sequence[str], root: pathlib.Path = ROOT) -> dict[str, str]:
    """Run the tests of the project in `root`; what went wrong in words per test, "" when it passed."""
    if not tests:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "outcomes.json"
        command = [sys.executable, "-m", "pytest", "-p", "tools.outcomes", f"--outcomes={file}", "-rN", *tests]
        path = f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        subprocess.run(command, cwd=root, env={**environment, "PYTHONPATH": path}, check=False)
        words = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {test: words.get(test, "did not run") for test in tests}


def show(rows: Sequence[Row]) -> list[str]:
    """Run whatever rows name, each thing once; a line per row that was not shown."""
    wanted = sorted({row.shown_by for row in rows if row.shown_by})
    outcome: dict[str, str] = {}
    for line in (line for line in wanted if line.startswith("$ ")):
        with tempfile.TemporaryDirectory() as home:
            outcome[line] = show_command(line.removeprefix("$ "), pathlib.Path(home))
        print("ok  " if not outcome[line] else "NO  ", line, flush=True)
    tests = show_tests([line.removeprefix("test ") for line in wanted if line.startswith("test ")])
    outcome |= {f"test {test}": words for test, words in tests.items()}
    return [
        f"{row.id} {row.name}: {row.shown_by}: {outcome[row.shown_by]}" for row in rows if outcome.get(row.shown_by)
    ]


def counts(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Rows per part and status."""
    table = {part: dict.fromkeys(STATUSES, 0) for part in PARTS.values()}
    for row in rows:
        table[PARTS[row.id[0]]][row.status] += 1
    return table


def render(rows: Sequence[Row]) -> str:
    """docs/brief.md: the counts, then a table per part."""
    table = counts(rows)
    totals = {status: sum(part[status] for part in table.values()) for status in STATUSES}
    lines = [
        "# The brief, thing by thing",
        "",
        "Written by `make brief` from `docs/brief.csv`, after running what the rows name.",
        "*works*: shown from the outside by the command or test beside it. *partial*: so, with what is missing.",
        "*planned*: where it will live, and what is missing. *not software*: why no program can show it.",
        "",
        f"| part | {' | '.join(STATUSES)} | all |",
        f"|---|{'---:|' * (len(STATUSES) + 1)}",
    ]
    for part, row in {**table, "**all**": totals}.items():
        lines.append(f"| {part} | {' | '.join(str(row[status]) for status in STATUSES)} | {sum(row.values())} |")
    for letter, part in PARTS.items():
        lines += ["", f"## {part}", "", "| id | name | status | shown by, or what is missing |", "|---|---|---|---|"]
        lines += [_line(row) for row in rows if row.id.startswith(letter)]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    shown = f"`{row.shown_by}`" if row.shown_by else ""
    words = ". ".join(part for part in (shown, row.missing) if part)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (row.id, f"`{row.name}`", row.status, words)) + " |"


def main() -> int:
    """Check, show, render, count. Returns the exit code."""
    rows = read(TABLE)
    items = names_of_items(ITEMS) if ITEMS.exists() else None
    wrong = problems(rows, items)
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        return 1
    unshown = show(rows)
    PAGE.write_text(render(rows), encoding="utf-8")
    for part, row in counts(rows).items():
        print(f"{part:16}", *(f"{status} {row[status]:4}" for status in STATUSES), sep="  ")
    totals = collections.Counter(row.status for row in rows)
    print(f"{'all':16}", *(f"{status} {totals[status]:4}" for status in STATUSES), sep="  ")
    if items is None:
        print(f"the list of the brief is not here ({ITEMS.name} beside the project): ids were not compared")
    print(*unshown, sep="\n", file=sys.stderr)
    return 1 if unshown else 0


if __name__ == "__main__":
    sys.exit(main())
