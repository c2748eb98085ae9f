"""Is `policies.KPA` Knative's autoscaler? Generated timelines through both, replica for replica.

    python benchmarks/kpa_equality.py [--timelines 300] [--seed 1]

Upstream is `scaling/autoscaler.go` and `aggregation/` of Knative serving 0.51.0, compiled as they stand. The
modules around them (knative.dev/pkg and others of the same day) cannot be had from every proxy, so the packages that
they take nothing but types and names from are replaced by those declarations (benchmarks/peers/kpa/declared). The exit
code is 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from podium.loop.decide.knative import PANIC_SECONDS, STABLE_SECONDS, average, has_data, record, scale
from podium.loop.decide.state import empty_window, no_panic

PEER = Path(__file__).parent / "peers" / "kpa"
DECLARED = {
    "pkg/apis/autoscaling": "autoscaling.go",
    "pkg/autoscaler/metrics": "metrics.go",
    "pkg/resources": "resources.go",
    "pkg/autoscaler/scaling": "scaling.go",
}
UPSTREAM = ("pkg/autoscaler/scaling/autoscaler.go", "pkg/autoscaler/aggregation", "pkg/autoscaler/aggregation/max")
SECONDS = 400


def build(folder: Path) -> Path:
    """The peer's program, from upstream's files and our declarations side by side."""
    asked = ["go", "mod", "download", "-json", "knative.dev/serving@v0.51.0"]
    done = subprocess.run(asked, cwd=PEER, capture_output=True, text=True, check=True)
    source, serving = Path(json.loads(done.stdout)["Dir"]), folder / "serving"
    for place in UPSTREAM:
        found = source / place
        for file in [found] if found.is_file() else found.glob("*.go"):
            if not file.name.endswith("_test.go"):
                kept = serving / file.relative_to(source)
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(file.read_bytes())
    for place, name in DECLARED.items():
        (serving / place).mkdir(parents=True, exist_ok=True)
        shutil.copy(PEER / "declared" / name, serving / place / "declared.go")
    (serving / "go.mod").write_text("module knative.dev/serving\n\ngo 1.26.0\n")
    for name in ("main.go", "go.mod"):
        shutil.copy(PEER / name, folder / name)
    subprocess.run(["go", "mod", "edit", "-replace", "knative.dev/serving=./serving"], cwd=folder, check=True)
    subprocess.run(["go", "mod", "tidy"], cwd=folder, check=True, capture_output=True)
    subprocess.run(["go", "build", "-o", "kpa", "."], cwd=folder, check=True)
    return folder / "kpa"


def timeline(chance: random.Random) -> dict[str, Any]:
    """Seconds with surges, gaps and silences; a decision every two seconds; pods that follow late, or do not."""
    target, ready = chance.choice([0.7, 7.0, 70.0, 140.0]), chance.choice([0, 1, 1, 2, 5, 20])
    level, ticks, second = target * chance.uniform(0, 8), [], 0
    gap = chance.choice([0.0, 0.05, 0.3])
    while second < SECONDS:
        if chance.random() < 0.02:
            level = target * chance.choice([0.0, 0.3, 1.0, 3.0, 10.0, 60.0])
        if chance.random() < 0.005:
            second += chance.choice([3, 7, 30, 59, 60, 61, 90])
        if chance.random() < 0.05:
            ready = max(0, round(level / target * chance.uniform(0.3, 1.3)))
        value = None if chance.random() < gap else round(level * chance.uniform(0.8, 1.2), chance.choice([0, 2, 6]))
        ticks.append({"second": second, "value": value, "ready": ready, "decide": second % 2 == 0})
        second += 1
    return {"target": target, "ready": ticks[0]["ready"], "ticks": ticks}


def ours(line: dict[str, Any]) -> list[int | None]:
    """Podium's answers."""
    stable, brief, panic = empty_window(1, STABLE_SECONDS), empty_window(1, PANIC_SECONDS), no_panic(1)
    target, out = np.array([line["target"]]), list[int | None]()
    # Upstream looks at its pods once when it is made, before the first tick.
    if line["ready"] > 1:
        panic = scale(panic, 0.0, np.zeros(1), np.zeros(1), target, np.array([line["ready"]])).panic
        panic = type(panic)(np.zeros(1), np.array([line["ready"]]), panic.begun, panic.stable, panic.brief)
    else:
        panic = type(panic)(panic.at, panic.pods, np.ones(1, np.bool_), panic.stable, panic.brief)
    for tick in line["ticks"]:
        second = tick["second"]
        if tick["value"] is not None:
            value = np.array([tick["value"]], np.float64)
            stable, brief = record(stable, second, value), record(brief, second, value)
        if not tick["decide"]:
            continue
        if not has_data(stable, second)[0]:
            out.append(None)
            continue
        means = average(stable, second), average(brief, second)
        done = scale(panic, float(second), *means, target, np.array([tick["ready"]], np.int64))
        panic = done.panic
        out.append(int(done.wanted[0]))
    return out


def main() -> int:
    """Compare, and print a table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--timelines", type=int, default=300)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    chance = random.Random(given.seed)
    lines = [timeline(chance) for _ in range(given.timelines)]
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        began = time.monotonic()
        text = "".join(json.dumps(line) + "\n" for line in lines)
        told = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout.splitlines()
        upstream_took = time.monotonic() - began
    began = time.monotonic()
    different = decisions = 0
    for number, (line, answer) in enumerate(zip(lines, told, strict=True)):
        theirs, mine = json.loads(answer) or [], ours(line)
        decisions += len(mine)
        if theirs != mine:
            different += 1
            if different <= 5:
                place = next((i for i, pair in enumerate(zip(theirs, mine, strict=False)) if pair[0] != pair[1]), -1)
                print(f"timeline {number}, decision {place}: upstream {theirs[place]}, ours {mine[place]}")
    print(f"{len(lines)} timelines, {decisions} decisions: {different} timelines differ")
    print(f"upstream {upstream_took:.1f} s, ours one by one {time.monotonic() - began:.1f} s")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
