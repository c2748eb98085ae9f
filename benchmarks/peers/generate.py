"""Generated HPA cases: states and timelines in the shape of docs/reference/policy-eval.md, the same for the same seed.

    python benchmarks/peers/generate.py --states 1000 --timelines 100 --seed 1 > cases.jsonl

Numbers are drawn near the places where a re-implementation goes wrong: on a target and one thousandth beside it, on the
edge of a period, at zero, beyond 32 bits. Half of the timelines have followed pods, which only `peers expand` writes
out: they start, become ready and carry a load as those of a real service do.
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
import sys
from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]

ZERO = datetime.datetime(2000, 1, 2, tzinfo=datetime.UTC)
RESOURCES = ("cpu", "cpu", "cpu", "memory", "memory", "ephemeral-storage")
TOLERANCES = ("0", "0.05", "50m", "0.1", "100m", "0.3", "300m", "0.25", "1", "5e-2", "200000u")
FACTORS = (0, 0.3, 0.5, 0.8, 0.89, 0.9, 0.9, 0.95, 1, 1, 1, 1.05, 1.1, 1.1, 1.11, 1.2, 1.5, 2, 3, 10)


def moment(at: float) -> str:
    """Seconds after zero as RFC 3339."""
    return (ZERO + datetime.timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Draw(random.Random):
    """Chances with names."""

    def chance(self, share: float) -> bool:
        return self.random() < share

    def quantity(self, milli: int) -> str:
        """Thousandths in one of the forms that people and adapters write."""
        if milli % 1000 == 0 and self.chance(0.7):
            return str(milli // 1000)
        form = self.random()
        if form < 0.7:
            return f"{milli}m"
        if form < 0.85:
            return f"{milli * 1_000_000 - (self.randrange(1_000_000) if milli > 0 and form < 0.75 else 0)}n"
        return f"{milli * 1000}u" if form < 0.93 else f"{milli / 1000:.3f}"


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


# One world


def _state(draw: Draw, name: str) -> Object:
    line = _line(draw, name, draw.choices((1, 2, 3), (8, 2, 1))[0])
    line |= _world(draw, line["hpa"]["spec"], 0, draw.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12)))
    pods = len(line.get("pods", ()))
    line["replicas"] = draw.choice((pods, pods, pods, pods + 1, max(pods - 1, 0), draw.randint(0, 15), 0))
    if draw.chance(0.3):
        line["statusReplicas"] = draw.choice((pods, pods + 1, 0, draw.randint(0, 12)))
    if draw.chance(0.01):
        _spoil(draw, line["hpa"]["spec"])
    return line


def _line(draw: Draw, name: str, metrics: int) -> Object:
    line: Object = {
        "id": name,
        "hpa": {"metadata": {"name": "web", "namespace": "default"}, "spec": _spec(draw, metrics)},
    }
    gates: Object = {}
    if draw.chance(0.1):
        gates["HPAConfigurableTolerance"] = draw.chance(0.5)
    if line["hpa"]["spec"].get("minReplicas") == 0 or draw.chance(0.1):
        gates["HPAScaleToZero"] = draw.chance(0.97)
    if gates:
        line["featureGates"] = gates
    if draw.chance(0.15):
        line["controller"] = _controller(draw)
    return line


def _controller(draw: Draw) -> Object:
    every: Object = {
        "horizontalPodAutoscalerDownscaleStabilizationWindow": draw.choice(("1m", "2m30s", "0s", "10m")),
        "horizontalPodAutoscalerTolerance": draw.choice((0, 0.05, 0.2, 0.15)),
        "horizontalPodAutoscalerCPUInitializationPeriod": draw.choice(("1m", "0s", "2m")),
        "horizontalPodAutoscalerInitialReadinessDelay": draw.choice(("10s", "0s", "1m")),
    }
    return {name: every[name] for name in draw.sample(sorted(every), draw.randint(1, 4))}


def _spec(draw: Draw, metrics: int) -> Object:
    spec: Object = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "maxReplicas": draw.choice((10, 10, 20, 50, 1000)),
        "metrics": [_metric(draw) for _ in range(metrics)],
    }
    if draw.chance(0.03):
        del spec["metrics"]
    if draw.chance(0.8):
        spec["minReplicas"] = draw.choice((1, 1, 1, 2, 3))
    beyond = any(metric["type"] in ("Object", "External") for metric in spec.get("metrics", ()))
    if beyond and draw.chance(0.25):
        spec["minReplicas"] = 0
    if draw.chance(0.7):
        spec["behavior"] = _behavior(draw)
    return spec


def _metric(draw: Draw) -> Object:
    kind = draw.choices(("Resource", "ContainerResource", "Pods", "Object", "External"), (5, 2, 2, 2, 3))[0]
    if kind in ("Resource", "ContainerResource"):
        name = draw.choice(RESOURCES)
        part: Object = {"name": name}
        if kind == "ContainerResource":
            part["container"] = draw.choice(("app", "app", "side", "other"))
        part["target"] = _requested(draw)
        return {"type": kind, kind[0].lower() + kind[1:]: part}
    identifier: Object = {"name": draw.choice(("jobs", "queue"))}
    if draw.chance(0.35):
        identifier["selector"] = _selector(draw)
    if kind == "Pods":
        return {"type": kind, "pods": {"metric": identifier, "target": _valued(draw, "AverageValue")}}
    target = _valued(draw, draw.choice(("Value", "AverageValue")))
    if kind == "External":
        return {"type": kind, "external": {"metric": identifier, "target": target}}
    if draw.chance(0.05):
        target["type"] = "Utilization"
    described = draw.choice(
        ({"apiVersion": "v1", "kind": "Service", "name": "front"}, {"kind": "Namespace", "name": "x"})
    )
    return {"type": kind, "object": {"describedObject": described, "metric": identifier, "target": target}}


def _requested(draw: Draw) -> Object:
    if draw.chance(0.7):
        value = draw.choice((50, 50, 80, 100, 120, 1, 70, 33, 200))
        return {"type": draw.choice(("Utilization", "Utilization", "Value")), "averageUtilization": value}
    return _valued(draw, "AverageValue")


def _valued(draw: Draw, kind: str) -> Object:
    name = "value" if kind == "Value" else "averageValue"
    return {"type": kind, name: draw.choice(("100m", "200m", "1", "1m", "333m", "10", "50m", "2500m", "1500u"))}


def _selector(draw: Draw) -> Object:
    return draw.choice(
        (
            {"matchLabels": {"shard": "a"}},
            {"matchLabels": {"shard": "a", "env": "prod"}},
            {"matchExpressions": [{"key": "shard", "operator": "In", "values": ["b", "a"]}]},
            {
                "matchExpressions": [
                    {"key": "env", "operator": "Exists"},
                    {"key": "shard", "operator": "NotIn", "values": ["b"]},
                ]
            },
            {"matchLabels": {"env": "prod"}, "matchExpressions": [{"key": "gone", "operator": "DoesNotExist"}]},
            {},
        )
    )


def _behavior(draw: Draw) -> Object:
    out: Object = {}
    for name, windows in (("scaleUp", (0, 0, 15, 30, 60, 120)), ("scaleDown", (0, 15, 30, 60, 120, 300, 300))):
        if draw.chance(0.8):
            out[name] = _rules(draw, draw.choice(windows))
    return out


def _rules(draw: Draw, window: int) -> Object:
    rules: Object = {}
    if draw.chance(0.8):
        rules["stabilizationWindowSeconds"] = window
    if draw.chance(0.5):
        rules["selectPolicy"] = draw.choice(("Max", "Max", "Min", "Min", "Disabled" if draw.chance(0.3) else "Max"))
    if draw.chance(0.7):
        rules["policies"] = [_policy(draw) for _ in range(draw.randint(1, 3))]
    if draw.chance(0.35):
        rules["tolerance"] = draw.choice(TOLERANCES)
    return rules


def _policy(draw: Draw) -> Object:
    value = draw.choice((1, 2, 4, 5, 10, 20, 33, 50, 100, 150, 900))
    if draw.chance(0.02):
        value = 2**31 - 1
    period = draw.choice((15, 30, 45, 60, 120, 300))
    return {"type": draw.choice(("Pods", "Percent")), "value": value, "periodSeconds": period}


def _spoil(draw: Draw, spec: Object) -> None:
    """One of the mistakes that the API server refuses."""
    draw.choice(
        (
            lambda: spec.update(maxReplicas=0),
            lambda: spec.update(minReplicas=spec["maxReplicas"] + 1),
            lambda: spec.update(minReplicas=-1),
            lambda: spec["scaleTargetRef"].update(kind=""),
            lambda: spec["scaleTargetRef"].update(apiVersion="v1"),
            lambda: spec.update(behavior={"scaleDown": {"stabilizationWindowSeconds": 3601, "policies": []}}),
            lambda: spec.update(behavior={"scaleUp": {"tolerance": "-1", "selectPolicy": "Most"}}),
            lambda: spec.update(
                behavior={"scaleUp": {"policies": [{"type": "Pod", "value": 0, "periodSeconds": 1801}]}}
            ),
            lambda: spec.update(metrics=[{"type": "Resource", "pods": {"metric": {"name": "a/b"}, "target": {}}}]),
            lambda: spec.update(
                metrics=[{"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value"}}}]
            ),
            lambda: spec.update(
                metrics=[{"type": "Resource", "resource": {"name": "", "target": {"type": "Utilization"}}}]
            ),
            lambda: spec.update(
                metrics=[
                    {
                        "type": "ContainerResource",
                        "containerResource": {"name": "gpu", "container": "A", "target": {"type": ""}},
                    }
                ]
            ),
        )
    )()


def _world(draw: Draw, spec: Object, at: int, count: int, *, idle: bool = False) -> Object:
    """Pods, and samples of every metric of the spec; each is sometimes left out."""
    calm = draw.chance(0.4)
    factor = 0 if idle else draw.choice(FACTORS)
    pods = [_pod(draw, f"web-{number}", at, calm=calm) for number in range(count)]
    names = [pod["metadata"]["name"] for pod in pods]
    metrics: Object = {"pods": [], "custom": [], "external": []}
    for name in names + [f"gone-{number}" for number in range(draw.choice((0,) * 9 + (1, 2)))]:
        if not draw.chance(0.03 if calm else 0.12):
            metrics["pods"].append(_usage(draw, spec, name, at, factor, pods))
    for metric in spec.get("metrics", ()):
        _sample(draw, metric, names, at, factor, metrics)
    world: Object = {"pods": pods, "metrics": {kind: values for kind, values in metrics.items() if values}}
    if draw.chance(0.03):
        world["selector"] = draw.choice(
            ("app in (oracle,web)", "app=web", "app", "!app", "app!=web", "app=oracle,tier=x")
        )
    return world


def _pod(draw: Draw, name: str, at: int, *, calm: bool) -> Object:
    status: Object = {"phase": "Running"}
    start = draw.choice((-3600,) * 6 + ((-300, -299, -301, -20, -100, -200, -330, -60) if not calm else ()))
    moved = start + draw.choice((0, 29, 30, 31, 10, draw.randint(0, 400)))
    if not calm:
        status["phase"] = draw.choices(("Running", "Pending", "Succeeded", "Failed", "Unknown"), (20, 2, 1, 1, 1))[0]
    if not draw.chance(0.03):
        status["startTime"] = moment(at + start)
    if calm or not draw.chance(0.03):
        ready = "True" if calm else draw.choices(("True", "False", "Unknown"), (14, 4, 1))[0]
        ripe: Object = {"type": "Ready", "status": ready, "lastTransitionTime": moment(at + min(moved, 0))}
        status["conditions"] = [{"type": "Initialized", "status": "True"}, ripe]
    metadata: Object = {"name": name}
    if draw.chance(0.02):
        metadata["labels"] = draw.choice(({"app": "web"}, {}, {"app": "oracle", "tier": "x"}))
    if not calm and draw.chance(0.05):
        metadata["deletionTimestamp"] = moment(at)
    return {"metadata": metadata, "spec": _containers(draw, calm=calm), "status": status}


def _containers(draw: Draw, *, calm: bool) -> Object:
    def requests() -> Object:
        if not calm and draw.chance(0.01):
            return {}
        cpu = draw.choice(("100m", "100m", "250m", "1", "0.333", "0") if not calm else ("100m", "100m", "500m"))
        return {"requests": {"cpu": cpu, "memory": draw.choice(("64Mi", "128Mi", "1Gi")), "ephemeral-storage": "1G"}}

    spec: Object = {"containers": [{"name": "app", "resources": requests()}]}
    if draw.chance(0.2):
        spec["containers"].append({"name": "side", "resources": requests()})
    if draw.chance(0.06):
        init: Object = {"name": "init", "resources": requests()}
        if draw.chance(0.6):
            init["restartPolicy"] = "Always"
        spec["initContainers"] = [init]
    if draw.chance(0.05):
        spec["resources"] = {
            "requests": draw.choice(({"cpu": "300m"}, {"memory": "256Mi"}, {"cpu": "1", "memory": "1Gi"}))
        }
    return spec


REQUESTS = {"cpu": 100, "memory": 64 * 2**20 * 1000, "ephemeral-storage": 10**12}


def _usage(draw: Draw, spec: Object, name: str, at: int, factor: float, pods: list[Object]) -> Object:
    containers = ["app"] + (["side"] if draw.chance(0.2) else [])
    for pod in pods:
        if pod["metadata"]["name"] == name:
            containers = [one["name"] for one in pod["spec"]["containers"]]
    wobble = 1.0 if draw.chance(0.5) else draw.uniform(0.7, 1.3)
    usage: Object = {}
    for resource, request in REQUESTS.items():
        wanted = _target_of(spec, resource, request)
        milli = int(wanted * factor * wobble) + draw.choice((0, 0, 0, 1, -1 if wanted * factor > 2 else 0))
        usage[resource] = (
            f"{milli // 1000 // 1024}Ki" if resource != "cpu" and draw.chance(0.5) else draw.quantity(milli)
        )
    if draw.chance(0.03):
        del usage[draw.choice(sorted(usage))]
    when = draw.choice((0, 0, -15, -5, -30, -60, -270, -271, -269))
    return {
        "metadata": {"name": name},
        "timestamp": moment(at + when),
        "window": draw.choice(("30s", "30s", "15s", "1m0s")),
        "containers": [{"name": one, "usage": usage} for one in containers],
    }


def _target_of(spec: Object, resource: str, request: int) -> float:
    for metric in spec.get("metrics", ()):
        part = metric.get("resource") or metric.get("containerResource")
        if part and part["name"] == resource:
            target = part["target"]
            return request * target["averageUtilization"] / 100 if "averageUtilization" in target else _milli(target)
    return request * 0.8


def _milli(target: Object) -> float:
    text = target.get("averageValue") or target.get("value")
    scale = {"m": 1.0, "u": 0.001}.get(text[-1])
    return float(text) * 1000 if scale is None else float(text[:-1]) * scale


def _sample(draw: Draw, metric: Object, pods: list[str], at: int, factor: float, metrics: Object) -> None:
    """What the custom and external APIs know of one metric."""
    if metric["type"] in ("Resource", "ContainerResource") or draw.chance(0.06):
        return
    source = metric[metric["type"].lower()]
    target = _milli(source["target"])
    if metric["type"] == "Pods":
        for name in pods + ["lost"] * draw.chance(0.05):
            if not draw.chance(0.08):
                _custom(draw, source, {"kind": "Pod", "name": name}, at, target * factor, metrics)
        return
    total = target * factor * draw.choice((1, max(len(pods), 1), max(len(pods), 1), draw.randint(1, 20)))
    if draw.chance(0.02):
        total = draw.choice((-total, target * 2**31, target * 2**33, 9.2e18, 1.0e18))
    if metric["type"] == "Object":
        described = source["describedObject"]
        name = "default" if described["kind"] == "Namespace" else described["name"]
        _custom(draw, source, {"kind": described["kind"], "name": name}, at, total, metrics)
        return
    series = draw.choices((1, 2, 3), (6, 2, 1))[0]
    for number in range(series):
        labels = draw.choice(({"shard": "a", "env": "prod"}, {"shard": "b", "env": "prod"}, {"shard": "a"}, {}))
        milli = int(total / series) + draw.choice((0, 0, 1, -1))
        metrics["external"].append(
            {
                "metricName": source["metric"]["name"] if not draw.chance(0.02) else "another",
                "metricLabels": labels if "selector" in source["metric"] or number else {"shard": "a"},
                "timestamp": moment(at),
                "value": draw.quantity(milli) if abs(milli) < 2**60 else f"{milli // 1000}",
            }
        )


def _custom(draw: Draw, source: Object, described: Object, at: int, value: float, metrics: Object) -> None:
    milli = int(value * (1.0 if draw.chance(0.5) else draw.uniform(0.8, 1.2))) + draw.choice((0, 0, 0, 1))
    identifier = dict(source["metric"])
    if draw.chance(0.02):
        identifier["selector"] = _selector(draw)
    metrics["custom"].append(
        {
            "describedObject": described,
            "metric": identifier,
            "timestamp": moment(at - draw.choice((0, 15, 60))),
            "value": draw.quantity(milli) if abs(milli) < 2**60 else f"{milli // 1000}",
        }
    )


# Worlds in time


def _free(draw: Draw, name: str) -> Object:
    """A timeline of worlds that do not follow the scale; its sizes are those of the proposals, and of people."""
    line = _line(draw, name, draw.choices((1, 2, 3), (5, 3, 1))[0])
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
            spec = tick["spec"] = _spec(draw, draw.choices((1, 2), (4, 1))[0])
            if draw.chance(0.3):  # the same metrics, other limits: zero may be left behind
                spec["metrics"] = line["hpa"]["spec"].get("metrics", [])
                spec["minReplicas"] = draw.choice((1, 1, 2))
            if spec.get("minReplicas") == 0 and not to_zero:
                spec["minReplicas"] = 1
        if not ticks or draw.chance(0.5):
            if draw.chance(0.3):
                count = draw.randint(0, 15)
            tick |= _part(draw, _world(draw, spec, at, count, idle=spec.get("minReplicas") == 0 and draw.chance(0.6)))
        if draw.chance(0.1):
            tick["statusReplicas"] = draw.randint(0, 20)
        ticks.append(tick)
        at += period * draw.choices((1, 2, 5, 20), (12, 3, 1, 1))[0]
    return line | {"tick_seconds": period, "ticks": ticks}


def _idle(draw: Draw, name: str) -> Object:
    """A timeline that goes to zero and comes back, or does not: a queue at times empty, people, other limits."""
    queue = draw.choice(
        (
            {"type": "External", "external": {"metric": {"name": "queue"}, "target": _valued(draw, "AverageValue")}},
            {"type": "External", "external": {"metric": {"name": "queue"}, "target": _valued(draw, "Value")}},
        )
    )
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    line = _line(draw, name, 0)
    line["featureGates"] = {"HPAScaleToZero": not draw.chance(0.05)}
    spec = line["hpa"]["spec"]
    spec |= {
        "metrics": [queue, cpu] if draw.chance(0.3) else [queue],
        "minReplicas": 0 if line["featureGates"]["HPAScaleToZero"] else 1,
    }
    if draw.chance(0.8):
        spec["behavior"] = {"scaleDown": {"stabilizationWindowSeconds": draw.choice((0, 15, 30))}} | (
            {"scaleUp": _rules(draw, draw.choice((0, 30)))} if draw.chance(0.4) else {}
        )
    target, ticks, wanted = _milli(queue["external"]["target"]), [], 0
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
            pods = [_pod(draw, pod, number * 15, calm=True) for pod in names]
            tick |= {"pods": pods, "metrics": {"external": [], "pods": []}}
            tick["metrics"]["pods"] = [
                _usage(draw, spec, pod, number * 15, draw.choice(FACTORS), pods) for pod in names
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
    line = _line(draw, name, 0)
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
