"""What a controller can observe of an HPA's pods: they start, fail, are deleted, and are measured, or not."""

from __future__ import annotations

from peers import specs
from peers.draw import Draw, Object, moment

FACTORS = (0, 0.3, 0.5, 0.8, 0.89, 0.9, 0.9, 0.95, 1, 1, 1, 1.05, 1.1, 1.1, 1.11, 1.2, 1.5, 2, 3, 10)


def world(draw: Draw, spec: Object, at: int, count: int, *, idle: bool = False) -> Object:
    """Pods, and samples of every metric of the spec; each is sometimes left out."""
    calm = draw.chance(0.4)
    factor = 0 if idle else draw.choice(FACTORS)
    pods = [pod(draw, f"web-{number}", at, calm=calm) for number in range(count)]
    names = [pod["metadata"]["name"] for pod in pods]
    metrics: Object = {"pods": [], "custom": [], "external": []}
    for name in names + [f"gone-{number}" for number in range(draw.choice((0,) * 9 + (1, 2)))]:
        if not draw.chance(0.03 if calm else 0.12):
            metrics["pods"].append(usage(draw, spec, name, at, factor, pods))
    for metric in spec.get("metrics", ()):
        _sample(draw, metric, names, at, factor, metrics)
    world: Object = {"pods": pods, "metrics": {kind: values for kind, values in metrics.items() if values}}
    if draw.chance(0.03):
        world["selector"] = draw.choice(
            ("app in (oracle,web)", "app=web", "app", "!app", "app!=web", "app=oracle,tier=x")
        )
    return world


def pod(draw: Draw, name: str, at: int, *, calm: bool) -> Object:
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


def usage(draw: Draw, spec: Object, name: str, at: int, factor: float, pods: list[Object]) -> Object:
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
            return (
                request * target["averageUtilization"] / 100 if "averageUtilization" in target else thousandths(target)
            )
    return request * 0.8


def thousandths(target: Object) -> float:
    text = target.get("averageValue") or target.get("value")
    scale = {"m": 1.0, "u": 0.001}.get(text[-1])
    return float(text) * 1000 if scale is None else float(text[:-1]) * scale


def _sample(draw: Draw, metric: Object, pods: list[str], at: int, factor: float, metrics: Object) -> None:
    """What the custom and external APIs know of one metric."""
    if metric["type"] in ("Resource", "ContainerResource") or draw.chance(0.06):
        return
    source = metric[metric["type"].lower()]
    target = thousandths(source["target"])
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
        identifier["selector"] = specs.selector(draw)
    metrics["custom"].append(
        {
            "describedObject": described,
            "metric": identifier,
            "timestamp": moment(at - draw.choice((0, 15, 60))),
            "value": draw.quantity(milli) if abs(milli) < 2**60 else f"{milli // 1000}",
        }
    )
