"""What `podium install` prints, on a real API server: taken as it is, enough to run on, gone again without a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.cli.inside import podium
from tests.journeys.deployments import SIGNAL, Deployments
from tests.journeys.installation import BY_LOAD_ALONE, POLICY, TOKEN, Installation
from tests.journeys.loads import serving, steady

from podium import kinds
from podium.install import manifest, rbac, texts, workload
from podium.install.plan import EPOCH, Plan
from podium.loop.clusters.kubernetes import rights
from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

ACCOUNT = "system:serviceaccount:podium:podium"


def apply(control_plane: ControlPlane, wanted: Plan, *more: str) -> str:
    text = texts.as_yaml(manifest.objects(wanted))
    return control_plane.kubectl("apply", "--server-side", "-f", "-", *more, input=text)


@pytest.fixture(scope="module", autouse=True)
def _afterwards(control_plane: ControlPlane) -> Iterator[None]:
    yield
    clean(control_plane)
    control_plane.kubectl("delete", "--ignore-not-found", "--wait=false", "namespace/podium")


@pytest.fixture
def bare(control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> ControlPlane:
    """A cluster in which nothing is granted to Podium; commands mean it."""
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    clean(control_plane)
    return control_plane


def clean(control_plane: ControlPlane) -> None:
    # The API service first: while nobody answers for it, no namespace can be taken away.
    for kind in ("apiservice", "clusterrole", "clusterrolebinding"):
        control_plane.kubectl("delete", "--ignore-not-found", kind, "-l", "app.kubernetes.io/name=podium")


def versions(control_plane: ControlPlane) -> dict[str, str]:
    """Kind and name -> resource version of everything that carries the label."""
    listed = "namespace,sa,cm,pvc,svc,pdb,netpol,clusterrole,clusterrolebinding"
    found = control_plane.kubectl("get", listed, "-A", "-l", "app.kubernetes.io/name=podium", "-o", "json")
    items = json.loads(found)["items"]
    return {f"{one['kind']} {one['metadata']['name']}": one["metadata"]["resourceVersion"] for one in items}


def test_the_cluster_takes_everything_and_a_second_time_nothing_changes(bare: ControlPlane) -> None:
    bare.kubectl("apply", "-f", "-", input=texts.as_yaml([workload.namespace(Plan())]))
    assert "warning" not in apply(bare, Plan(mode="own"), "--dry-run=server").casefold()
    apply(bare, Plan(mode="own"))
    before = versions(bare)
    apply(bare, Plan(mode="own"))
    assert len(before) == 9
    assert {
        name: one for name, one in versions(bare).items() if "PersistentVolumeClaim" not in name
    }.items() <= before.items()


@pytest.mark.parametrize("mode", rights.MODES)
def test_the_account_may_do_what_its_mode_takes_and_no_more(bare: ControlPlane, mode: rights.Mode) -> None:
    apply(bare, Plan(mode=mode))
    assert podium("install", "--check", "--mode", mode, "--as", ACCOUNT).exit_code == 0
    granted = {(verb, where.right) for need in rbac.granted(Plan(mode=mode)) for verb, where in need.rights("")}
    every = {
        (verb, where.right) for need in rbac.granted(Plan(mode="own", tell=True)) for verb, where in need.rights("")
    }
    refused = podium("install", "--check", "--mode", "own", "--as", ACCOUNT, "-o", "json")
    said = {one["words"] for one in json.loads(refused.stdout)["findings"] if one["what"] == "rights" and one["wrong"]}
    assert said == {f"the right to {verb} {right} is missing" for verb, right in every - granted}
    assert refused.exit_code == (0 if mode == "own" else 1)


def test_recommend_cannot_write_anything(bare: ControlPlane) -> None:
    apply(bare, Plan())
    listed = bare.kubectl("auth", "can-i", "--list", f"--as={ACCOUNT}", "-n", "default", "--no-headers")
    verbs = {
        verb
        for line in listed.splitlines()
        if "selfsubject" not in line
        for verb in line[line.rindex("[") + 1 : line.rindex("]")].split()
    }
    assert verbs <= {"get", "list", "watch"}


def test_an_older_and_a_newer_kind_are_told_apart(bare: ControlPlane) -> None:
    older, newer, same = kinds.crds()
    del older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["pause"]
    older["spec"]["versions"][0]["additionalPrinterColumns"] = []
    older["metadata"]["annotations"]["podium.dev/version"] = "0.0.9"
    newer["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["colour"] = {
        "type": "string"
    }
    apply(bare, Plan())
    bare.kubectl("replace", "-f", "-", input=texts.as_yaml([older, newer, same]))
    result = podium("install", "--check")
    bare.kubectl("replace", "-f", "-", input=texts.as_yaml(kinds.crds()))
    assert result.exit_code == 1
    assert (
        "scalingpolicies.podium.dev is older (of Podium 0.0.9) than this Podium 0.1.0: it drops spec.pause"
        in result.stdout
    )
    assert (
        "signals.podium.dev is newer (of Podium 0.1.0) than this Podium 0.1.0, which refuses spec.colour"
        in result.stdout
    )
    assert "calendars.podium.dev is that of this Podium" in result.stdout


def test_another_answerer_of_external_metrics_is_not_pushed_aside(bare: ControlPlane) -> None:
    (api,) = [one for one in manifest.objects(Plan(mode="metric")) if one["kind"] == "APIService"]
    api["spec"]["service"] |= {"namespace": "keda", "name": "keda-metrics"}
    bare.kubectl("apply", "-f", "-", input=json.dumps(api))
    result = podium("install", "--check", "--mode", "metric")
    assert "v1beta1.external.metrics.k8s.io is answered by keda/keda-metrics already" in result.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_installing_upgrading_and_leaving_changes_no_replica(
    bare: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    deployments = Deployments(bare, namespace)
    deployments.make({"web": 3, "cart": 2})
    with serving(namespace, steady({"web": 30.0, "cart": 20.0})) as loads:
        apply(bare, Plan(prometheus=loads.url))
        documents = SIGNAL.format(namespace=namespace) + "".join(
            POLICY.format(name=name, namespace=namespace) + BY_LOAD_ALONE for name in ("web", "cart")
        )
        bare.kubectl("apply", "-f", "-", input=documents)
        with installed(bare, tmp_path / "first") as first:
            first.until_turn(3)
        assert marked(bare, namespace) == {}

        apply(bare, Plan(mode="own", prometheus=loads.url))
        with installed(bare, tmp_path / "second") as second:
            second.until_turn(3)
        assert set(marked(bare, namespace)) == {"web", "cart"}

        said = podium("uninstall", "--dry-run").stdout
        assert f"unmark    deployments.apps {namespace}/web" in said
        assert podium("uninstall", "--yes").exit_code == 0
        assert marked(bare, namespace) == {}
        assert podium("uninstall", "--everything", "--yes").exit_code == 0
    assert podium("uninstall", "--everything", "--dry-run").stdout.strip() == "nothing of Podium is there"
    gone = ["namespace/podium", *(f"crd/{one['metadata']['name']}" for one in kinds.crds())]
    bare.kubectl("wait", "--for=delete", "--timeout=110s", *gone)
    assert deployments.replicas() == {"web": (3, 3), "cart": (2, 2)}
    assert deployments.answered() == []


@pytest.mark.slow
def test_roles_in_one_namespace_are_enough_for_it(bare: ControlPlane, namespace: str, tmp_path: Path) -> None:
    deployments = Deployments(bare, namespace)
    deployments.make({"web": 3})
    with serving(namespace, steady({"web": 30.0})) as loads:
        apply(bare, Plan(mode="own", namespaces=(namespace,), prometheus=loads.url))
        assert podium("install", "--check", "--mode", "own", "--namespaced", namespace, "--as", ACCOUNT).exit_code == 0
        documents = SIGNAL.format(namespace=namespace) + POLICY.format(name="web", namespace=namespace) + BY_LOAD_ALONE
        bare.kubectl("apply", "-f", "-", input=documents)
        with installed(bare, tmp_path / "here") as here:
            here.until_turn(3)
            assert here.said("the status of a document cannot be written") == []
    assert set(marked(bare, namespace)) == {"web"}
    ready = "{.items[*].status.conditions[?(@.type=='Ready')].status}"
    assert bare.kubectl("get", "spol", "-n", namespace, "-o", f"jsonpath={ready}") == "True"
    about = "--field-selector=involvedObject.kind=ScalingPolicy,reason=InForce"
    assert "Podium follows it." in bare.kubectl("get", "events", "-n", namespace, about)


def marked(control_plane: ControlPlane, namespace: str) -> dict[str, str]:
    found = json.loads(control_plane.kubectl("get", "deployments", "-n", namespace, "-o", "json"))["items"]
    every = {one["metadata"]["name"]: one["metadata"].get("annotations", {}).get(EPOCH) for one in found}
    return {name: epoch for name, epoch in every.items() if epoch is not None}


def installed(control_plane: ControlPlane, folder: Path) -> Installation:
    """Podium as the Deployment would run it: with the ConfigMap's settings, as the service account."""
    folder.mkdir()
    found = json.loads(control_plane.kubectl("get", "configmap", "podium", "-n", "podium", "-o", "json"))
    settings = yaml.safe_load(found["data"]["podium.yaml"])
    token = control_plane.kubectl("-n", "podium", "create", "token", "podium").strip()
    kubeconfig = Deployments(control_plane, "podium").kubeconfig(folder / "kubeconfig", token=token)
    (folder / "token").write_text(TOKEN)
    database = f"sqlite:///{folder}/podium.db"
    settings["database"] = {"url": database}
    settings["clusters"][0]["kubeconfig"] = str(kubeconfig)
    settings["api"] = {"listen": "127.0.0.1:0", "token": "file:token"}
    settings["loop"] |= {"interval": "1s", "lease": "2s", "history": "0s"}
    (folder / "podium.yaml").write_text(yaml.safe_dump(settings))
    place = Installation(folder, database, list)
    place.start()
    return place
