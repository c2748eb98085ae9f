"""The Kubernetes client against a real API server: who may ask, what a write must match, what is applied."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from podium.clients.kubernetes import kubeconfig, objects
from podium.clients.kubernetes.access import Access, User, in_cluster
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.errors import Conflict, Forbidden, Permanent, Unauthorized
from podium.clients.kubernetes.where import Where
from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

Connect = Callable[[Access], Client]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    made: list[Client] = []

    def client(access: Access) -> Client:
        made.append(Client(access))
        return made[-1]

    yield client
    for one in made:
        await one.close()


@pytest.fixture
def access(control_plane: ControlPlane) -> Access:
    return kubeconfig.load([control_plane.kubeconfig])


def maps(namespace: str, name: str = "") -> Where:
    return Where(group="", version="v1", resource="configmaps", namespace=namespace, name=name)


def document(name: str, **data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def test_a_list_comes_whole_in_pages(connect: Connect, access: Access, namespace: str) -> None:
    client = connect(access)
    for number in range(5):
        await client.create(maps(namespace), document(f"m{number}"), objects.Object)
    found, _ = await client.list_all(maps(namespace), objects.Object, page=2)
    assert {f"m{number}" for number in range(5)} <= {one.metadata.name for one in found}


async def test_what_exists_is_not_created_again(connect: Connect, access: Access, namespace: str) -> None:
    client = connect(access)
    await client.create(maps(namespace), document("one"), objects.Object)
    with pytest.raises(Conflict, match="already exists"):
        await client.create(maps(namespace), document("one"), objects.Object)


async def test_a_merge_patch_on_an_old_version_is_a_conflict(connect: Connect, access: Access, namespace: str) -> None:
    client = connect(access)
    first = await client.create(maps(namespace), document("one", a="1"), objects.Object)
    guarded = {"metadata": {"resourceVersion": first.metadata.resource_version}, "data": {"a": "2"}}
    second = await client.merge_patch(maps(namespace, "one"), guarded, objects.Object)
    with pytest.raises(Conflict, match="modified"):
        await client.merge_patch(maps(namespace, "one"), guarded, objects.Object)
    assert (await client.get(maps(namespace, "one"), objects.Object)).metadata == second.metadata


async def test_a_json_patch_whose_test_fails_changes_nothing(connect: Connect, access: Access, namespace: str) -> None:
    client = connect(access)
    made = await client.create(maps(namespace), document("one", a="1"), objects.Object)
    operations = [{"op": "test", "path": "/data/a", "value": "0"}, {"op": "remove", "path": "/data/a"}]
    with pytest.raises(Permanent, match="HTTP 422"):
        await client.json_patch(maps(namespace, "one"), operations, objects.Object)
    now = await client.get(maps(namespace, "one"), objects.Object, metadata_alone=True)
    assert now.metadata.resource_version == made.metadata.resource_version


async def test_a_field_of_another_owner_is_applied_only_by_force(
    connect: Connect, access: Access, namespace: str
) -> None:
    client, one = connect(access), maps(namespace, "one")
    await client.apply(one, document("one", a="1"), objects.Object, owner="first")
    with pytest.raises(Conflict, match='conflict with "first"'):
        await client.apply(one, document("one", a="2"), objects.Object, owner="second")
    assert await client.apply(one, document("one", a="2"), objects.Object, owner="second", force=True)


async def test_a_scale_can_be_set_without_a_precondition(
    connect: Connect, access: Access, control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=none")
    where = Where(group="apps", version="v1", resource="deployments", namespace=namespace, name="web")
    assert (await connect(access).patch_scale(where, 2)).spec.replicas == 2


async def test_a_client_certificate_is_enough(connect: Connect, control_plane: ControlPlane, namespace: str) -> None:
    by_certificate = kubeconfig.load([control_plane.folder / "kwok.kubeconfig"])
    assert by_certificate.user.token == ""
    assert await connect(by_certificate).list_all(maps(namespace), objects.Object)


async def test_a_service_accounts_token_has_its_rights_and_no_others(
    connect: Connect, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    token = control_plane.kubectl("create", "token", "default", "-n", namespace)
    for name, text in {"token": token, "ca.crt": control_plane.ca.read_text(), "namespace": namespace}.items():
        (tmp_path / name).write_text(text)
    host, port = control_plane.server.removeprefix("https://").split(":")
    pod = in_cluster({"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}, tmp_path)
    with pytest.raises(Forbidden, match=f"the right to list configmaps in namespace {namespace} is missing"):
        await connect(pod).list_all(maps(pod.namespace), objects.Object)


async def test_a_wrong_token_is_told_from_a_missing_right(connect: Connect, access: Access, namespace: str) -> None:
    with pytest.raises(Unauthorized, match="HTTP 401"):
        await connect(dataclasses.replace(access, user=User(token="wrong"))).list_all(maps(namespace), objects.Object)


async def test_a_certificate_of_another_authority_is_refused_for_good(
    connect: Connect, access: Access, namespace: str
) -> None:
    stranger = dataclasses.replace(access, ca=None)
    with pytest.raises(Permanent, match="TLS failed: CERTIFICATE_VERIFY_FAILED"):
        await connect(stranger).list_all(maps(namespace), objects.Object)
    assert await connect(dataclasses.replace(stranger, verify=False)).list_all(maps(namespace), objects.Object)


async def test_the_name_in_the_certificate_counts(connect: Connect, access: Access, namespace: str) -> None:
    assert await connect(dataclasses.replace(access, server_name="localhost")).list_all(maps(namespace), objects.Object)
    with pytest.raises(Permanent, match="TLS failed"):
        await connect(dataclasses.replace(access, server_name="elsewhere")).list_all(maps(namespace), objects.Object)
