"""An adopted policy without a forecast decides as its HPA: on upstream's recorded cases, and number by number."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator
from typing import Any

from tests.loop.evaluate.test_upstream import recorded

from podium.loop.adopt import hand, original
from podium.loop.adopt.adoption import Adoption, Wish, adoptions, policy_of
from podium.loop.decide.table import PolicyTable
from podium.loop.evaluate import admission, cases, fleet, rules
from podium.loop.evaluate.answers import answers
from podium.loop.tabulate import Policies, tabulate
from podium.model.fleet import Fleet, Slot


@functools.cache
def adopted() -> list[tuple[dict[str, Any], bytes, Adoption]]:
    return list(_adopted())


def _adopted() -> Iterator[tuple[dict[str, Any], bytes, Adoption]]:
    """Each case whose HPA the API server takes and a policy can say, upstream's answer, and the adoption."""
    for line, answer in zip(*recorded(), strict=True):
        case = json.loads(line)
        if b'"invalid"' in answer:
            continue
        value = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"} | case["hpa"]
        value["metadata"] = {"name": "web", "namespace": "default"} | case["hpa"].get("metadata", {})
        names = {
            part["metric"]["name"]
            for metric in value["spec"].get("metrics") or ()
            for part in metric.values()
            if isinstance(part, dict) and "metric" in part
        }
        one = original.of(value, "a case")
        wish = Wish(forecast=False, signals={one.namespace: names})
        (found,) = adoptions([one], wish, {})
        # An empty selector selects all, as none does; upstream's complaints alone tell the two apart.
        if not found.refused and not found.held_back and b'"selector":{}' not in line:
            yield case, answer, found


def as_hpa(case: dict[str, Any], spec: dict[str, Any]) -> bytes:
    """The case with an HPA made from a policy: the same fields under its names."""
    written = {
        "scaleTargetRef": spec["targetRef"],
        "minReplicas": spec["replicas"]["min"],
        "maxReplicas": spec["replicas"]["max"],
        "metrics": spec["metrics"],
    } | ({"behavior": spec["behavior"]} if "behavior" in spec else {})
    return json.dumps(case | {"hpa": case["hpa"] | {"spec": written}}).encode()


def test_on_every_recorded_case_the_policy_answers_what_upstream_answered() -> None:
    found = adopted()
    assert len(found) > 1000
    lines = [as_hpa(case, one.policy["spec"]) for case, _, one in found]
    assert list(answers(lines, full=True)) == [answer for _, answer, _ in found]


def test_the_loop_decides_by_the_same_numbers() -> None:
    compared = 0
    open_gates = [pair for pair in adopted() if not pair[0].get("featureGates")]
    for case, _, one in open_gates[:200]:
        line = cases.read(json.dumps(case).encode())
        controller = line.controller
        settings = rules.Settings.of(
            controller.window, controller.tolerance, controller.initialization, controller.readiness
        )
        theirs = fleet.table([rules.ruled(admission.admit(line).spec, settings)], settings, [True])
        policy = policy_of(one)
        key = policy.workload("here")
        reactive = dataclasses.replace(Policies({}).reactive, tolerance=settings.tolerance)
        ours = tabulate(Policies({key: policy}, reactive=reactive), Fleet((Slot(key, ""),)))
        assert numbers(ours, settings.window) == numbers(theirs, settings.window), case["id"]
        compared += 1
    assert compared == 200


def numbers(table: PolicyTable, window: float) -> dict[str, Any]:
    """What the reactive policies read of one slot, but for names, and for what a behaviour that is not there says."""
    behaved = bool(table.behaved[0])
    out: dict[str, Any] = {"limits": (int(table.minimum[0]), int(table.maximum[0])), "behaved": behaved}
    out["metrics"] = sorted((int(group.position[0]), group.kind, int(group.targets[0])) for group in table.metrics)
    for name in ("up", "down") if behaved else ():
        one = getattr(table, name)
        # The way down waits for as long as the controller is set to, where the HPA does not say.
        wait = float(one.window[0]) if name == "up" or one.window[0] != 300.0 else float(int(window))
        rates = sorted(zip(one.percent.tolist(), one.value.tolist(), one.period.tolist(), strict=True))
        out[name] = (wait, int(one.select[0]), round(float(one.tolerance[0]), 9), rates)
    return out


def test_an_inert_hpa_never_changes_anything_by_upstreams_own_rules() -> None:
    """Whatever the world looks like, as long as replicas stay within what the policy allows."""
    lines = []
    for case, answer, one in adopted():
        if b'"ticks":[' not in answer or any("spec" in tick for tick in case["ticks"]):
            continue
        spec = hand.inert(one.originals[0].spec, 10_000)
        lines.append(json.dumps(case | {"hpa": case["hpa"] | {"spec": spec}}).encode())
    assert len(lines) > 40
    wrote = [
        tick for answer in map(json.loads, answers(lines, full=True)) for tick in answer["ticks"] if "wrote" in tick
    ]
    assert wrote == []
