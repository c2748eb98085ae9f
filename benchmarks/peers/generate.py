"""Generated HPA cases: states and timelines in the shape of docs/guides/policy-eval.md, the same for the same seed.

    python benchmarks/peers/generate.py --states 1000 --timelines 100 --seed 1 > cases.jsonl

Numbers are drawn near the places where a re-implementation goes wrong: on a target and one thousandth beside it, on the
edge of a period, at zero, beyond 32 bits. Half of the timelines have followed pods, which only `peers expand` writes
out: they start, become ready and carry a load as those of a real service do.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from peers import specs, worlds
from peers.draw import Draw, Object, moment


def states(count: int, seed: int) -> Iterator[Object]:
    """So many states."""
    draw = Draw(f"states {seed}")
    for number in range(count):
        yield _state(draw, f"state-{number}")


def timelines(count: int, seed: int) -> Iterator[Object]:
    """So many timelines."""
    draw = Draw(f"timelines {seed}")
    kinds = (_free, _followed, _free, _followed, _idle)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield kind(draw, f"{kind.__name__.strip('_')}-{number}")


def _state(draw: Draw, name: str) -> Object:
    line = specs.line(draw, name, draw.choices((1, 2, 3), (8, 2, 1))[0])
    line |= worlds.world(draw, line["hpa"]["spec"], 0, draw.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12)))
    pods = len(line.get("pods", ()))
    line["replicas"] = draw.choice((pods, pods, pods, pods + 1, max(pods - 1, 0), draw.randint(0, 15), 0))
    if draw.chance(0.3):
        line["statusReplicas"] = draw.choice((pods, pods + 1, 0, draw.randint(0, 12)))
    if draw.chance(0.01):
        specs.spoil(draw, line["hpa"]["spec"])
    return line


def _free(draw: Draw, name: str) -> Object:
    """A timeline of worlds that do not follow the scale; its sizes are those of the proposals, and of people."""
    line = specs.line(draw, name, draw.choices((1, 2, 3), (5, 3, 1))[0])
    if draw.chance(0.15):
        line["hpa"]["status"] = _status(draw)
    period = draw.choice((15, 15, 15, 30, 10))
    count, at, spec = draw.randint(1, 12), 0, line["hpa"]["spec"]
    ticks: list[Object] = []
    to_zero = line.get("featureGates", {}).get("HPAScaleToZero", False)
    while len(ticks) < 20 or at < 45 * period:
        tick: Object = {"at": at}
        if not ticks or draw.chance(0.08):
            tick["replicas"] = draw.choice(
                (count, draw.randint(1, 30), draw.randint(1, 60), 0 if draw.chance(0.4) else 5)
            )
        if ticks and draw.chance(0.02):
            spec = tick["spec"] = specs.spec(draw, draw.choices((1, 2), (4, 1))[0])
            if draw.chance(0.3):  # the same metrics, other limits: zero may be left behind
                spec["metrics"] = line["hpa"]["spec"].get("metrics", [])
                spec["minReplicas"] = draw.choice((1, 1, 2))
            if spec.get("minReplicas") == 0 and not to_zero:
                spec["minReplicas"] = 1
        if not ticks or draw.chance(0.5):
            if draw.chance(0.3):
                count = draw.randint(0, 15)
            tick |= _part(
                draw, worlds.world(draw, spec, at, count, idle=spec.get("minReplicas") == 0 and draw.chance(0.6))
            )
        if draw.chance(0.1):
            tick["statusReplicas"] = draw.randint(0, 20)
        ticks.append(tick)
        at += period * draw.choices((1, 2, 5, 20), (12, 3, 1, 1))[0]
    return line | {"tick_seconds": period, "ticks": ticks}


def _idle(draw: Draw, name: str) -> Object:
    """A timeline that goes to zero and comes back, or does not: a queue at times empty, people, other limits."""
    queue = draw.choice(
        (
            {
                "type": "External",
                "external": {"metric": {"name": "queue"}, "target": specs.valued(draw, "AverageValue")},
            },
            {"type": "External", "external": {"metric": {"name": "queue"}, "target": specs.valued(draw, "Value")}},
        )
    )
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    line = specs.line(draw, name, 0)
    line["featureGates"] = {"HPAScaleToZero": not draw.chance(0.05)}
    spec = line["hpa"]["spec"]
    spec |= {
        "metrics": [queue, cpu] if draw.chance(0.3) else [queue],
        "minReplicas": 0 if line["featureGates"]["HPAScaleToZero"] else 1,
    }
    if draw.chance(0.8):
        spec["behavior"] = {"scaleDown": {"stabilizationWindowSeconds": draw.choice((0, 15, 30))}} | (
            {"scaleUp": specs.rules(draw, draw.choice((0, 30)))} if draw.chance(0.4) else {}
        )
    target, ticks, wanted = worlds.thousandths(queue["external"]["target"]), [], 0
    for number in range(draw.randint(45, 60)):
        if draw.chance(0.3):
            wanted = draw.choice((0, 0, 0, 1, 2, 5, draw.randint(0, 20)))
        tick: Object = {"at": number * 15}
        if not number or draw.chance(0.06):
            tick["replicas"] = draw.choice((0, 1, 3, 8))
        if draw.chance(0.04):
            tick["spec"] = spec | {
                "minReplicas": draw.choice((0, 1, 2)) if line["featureGates"]["HPAScaleToZero"] else 1,
                "metrics": draw.choice(([queue], [queue, cpu], [cpu])),
            }
            if tick["spec"]["metrics"] == [cpu]:
                tick["spec"]["minReplicas"] = 1
        if not number or draw.chance(0.7):
            count = draw.choice((0, max(wanted, 1), max(wanted, 1), 3))
            names = [f"web-{pod}" for pod in range(count)]
            pods = [worlds.pod(draw, pod, number * 15, calm=True) for pod in names]
            tick |= {"pods": pods, "metrics": {"external": [], "pods": []}}
            tick["metrics"]["pods"] = [
                worlds.usage(draw, spec, pod, number * 15, draw.choice(worlds.FACTORS), pods) for pod in names
            ]
            if not draw.chance(0.04):
                value = draw.quantity(int(target * wanted * draw.choice((1, 1, 0.95, 1.3))))
                tick["metrics"]["external"] = [
                    {"metricName": "queue", "timestamp": moment(number * 15), "value": value}
                ]
        ticks.append(tick)
    return line | {"ticks": ticks}


def _part(draw: Draw, world: Object) -> Object:
    """A world of which a member is sometimes not told, and keeps its value, or told to be empty."""
    if draw.chance(0.15):
        del world["pods"]
    for kind in ("pods", "custom", "external"):
        if draw.chance(0.05):
            world["metrics"].pop(kind, None)
        elif draw.chance(0.04):
            world["metrics"][kind] = []
    return world


def _status(draw: Draw) -> Object:
    conditions = [{"type": "ScaledToZero", "status": "True", "reason": "ScaledToZero", "message": "it was"}]
    if draw.chance(0.5):
        conditions.insert(
            0, {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "message": "as before"}
        )
    return {"currentReplicas": 3, "desiredReplicas": 3, "lastScaleTime": moment(-100), "conditions": conditions}


def _followed(draw: Draw, name: str) -> Object:
    """A service under a load that swings, leaps and rests, whose pods start and go as the scale says."""
    metric = draw.choice(("cpu", "cpu", "memory", "jobs"))
    line = specs.line(draw, name, 0)
    spec = line["hpa"]["spec"]
    spec |= {"metrics": [_of_load(draw, metric)], "minReplicas": draw.choice((1, 2, 3))}
    period = draw.choice((15, 15, 30))
    level, ticks = draw.uniform(1, 10), []
    for number in range(draw.randint(45, 80)):
        level = max(0.0, level * draw.uniform(0.9, 1.12) + (draw.uniform(-6, 12) if draw.chance(0.08) else 0))
        tick: Object = {"at": number * period}
        if number == 0:
            tick |= {"replicas": draw.randint(1, 8), "follow": True}
        elif draw.chance(0.02):
            tick["replicas"] = draw.randint(0, 12)
        unit = {"cpu": 60, "memory": 60 * 2**20, "jobs": 1000}[metric]
        tick["load"] = {metric: f"{int(level * unit)}{'m' if metric == 'cpu' else ''}"}
        ticks.append(tick)
    follow = {
        "startupSeconds": draw.choice((20, 45, 90, 200)),
        "metricsLagSeconds": draw.choice((0, 15, 30)),
        "requests": {"cpu": "100m", "memory": "100Mi"},
        "startupUsage": {"cpu": "150m", "memory": "50Mi"} if draw.chance(0.5) else {},
    }
    return line | {"tick_seconds": period, "follow": follow, "ticks": [tick | {"follow": True} for tick in ticks]}


def _of_load(draw: Draw, metric: str) -> Object:
    if metric == "jobs":
        target = {"type": "AverageValue", "averageValue": "800"}
        return {"type": "Pods", "pods": {"metric": {"name": "jobs"}, "target": target}}
    kind = draw.choice(("Resource", "ContainerResource"))
    target = {"type": "Utilization", "averageUtilization": draw.choice((50, 60, 80))}
    part: Object = {"name": metric, "target": target} | ({"container": "app"} if kind == "ContainerResource" else {})
    return {"type": kind, kind[0].lower() + kind[1:]: part}


def main() -> None:
    """Write cases, a line each."""
    parser = argparse.ArgumentParser(description="Write generated HPA cases, a line each.")
    parser.add_argument("--states", type=int, default=1000)
    parser.add_argument("--timelines", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for line in (*timelines(options.timelines, options.seed), *states(options.states, options.seed)):
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
