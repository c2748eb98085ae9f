"""Cases that chance seldom draws: selectors and quantities at the edge of their grammar, HPAs that the API server
refuses, objects with half of their members. Each is said once; the product of few parts is some 1,700 lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from peers.draw import Object, moment

SELECTORS = (
    "app=oracle", "app", "!app", "app in (a,b)", "app notin (a)", "app==oracle", "", "app=", "=x", "app in", "app in (",
    "app in ()", "a b", "app>5", "app<x", "app=oracle,,b", "app!=x, tier in (,x)", "app in (oracle,)", " app = oracle ",
    "app=oracle,", "UPPER=x", "-a=b", "app=a/b", "x/y/z=1", "in", "notin in (in)", "app in (oracle) b", "(", "!", "!!a",
    "app=oracle b", "a=b=c", "app>3,app<9",
)  # fmt: skip
METRIC_SELECTORS: tuple[Object, ...] = (
    {"matchExpressions": [{"key": "a", "operator": "In"}]},
    {"matchExpressions": [{"key": "a", "operator": "In", "values": []}]},
    {"matchExpressions": [{"key": "a", "operator": "Foo", "values": ["x"]}]},
    {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x", "y"]}]},
    {"matchLabels": {"a b": "c"}},
    {"matchLabels": {"a": "c d"}},
    {"matchExpressions": [{"key": "", "operator": "Exists"}]},
    {"matchExpressions": [{"key": "-x", "operator": "NotIn", "values": ["-y", "ok"]}]},
    {"matchLabels": {"a": "x" * 64}},
    {
        "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["z", "b"]},
            {"key": "a", "operator": "NotIn", "values": ["c"]},
        ],
        "matchLabels": {"a": "z", "B": "x"},
    },
)
QUANTITIES = (
    "1e3", "1E3", "1.5", "0.0000000001", "-0.5", "-1500000n", "-1.0000000000000000001", "1Ki", "1.5Gi", "8Ei", "9Ei",
    "100E", "12345678901234567890", "123456789012345678901234m", "0", "00", "-0", "+5", "1e-12", ".5", "5.", "1.25e2",
    "3k", "7M", "99999999999999999n", "-99999999999999999999n", "0.1234567891", "922337203685477580700m", "1Ei", "0.3",
    "300m",
)  # fmt: skip
RESOURCES = (
    "cpu", "storage", "pods", "hugepages-2Mi", "nvidia.com/gpu", "requests.cpu", "a b", "example.com/", "",
    "kubernetes.io/x", "requests.nvidia.com/gpu",
)  # fmt: skip
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
ZERO = moment(0)
SERVING = {
    "metadata": {"name": "p"},
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
}


def oddities() -> Iterator[Object]:
    """All of them; those that make sense also as a timeline."""
    yield from itertools.chain(_selected(), _measured(), _refused(), _half_said())


def _line(name: str, *metrics: Object, metadata: Object | None = None, **spec: object) -> Object:
    wanted: Object = (
        {"scaleTargetRef": TARGET, "maxReplicas": 10} | ({"metrics": list(metrics)} if metrics else {}) | spec
    )
    return {"id": name, "hpa": {"metadata": {"name": "web", "namespace": "default"} | (metadata or {}), "spec": wanted}}


def _both(line: Object, world: Object) -> Iterator[Object]:
    yield line | world
    yield line | {"id": "timeline " + line["id"], "ticks": [{"at": 0, **world}, {"at": 30}]}


def _external(selector: Object | None = None, **target: str) -> Object:
    kind = {"value": "Value", "averageValue": "AverageValue"}[next(iter(target))]
    metric = {"name": "q"} | ({} if selector is None else {"selector": selector})
    return {"type": "External", "external": {"metric": metric, "target": {"type": kind, **target}}}


def _queue(value: str, **labels: str) -> Object:
    return {"external": [{"metricName": "q", "metricLabels": labels, "timestamp": ZERO, "value": value}]}


def _selected() -> Iterator[Object]:
    world: Object = {"replicas": 2, "metrics": _queue("35", a="z", B="x"), "pods": [SERVING]}
    for text in SELECTORS:
        yield from _both(_line(f"selector {text}", _external(value="10")), world | {"selector": text})
    for number, selector in enumerate(METRIC_SELECTORS):
        identifier, one = {"name": "q", "selector": selector}, {"type": "AverageValue", "averageValue": "1"}
        described = {"kind": "Service", "name": "x"}
        metrics: tuple[Object, ...] = (
            _external(selector, value="10"),
            _external(selector, averageValue="10"),
            {"type": "Pods", "pods": {"metric": identifier, "target": one}},
            {"type": "Object", "object": {"describedObject": described, "metric": identifier, "target": one}},
        )
        for metric in metrics:
            yield from _both(_line(f"metric selector {number} {metric['type']}", metric), world)


def _measured() -> Iterator[Object]:
    for text in QUANTITIES:
        world: Object = {"replicas": 2, "metrics": _queue(text), "pods": [SERVING]}
        for kind in ("value", "averageValue"):
            yield from _both(_line(f"quantity {text} {kind}", _external(**{kind: "10"})), world)
            yield _line(f"target {text} {kind}", _external(**{kind: text})) | world | {"metrics": _queue("77")}
        rules = {"tolerance": text}
        behavior = {"scaleUp": rules, "scaleDown": rules}
        yield _line(f"tolerance {text}", _external(value="1"), behavior=behavior) | world


def _refused() -> Iterator[Object]:
    both = {"type": "Utilization", "averageUtilization": 1, "averageValue": "1"}
    specs: tuple[Object, ...] = (
        {"scaleTargetRef": {"apiVersion": "a/b/c", "kind": "x/y", "name": "."}},
        {"scaleTargetRef": {"apiVersion": "v1", "kind": "ReplicationController", "name": "x%/"}},
        {"scaleTargetRef": {"apiVersion": "/v1", "kind": "D", "name": "x"}},
        {"scaleTargetRef": {"apiVersion": "apps/", "kind": "D", "name": "x"}},
        {"scaleTargetRef": {"apiVersion": "", "kind": "D", "name": "x"}},
        {"minReplicas": 0},
        {"minReplicas": 11},
        {"maxReplicas": -3},
        {"behavior": {}},
        {"behavior": {"scaleUp": {"policies": []}}},
        {"behavior": {"scaleUp": {"selectPolicy": ""}}},
        {"behavior": {"scaleDown": {"policies": [{}]}}},
        {"metrics": [{}]},
        {"metrics": [{"type": "Object"}]},
        {"metrics": [{"type": "Pods", "pods": {}}]},
        {"metrics": [{"type": "Object", "object": {}}]},
        {
            "metrics": [
                {"type": "ContainerResource", "containerResource": {"name": name, "container": "x_y", "target": both}}
                for name in RESOURCES
            ]
        },
        {"metrics": [{"type": "Resource", "resource": {"name": "x y", "target": both}, "external": {}, "object": {}}]},
    )
    for number, spec in enumerate(specs):
        yield from _both(_line(f"refused {number}", **spec), {})
    for name in ("A", "a.b", "x" * 254, "a..b", "-a", "x" * 64):
        yield _line(f"name {name[:9]}", metadata={"name": name})
        yield _line(f"namespace {name[:9]}", metadata={"namespace": name})


def _half_said() -> Iterator[Object]:
    """Pods and samples with members that are missing, null, twice there, or strange; every pair of them."""
    cpu = {"requests": {"cpu": "100m"}}
    app, old = {"name": "app", "resources": cpu}, moment(-14_400)
    since: Object = {"type": "Ready", "status": "True", "lastTransitionTime": moment(-14_340)}
    whole: Object = {"containers": [app]}
    ready: Object = {"startTime": old, "conditions": [since]}
    pods: dict[str, tuple[Object, Object]] = {
        "bare": ({}, {}),
        "no start": (whole, {"conditions": [since]}),
        "nulls": (whole | {"initContainers": None}, ready | {"conditions": [since | {"lastTransitionTime": None}]}),
        "no transition": (whole, {"startTime": moment(-60), "conditions": [{"type": "Ready", "status": "True"}]}),
        "a number": (_of_cpu(0.1), ready),
        "zone": (whole, {"startTime": "2000-01-02T01:00:00+02:00", "conditions": [since | {"status": "strange"}]}),
        "zero": (_of_cpu("0"), ready),
        "phase": (whole, {"phase": "Strange", "startTime": old, "conditions": [since]}),
        "twice ready": (whole, {"startTime": old, "conditions": [since | {"status": "False"}, since]}),
        "twice a container": ({"containers": [app, app]}, ready),
        "as a whole": (whole | {"resources": {"requests": {"hugepages-2Mi": "4Mi"}}}, ready),
        "not as a whole": (whole | {"resources": {"requests": {"ephemeral-storage": "4Mi"}}}, ready),
        "inits": (
            whole
            | {
                "resources": {"requests": {"memory": "4Mi"}},
                "initContainers": [
                    {"name": "first", "resources": {"requests": {"cpu": "150m"}}},
                    {"name": "proxy", "restartPolicy": "Always", "resources": cpu},
                    {"name": "second", "resources": {"requests": {"cpu": "120m"}}},
                ],
            },
            ready,
        ),
    }  # fmt: skip
    used: Object = {"metadata": {"name": "p"}, "timestamp": ZERO, "window": "30s"}
    of_app: Object = {"name": "app", "usage": {"cpu": "123m", "memory": "1Mi"}}
    samples: dict[str, list[Object]] = {
        "none": [],
        "no container": [used | {"containers": []}],
        "plain": [used | {"containers": [of_app]}],
        "no time": [used | {"timestamp": None, "containers": [of_app]}],
        "no usage": [used | {"containers": [{"name": "app"}]}],
        "half": [used | {"containers": [of_app, {"name": "b", "usage": {"memory": "1"}}]}],
        "twice": [used | {"containers": [of_app]}, used | {"containers": [{"name": "app", "usage": {"cpu": "500m"}}]}],
        "gone": [used | {"metadata": {"name": "x"}, "containers": [of_app]}],
        "numbers": [used | {"window": "1m30s", "containers": [{"name": "app", "usage": {"cpu": 0.25}}]}],
        "negative": [used | {"containers": [{"name": "app", "usage": {"cpu": "-123m"}}]}],
        "beyond": [used | {"containers": [{"name": "app", "usage": {"cpu": "90P"}}]}],
    }
    for (pod, (spec, status)), (sample, found) in itertools.product(pods.items(), samples.items()):
        one = {"metadata": {"name": "p"}, "spec": spec, "status": {"phase": "Running"} | status}
        world: Object = {"replicas": 1, "pods": [one], "metrics": {"pods": found}}
        for name, metric in _requested():
            yield _line(f"{pod}, {sample}, {name}", metric) | world
        yield from _both(_line(f"{pod}, {sample}, two", _requested()[0][1], _external(value="3")), world)


def _of_cpu(request: str | float) -> Object:
    return {"containers": [{"name": "app", "resources": {"requests": {"cpu": request}}}]}


def _requested() -> list[tuple[str, Object]]:
    half, some = {"type": "Utilization", "averageUtilization": 50}, {"type": "AverageValue", "averageValue": "100m"}
    return [
        ("cpu", {"type": "Resource", "resource": {"name": "cpu", "target": half}}),
        ("cpu value", {"type": "Resource", "resource": {"name": "cpu", "target": some}}),
        (
            "app",
            {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "app", "target": half}},
        ),
        ("b", {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "b", "target": half}}),
        ("memory", {"type": "Resource", "resource": {"name": "memory", "target": some}}),
        ("gpu", {"type": "Resource", "resource": {"name": "nvidia.com/gpu", "target": half}}),
    ]
