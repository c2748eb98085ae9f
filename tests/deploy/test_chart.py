"""The Helm chart says what `podium install` says, object by object, whatever is chosen."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.servers.helm import Helm
from tools import chart

from podium.install import manifest
from podium.install.plan import Plan

pytestmark = pytest.mark.cluster  # built by Go, as the control plane is

PLANS = {
    "as it comes": (Plan(), ""),
    "telling": (Plan(tell=True), "tell=true"),
    "metric": (Plan(mode="metric"), "mode=metric"),
    "floor": (Plan(mode="floor"), "mode=floor"),
    "own": (Plan(mode="own"), "mode=own"),
    "own, answering": (Plan(mode="own", serve=True), "mode=own,serve=true"),
    "for KEDA": (Plan(mode="metric", keda=True), "mode=metric,keda=true"),
    "recommend for KEDA": (Plan(keda=True), "keda=true"),
    "elsewhere": (Plan(namespace="ops"), ""),
    "two namespaces": (Plan(mode="own", namespaces=("shop", "bank")), "mode=own,namespaces={shop,bank}"),
    "rollouts": (
        Plan(
            mode="own", workloads=("deployments.apps", "statefulsets.apps", "rollouts.argoproj.io"), metrics_apis=True
        ),
        "mode=own,workloads={rollouts.argoproj.io},metricsApis=true",
    ),
    "PostgreSQL": (
        Plan(replicas=2, database_secret="database", token_secret="door"),
        "replicas=2,database.secret=database,token.secret=door",
    ),
    "Prometheus": (
        Plan(prometheus="http://prometheus.monitoring:9090/x"),
        "prometheus=http://prometheus.monitoring:9090/x",
    ),
    "Prometheus on its port": (Plan(prometheus="https://prometheus"), "prometheus=https://prometheus"),
    "a certificate": (
        Plan(mode="metric", serving_secret="tls", ca_bundle="QQ=="),
        "mode=metric,serving.secret=tls,serving.ca=QQ==",
    ),
    "a volume": (
        Plan(storage="1Gi", storage_class="fast", image="there/podium:1", network_policy=False),
        "storage.size=1Gi,storage.class=fast,image=there/podium:1,networkPolicy=false",
    ),
}


def rendered(helm: Helm, namespace: str, values: str) -> list[dict[str, Any]]:
    done = helm("template", "podium", chart.FOLDER, "-n", namespace, "--set", f"namespace.create=true,{values}")
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one is not None]


def by_name(objects: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    keys = [(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in objects]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, objects, strict=True))


@pytest.mark.parametrize("name", PLANS)
def test_the_chart_and_the_command_yield_the_same_objects(helm: Helm, name: str) -> None:
    plan, values = PLANS[name]
    theirs, ours = by_name(rendered(helm, plan.namespace, values)), by_name(manifest.objects(plan))
    assert sorted(theirs) == sorted(ours)
    for key, one in ours.items():
        assert theirs[key] == one, key


def test_helm_finds_nothing_wrong_with_the_chart(helm: Helm) -> None:
    done = helm("lint", "--strict", chart.FOLDER)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("mode=all", "mode"),
        ("replicas=2", "set database.secret and token.secret"),
        ("serving.secret=tls", "belong together"),
        ("reeplicas=2", "reeplicas"),
        ("workloads={rollouts}", "workloads"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(helm: Helm, values: str, said: str) -> None:
    done = helm("template", "podium", chart.FOLDER, "--set", values)
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr


def test_the_notes_do_not_show_a_secret(helm: Helm) -> None:
    done = helm("install", "podium", chart.FOLDER, "--dry-run=client", "-n", "podium")
    assert "exec deploy/podium -- cat /var/lib/podium/api-token" in done.stdout
