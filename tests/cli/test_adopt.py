"""`podium adopt` on a small API server: what is read, written in which order, and given back."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli import lived, shop
from tests.cli.inside import podium as call
from tests.servers import apiserver
from tests.servers.apiserver import ApiServer
from tests.servers.prometheus import Server

from podium.cli import outcome
from podium.loop.adopt import hand
from podium.loop.adopt.original import ADOPTED
from podium.model.clock import wall_clock

HPAS = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
SCALED = "/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects"
APPLIED = {"kubectl.kubernetes.io/last-applied-configuration": '{"spec":{"maxReplicas":10}}'}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with apiserver.running() as found:
        shop.open_shop(found)
        found.served |= {"scaledobjects.keda.sh", "verticalpodautoscalers.autoscaling.k8s.io"}
        kinds = [("deployments", "Deployment"), ("statefulsets", "StatefulSet")]
        resources = [{"name": name, "kind": kind, "namespaced": True} for name, kind in kinds]
        found.objects["/apis/apps"] = {
            "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
            "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
        }
        found.objects["/apis/apps/v1"] = {"resources": resources}
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "policies"


@pytest.fixture
def adopt(server: ApiServer, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return ["adopt", "--kubeconfig", server.kubeconfig(tmp_path), "--into", folder]


def scaled(server: ApiServer, name: str) -> dict[str, Any]:
    """A ScaledObject on CPU."""
    trigger = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}
    spec = {"scaleTargetRef": {"name": name}, "minReplicaCount": 2, "triggers": [trigger]}
    value = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "spec": spec}
    return server.put("keda.sh/v1alpha1", "scaledobjects", value | {"metadata": {"name": name, "namespace": "shop"}})


def a_shop(server: ApiServer) -> None:
    """An HPA on web, a ScaledObject on cart."""
    shop.workload(server, "web")
    shop.hpa(server, "web", annotations=dict(APPLIED))
    shop.workload(server, "cart")
    scaled(server, "cart")


def whole(value: dict[str, Any]) -> dict[str, Any]:
    """An object without its version."""
    out = copy.deepcopy(value)
    del out["metadata"]["resourceVersion"]
    if not out["metadata"].get("annotations"):
        out["metadata"].pop("annotations", None)  # Go leaves an empty map out
    return out


def mode_in(folder: Path, name: str) -> str:
    documents = list(yaml.safe_load_all((folder / f"shop.{name}.yaml").read_text()))
    return str(documents[-1]["spec"]["mode"])


def test_a_plan_names_everything_and_changes_nothing(server: ApiServer, adopt: list[object], folder: Path) -> None:
    a_shop(server)
    shop.hpa(server, "lost")
    result = call(*adopt)
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stdout.split())
    assert "shop/deployment/cart ScaledObject cart 2-100 cpu 70 % cart-cpu" in said
    assert "shop/deployment/web HPA web 2-10 cpu 60 % web-cpu" in said
    assert "HPA lost names deployment shop/lost, which is not there" in said
    assert "there is no history to compare on: --prometheus URL names one" in said
    assert (server.wrote, folder.exists()) == ([], False)


def test_policies_are_put_beside_what_scales_and_touch_nothing(
    server: ApiServer, adopt: list[object], folder: Path
) -> None:
    a_shop(server)
    assert call(*adopt, "--apply").exit_code == 0
    assert server.wrote == []
    assert sorted(path.name for path in folder.iterdir()) == ["shop.cart.yaml", "shop.web.yaml"]
    assert mode_in(folder, "web") == "recommend"
    assert call("policy", "check", folder).exit_code == 0
    again = call(*adopt, "--apply")
    assert (again.exit_code, "is in mode recommend already" in again.stdout) == (0, True)


def test_a_hand_over_makes_the_hpa_inert_and_pauses_keda_and_is_given_back_whole(
    server: ApiServer, adopt: list[object], folder: Path
) -> None:
    a_shop(server)
    before = {path: whole(one) for path, one in server.objects.items() if "apps" not in path}
    done = call(*adopt, "--apply", "--mode", "own", "--yes")
    assert done.exit_code == 0, done.stdout + done.stderr
    web, cart = server.at(f"{HPAS}/web"), server.at(f"{SCALED}/cart")
    spec = web["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 10)
    assert {way: rules["selectPolicy"] for way, rules in spec["behavior"].items()} == {
        "scaleUp": "Disabled",
        "scaleDown": "Disabled",
    }
    assert json.loads(web["metadata"]["annotations"][ADOPTED])["spec"] == before[f"{HPAS}/web"]["spec"]
    assert cart["metadata"]["annotations"]["autoscaling.keda.sh/paused"] == "true"
    assert (mode_in(folder, "web"), mode_in(folder, "cart")) == ("own", "own")

    back = call(*adopt, "--undo")
    assert back.exit_code == 0, back.stdout + back.stderr
    after = {path: whole(one) for path, one in server.objects.items() if "apps" not in path}
    assert after == before
    assert list(folder.iterdir()) == []
    assert call(*adopt, "--undo").exit_code == outcome.NEGATIVE  # there is nothing left to give back


@pytest.mark.parametrize("writes", range(3))
@pytest.mark.parametrize("end", ["resumed", "undone"])
def test_an_adoption_that_dies_between_any_two_writes_is_resumed_or_undone(
    server: ApiServer, adopt: list[object], folder: Path, writes: int, end: str
) -> None:
    a_shop(server)
    before = {path: whole(one) for path, one in server.objects.items() if "apps" not in path}
    server.dies_before = writes
    died = call(*adopt, "--apply", "--mode", "own", "--yes")
    assert died.exit_code == (outcome.DONE if writes == 2 else outcome.OUT_OF_REACH)
    server.dies_before = None
    for name, path in (("web", f"{HPAS}/web"), ("cart", f"{SCALED}/cart")):
        if (folder / f"shop.{name}.yaml").exists() and mode_in(folder, name) == "own":
            assert ADOPTED in server.at(path)["metadata"]["annotations"]  # nobody leads beside another
    if end == "resumed":
        assert call(*adopt, "--apply", "--mode", "own", "--yes").exit_code == 0
        assert (mode_in(folder, "web"), mode_in(folder, "cart")) == ("own", "own")
        recorded = json.loads(server.at(f"{HPAS}/web")["metadata"]["annotations"][ADOPTED])
        assert recorded["spec"] == before[f"{HPAS}/web"]["spec"]  # never that of the inert one
    call(*adopt, "--undo")
    assert {path: whole(one) for path, one in server.objects.items() if "apps" not in path} == before
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("writes", [1, 2])
@pytest.mark.parametrize("end", ["resumed", "undone"])
def test_a_process_that_is_killed_right_after_a_write_left_its_record(
    server: ApiServer, adopt: list[object], folder: Path, writes: int, end: str
) -> None:
    a_shop(server)
    before = {path: whole(one) for path, one in server.objects.items() if "apps" not in path}
    podium = str(Path(sys.executable).parent / "podium")
    words = [podium, *map(str, adopt), "--apply", "--mode", "own", "--yes"]
    # Stopped before its first step, so that its number is known to the one that kills it.
    killed = subprocess.Popen(["sh", "-c", 'kill -STOP $$; exec "$@"', "sh", *words], stdout=subprocess.DEVNULL)
    server.kills = (writes, killed.pid)
    os.waitpid(killed.pid, os.WUNTRACED)
    killed.send_signal(signal.SIGCONT)
    assert killed.wait() == -signal.SIGKILL
    annotations = [one.get("metadata", {}).get("annotations") or {} for one in server.objects.values()]
    assert sum(ADOPTED in one for one in annotations) == writes
    last = ("cart", "web")[writes - 1]
    assert mode_in(folder, last) == "recommend"  # nobody leads beside another
    if end == "resumed":
        assert call(*adopt, "--apply", "--mode", "own", "--yes").exit_code == 0
        assert (mode_in(folder, "web"), mode_in(folder, "cart")) == ("own", "own")
    assert call(*adopt, "--undo").exit_code == 0
    assert {path: whole(one) for path, one in server.objects.items() if "apps" not in path} == before
    assert list(folder.iterdir()) == []


def test_an_undo_that_dies_between_two_writes_goes_on(server: ApiServer, adopt: list[object], folder: Path) -> None:
    a_shop(server)
    before = {path: whole(one) for path, one in server.objects.items() if "apps" not in path}
    assert call(*adopt, "--apply", "--mode", "own", "--yes").exit_code == 0
    server.dies_before = 1
    assert call(*adopt, "--undo").exit_code == outcome.OUT_OF_REACH
    server.dies_before = None
    assert call(*adopt, "--undo").exit_code == 0
    assert {path: whole(one) for path, one in server.objects.items() if "apps" not in path} == before
    assert list(folder.iterdir()) == []


def test_what_somebody_changed_meanwhile_is_not_overwritten_unless_forced(
    server: ApiServer, adopt: list[object], folder: Path
) -> None:
    a_shop(server)
    before = copy.deepcopy(server.at(f"{HPAS}/web")["spec"])
    assert call(*adopt, "--apply", "--mode", "own", "--yes").exit_code == 0
    web = server.at(f"{HPAS}/web")
    web["spec"] = web["spec"] | {"minReplicas": 4}
    left = call(*adopt, "--undo")
    assert left.exit_code == outcome.NEGATIVE
    assert "was changed since it was handed over: spec.minReplicas; --force" in left.stdout
    assert mode_in(folder, "web") == "recommend"  # whatever it is now, nobody leads beside it
    assert call(*adopt, "--undo", "--force").exit_code == 0
    assert server.at(f"{HPAS}/web")["spec"] == before


def test_a_record_that_somebody_took_away_is_known_from_its_copy(
    server: ApiServer, adopt: list[object], folder: Path
) -> None:
    a_shop(server)
    before = {path: whole(one) for path, one in server.objects.items() if "apps" not in path}
    assert call(*adopt, "--apply", "--mode", "own", "--yes").exit_code == 0
    for path in (f"{HPAS}/web", f"{SCALED}/cart"):
        del server.at(path)["metadata"]["annotations"][ADOPTED]
    assert call(*adopt, "--undo").exit_code == 0
    assert {path: whole(one) for path, one in server.objects.items() if "apps" not in path} == before
    assert list(folder.iterdir()) == []


def test_names_at_their_length_limits_are_adopted_and_given_back(
    server: ApiServer, adopt: list[object], folder: Path
) -> None:
    name = "w" * 253
    shop.workload(server, name, 1)
    shop.hpa(server, name)
    before = whole(server.at(f"{HPAS}/{name}"))
    done = call(*adopt, "--apply", "--mode", "own", "--yes")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert call(*adopt, "--undo").exit_code == 0
    assert whole(server.at(f"{HPAS}/{name}")) == before
    assert list(folder.iterdir()) == []


def test_an_hpa_that_was_deleted_meanwhile_is_made_again(server: ApiServer, adopt: list[object]) -> None:
    a_shop(server)
    before = whole(server.at(f"{HPAS}/web"))
    assert call(*adopt, "--apply", "--mode", "own", "--yes").exit_code == 0
    del server.objects[f"{HPAS}/web"]
    done = call(*adopt, "--undo")
    assert done.exit_code == 0
    assert "HorizontalPodAutoscaler web was deleted meanwhile, and is made again" in done.stdout
    again = whole(server.at(f"{HPAS}/web"))
    assert (again["spec"], again["metadata"]) == (before["spec"], before["metadata"])


def test_what_decides_and_has_no_counterpart_keeps_a_workload_from_being_handed_over(
    server: ApiServer, adopt: list[object], folder: Path
) -> None:
    a_shop(server)
    server.at(f"{SCALED}/cart")["spec"]["minReplicaCount"] = 0
    done = call(*adopt, "--apply", "--mode", "own", "--yes")
    assert done.exit_code == outcome.NEGATIVE
    assert "is not handed over: ScaledObject cart spec.minReplicaCount: Podium rests at zero by one" in done.stdout
    assert "annotations" not in server.at(f"{SCALED}/cart")["metadata"]
    assert not (folder / "shop.cart.yaml").exists()
    assert call(*adopt, "--apply", "--mode", "own", "--yes", "--accept-losses").exit_code == 0


def test_nobody_is_handed_over_without_being_asked(server: ApiServer, adopt: list[object]) -> None:
    a_shop(server)
    result = call(*adopt, "--apply", "--mode", "own")
    assert result.exit_code == outcome.BAD_INPUT
    assert "nobody is here to confirm it" in result.stderr
    assert server.wrote == []


def test_somebodys_own_policy_and_file_are_left_alone(server: ApiServer, adopt: list[object], folder: Path) -> None:
    a_shop(server)
    folder.mkdir()
    own = {
        "apiVersion": "podium.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": "mine", "namespace": "shop"},
        "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "replicas": {"max": 3}},
    }
    (folder / "mine.yaml").write_text(json.dumps(own))
    result = call(*adopt, "--apply", "--workload", "cart")
    assert result.exit_code == 0, result.stderr
    refused = call(*adopt, "--apply", "--workload", "web")
    assert refused.exit_code == outcome.NEGATIVE
    assert "has a policy of its own already" in refused.stdout
    call(*adopt, "--undo")
    assert [path.name for path in folder.iterdir()] == ["mine.yaml"]


def test_a_conflict_is_read_again_and_written_on_what_is_there(
    server: ApiServer, adopt: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_shop(server)
    answer, moved = server.answer, []

    def moving(verb: str, *words: Any) -> tuple[int, dict[str, Any]]:
        if verb == "PATCH" and not moved:  # the controller wrote a status in between
            moved.append(words)
            web = server.at(f"{HPAS}/web")
            server.put("autoscaling/v2", "horizontalpodautoscalers", web | {"status": {"currentReplicas": 3}})
        return answer(verb, *words)

    monkeypatch.setattr(server, "answer", moving)
    assert call(*adopt, "--apply", "--mode", "own", "--yes", "--workload", "web").exit_code == 0
    assert server.at(f"{HPAS}/web")["status"] == {"currentReplicas": 3}


def test_manifests_in_files_need_no_cluster(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    manifest = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 4},
    }
    (tmp_path / "all.yaml").write_text(json.dumps({"kind": "List", "items": [manifest, {"kind": "Service"}]}))
    planned = call("adopt", "-f", tmp_path / "all.yaml", "-o", "json")
    assert planned.exit_code == 0, planned.stderr
    (one,) = json.loads(planned.stdout)["adoptions"]
    assert one["notes"] == ["whether its target is there was not looked at"]
    assert call("adopt", "-f", tmp_path / "all.yaml", "--apply", "--into", folder).exit_code == 0
    assert mode_in(folder, "web") == "recommend"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: [", "all.yaml:2"),
        ("kind: HorizontalPodAutoscaler\napiVersion: autoscaling/v2beta1\nspec: 3", "expected autoscaling/v2 or"),
        ("kind: HorizontalPodAutoscaler\napiVersion: autoscaling/v2\nmetadata: {}\nspec: {}", "metadata.name"),
        (
            "kind: ScaledObject\napiVersion: keda.sh/v1alpha1\nmetadata: {name: web, annotations: 3}\nspec: {}",
            "metadata.annotations: expected a mapping of text; got 3",
        ),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "all.yaml").write_text(text)
    result = call("adopt", "-f", tmp_path / "all.yaml")
    assert result.exit_code == outcome.BAD_INPUT
    assert said in result.stderr


@pytest.mark.parametrize(
    "words", [("--undo", "--apply"), ("--undo", "-f", "x.yaml"), ("-f", "x.yaml", "--mode", "own")]
)
def test_what_does_not_go_together_is_said(words: tuple[str, ...]) -> None:
    assert call("adopt", *words).exit_code == outcome.BAD_INPUT


def test_without_the_right_to_see_hpas_nothing_is_given_back(server: ApiServer, adopt: list[object]) -> None:
    a_shop(server)
    server.refused["GET horizontalpodautoscalers.autoscaling"] = 403
    planned = call(*adopt)
    assert "the right to list horizontalpodautoscalers.autoscaling in all namespaces is missing" in planned.stdout
    assert call(*adopt, "--undo").exit_code == outcome.BAD_INPUT


def test_objects_are_written_where_documents_lie_in_the_cluster(
    server: ApiServer, adopt: list[object], tmp_path: Path
) -> None:
    a_shop(server)
    server.served |= {"scalingpolicies.podium.dev", "signals.podium.dev"}
    settings = tmp_path / "podium.yaml"
    settings.write_text(
        "apiVersion: podium.dev/v1alpha1\nkind: Settings\ndocuments: {authority: kubernetes}\n"
        "clusters: [{name: local, kind: kubernetes}]\n"
        "sources: [{name: local, kind: cluster}]\n"
    )
    base = [*adopt[:3], "--config", settings]
    done = call(*base, "--apply", "--mode", "own", "--yes")
    assert done.exit_code == 0, done.stdout + done.stderr
    policy = "/apis/podium.dev/v1alpha1/namespaces/shop/scalingpolicies/web"
    assert server.at(policy)["spec"]["mode"] == "own"
    patched = [path.rpartition("/")[2] for _, path in server.wrote if "/web" in path]
    assert patched == ["web-cpu", "web", "web", "web"]  # signal, policy, then the HPA, then the policy's mode
    assert call(*base, "--undo").exit_code == 0
    assert not [path for path in server.objects if "podium.dev" in path]
    assert ADOPTED not in server.at(f"{HPAS}/web")["metadata"]["annotations"]


def test_a_record_that_is_none_is_said(server: ApiServer, adopt: list[object]) -> None:
    a_shop(server)
    server.at(f"{HPAS}/web")["metadata"]["annotations"][ADOPTED] = "what?"
    result = call(*adopt)
    assert "HorizontalPodAutoscaler shop/web: its annotation podium.dev/adopted is not what" in result.stdout


@pytest.mark.prometheus
@pytest.mark.timeout(300)
def test_policy_and_hpa_are_compared_on_what_really_happened(
    own_prometheus: Server, server: ApiServer, adopt: list[object]
) -> None:
    own_prometheus.remember(*lived.lines(wall_clock()))
    shop.workload(server, "web")
    shop.hpa(server, "web", 2, 40)
    result = call(*adopt, "--prometheus", own_prometheus.url, "--days", 3, "-o", "json")
    assert result.exit_code == 0, result.stderr
    (compared,) = json.loads(result.stdout)["compared"]["workloads"]
    assert compared["workload"] == "shop/deployment/web"
    assert compared["would"]["replica_hours"] < compared["was"]["replica_hours"]
    assert compared["would"]["replicas"]["least"] >= 2


def test_an_hpa_that_others_write_all_the_time_is_given_up_in_the_end(
    server: ApiServer, adopt: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_shop(server)
    server.refused["PATCH horizontalpodautoscalers.autoscaling"] = 409
    result = call(*adopt, "--apply", "--mode", "own", "--yes", "--workload", "web")
    assert result.exit_code == outcome.OUT_OF_REACH
    assert f"was changed by others {hand.ATTEMPTS} times" in result.stderr
