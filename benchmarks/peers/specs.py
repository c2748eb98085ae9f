"""HPAs as people write them: metrics of every type, behaviours, gates, settings; and some that are refused."""

from __future__ import annotations

from peers.draw import Draw, Object

RESOURCES = ("cpu", "cpu", "cpu", "memory", "memory", "ephemeral-storage")
TOLERANCES = ("0", "0.05", "50m", "0.1", "100m", "0.3", "300m", "0.25", "1", "5e-2", "200000u")


def line(draw: Draw, name: str, metrics: int) -> Object:
    line: Object = {
        "id": name,
        "hpa": {"metadata": {"name": "web", "namespace": "default"}, "spec": spec(draw, metrics)},
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


def spec(draw: Draw, metrics: int) -> Object:
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
        identifier["selector"] = selector(draw)
    if kind == "Pods":
        return {"type": kind, "pods": {"metric": identifier, "target": valued(draw, "AverageValue")}}
    target = valued(draw, draw.choice(("Value", "AverageValue")))
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
    return valued(draw, "AverageValue")


def valued(draw: Draw, kind: str) -> Object:
    name = "value" if kind == "Value" else "averageValue"
    return {"type": kind, name: draw.choice(("100m", "200m", "1", "1m", "333m", "10", "50m", "2500m", "1500u"))}


def selector(draw: Draw) -> Object:
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
            out[name] = rules(draw, draw.choice(windows))
    return out


def rules(draw: Draw, window: int) -> Object:
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


def spoil(draw: Draw, spec: Object) -> None:
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
