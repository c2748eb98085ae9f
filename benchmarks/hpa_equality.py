"""Is the reactive floor HPA v2, exactly? Generated cases through Podium and through Kubernetes' code, byte for byte.

    python benchmarks/hpa_equality.py [--states 100000] [--timelines 1000] [--seed 1] [--freeze FILE]

Podium answers with `podium policy eval --full`; upstream (benchmarks/peers, Kubernetes 1.36.3) with its replica
calculator for states, and with its whole controller under virtual time for timelines. Whatever differs in one byte, be
it a word of a message, is a difference; the first ones are shown, and the exit code is 1. `--freeze` writes the cases
with upstream's answers, compressed: the tests read such a sample and need no Go.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import lzma
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from peers import build, day, generate, oddities

ROOT = Path(__file__).parents[1]
SHOWN = 5  # differences


class Taken(NamedTuple):
    """How long each side took over the same lines, process start to end."""

    podium: float
    upstream: float


class Compared(NamedTuple):
    """What became of all lines of one kind."""

    counts: collections.Counter[str]
    differences: list[str]


def written(folder: Path, name: str, lines: Iterable[dict[str, Any]]) -> Path:
    """The lines as a file."""
    path = folder / f"{name}.jsonl"
    with path.open("w") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
    return path


def expanded(cases: Path, peer: Path) -> Path:
    """The same lines with followed pods written out by the peer."""
    out = cases.with_stem(cases.stem + "-expanded")
    with cases.open("rb") as source, out.open("wb") as sink:
        subprocess.run([peer, "expand"], stdin=source, stdout=sink, check=True)
    return out


def answered(cases: Path, peer: Path) -> Taken:
    """Both sides' answers beside the cases."""
    began = time.monotonic()
    podium = [sys.executable, "-m", "podium.cli.main", "policy", "eval", "--full", str(cases)]
    subprocess.run([*podium, "--output", str(cases.with_suffix(".podium"))], check=True)
    middle = time.monotonic()
    with cases.open("rb") as source, cases.with_suffix(".upstream").open("wb") as sink:
        subprocess.run([peer, "answer", "-full"], stdin=source, stdout=sink, check=True)
    return Taken(middle - began, time.monotonic() - middle)


def triples(cases: Path) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(case, ours, upstream's), a line each."""
    with (
        cases.open("rb") as case,
        cases.with_suffix(".podium").open("rb") as ours,
        cases.with_suffix(".upstream").open("rb") as theirs,
    ):
        yield from zip(case, ours, theirs, strict=True)


def compared(cases: Path) -> Compared:
    """Line by line."""
    counts: collections.Counter[str] = collections.Counter()
    differences: list[str] = []
    for case, ours, theirs in triples(cases):
        answer = json.loads(theirs)
        counts["lines"] += 1
        counts["refused by the API server"] += "invalid" in answer
        for metric in answer.get("metrics", ()):
            counts["proposals"] += 1
            counts["proposals that fail"] += "error" in metric
        for tick in answer.get("ticks", ()):
            counts["reconciliations"] += 1
            counts["writes"] += "wrote" in tick
            counts["reconciliations that fail"] += "error" in tick
        if ours != theirs:
            counts["different"] += 1
            if len(differences) < SHOWN:
                differences.append(f"{case[:400]!r}\n  ours   {_apart(ours, theirs)}\n  theirs {_apart(theirs, ours)}")
    return Compared(counts, differences)


def _apart(one: bytes, other: bytes) -> bytes:
    """From a little before the first byte that differs."""
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    return one[max(at - 120, 0) : at + 200]


def table(name: str, counts: collections.Counter[str], taken: Taken) -> list[str]:
    """Rows of the result."""
    rows = [f"| {name}: {what} | {count:,} |" for what, count in counts.items() if what != "different"]
    return [
        *rows,
        f"| {name}: **different** | **{counts['different']}** |",
        f"| {name}: Podium, seconds | {taken.podium:.1f} |",
        f"| {name}: upstream, seconds | {taken.upstream:.1f} |",
    ]


def recorded_day(folder: Path, peer: Path, differences: list[str]) -> list[str]:
    """A whole day of the back-test's `hpa:70`, minute by minute, through both controllers."""
    simulated = day.simulated(day.recorded_load())
    cases = written(folder, "day", [day.line(simulated)])
    taken = answered(cases, peer)
    ((_, ours, theirs),) = triples(cases)
    sizes = [tick["replicas"] for tick in json.loads(theirs)["ticks"]]
    apart = sum(one != other for one, other in zip(sizes, simulated.ordered, strict=True))
    if apart or ours != theirs:
        differences.append(f"day: {apart} minutes of the back-test; ours {_apart(ours, theirs)!r}")
    return [
        f"| recorded day: minutes | {len(sizes):,} |",
        f"| recorded day: changes of size | {sum(one != other for one, other in itertools.pairwise(sizes)):,} |",
        f"| recorded day: **minutes in which the back-test's hpa:70 ordered otherwise than upstream** | **{apart}** |",
        f"| recorded day: **answers of `podium policy eval` that differ** | **{int(ours != theirs)}** |",
        f"| recorded day: Podium, seconds | {taken.podium:.1f} |",
        f"| recorded day: upstream, seconds | {taken.upstream:.1f} |",
    ]


def freeze(path: Path, files: list[tuple[Path, int]]) -> None:
    """So many lines of each file, each followed by upstream's answer."""
    with lzma.open(path, "wb", preset=9 | lzma.PRESET_EXTREME) as packed:
        for cases, count in files:
            for case, _, theirs in itertools.islice(triples(cases), count):
                packed.write(case + theirs)


def main() -> int:
    """Run both sides, compare, write benchmarks/results/hpa-equality.md."""
    parser = argparse.ArgumentParser(description="Podium's reactive floor beside Kubernetes' own controller.")
    parser.add_argument("--states", type=int, default=100_000)
    parser.add_argument("--timelines", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--freeze", type=Path, metavar="FILE", help="write every line with upstream's answer there")
    options = parser.parse_args()
    try:
        peer = build.peer()
    except build.Missing as missing:
        print(missing)
        return 0  # who has no Go may still run the other benchmarks
    rows, differences = [], []
    with tempfile.TemporaryDirectory(prefix="podium-hpa-") as name:
        made = {
            "states": generate.states(options.states, options.seed),
            "timelines": generate.timelines(options.timelines, options.seed),
            "oddities": oddities.oddities(),
        }
        files = []
        for kind, lines in made.items():
            cases = written(Path(name), kind, lines)
            if kind == "timelines":
                cases = expanded(cases, peer)
            taken = answered(cases, peer)
            found = compared(cases)
            rows += table(kind, found.counts, taken)
            differences += found.differences
            files.append((cases, found.counts["lines"]))
        rows += recorded_day(Path(name), peer, differences)
        if options.freeze is not None:
            freeze(options.freeze, files)
    report = [
        "# Is it really HPA?",
        "",
        f"Seed {options.seed}. Answers of `podium policy eval --full` and of Kubernetes 1.36.3's own code, compared",
        "byte for byte: proposals, writes, status, conditions with their messages, metrics, errors.",
        "",
        "| what | |",
        "|---|---:|",
        *rows,
    ]
    print("\n".join([*report, *differences]))
    if options.freeze is None:
        (ROOT / "benchmarks/results/hpa-equality.md").write_text("\n".join(report) + "\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
