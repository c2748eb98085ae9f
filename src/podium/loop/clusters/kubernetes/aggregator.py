"""How an API server's aggregator shows who it is: what the cluster itself says of it to the APIs behind it.

https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#kubernetes-apiserver-client-authentication
"""

from __future__ import annotations

import dataclasses

import msgspec

from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.where import Where

_WHERE = Where(
    group="", version="v1", resource="configmaps", namespace="kube-system", name="extension-apiserver-authentication"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Aggregator:
    """The authority that signs the aggregator's certificate."""

    authority: str  # PEM
    names: tuple[str, ...]  # common names that it may have; none: any


class _ConfigMap(msgspec.Struct, frozen=True):
    """v1 ConfigMap."""

    data: dict[str, str] = {}


async def read(client: Client) -> Aggregator | str:
    """Who the aggregator is, or why that cannot be known now."""
    try:
        data = (await client.get(_WHERE, _ConfigMap)).data
        names = msgspec.json.decode(data.get("requestheader-allowed-names", "[]"), type=tuple[str, ...])
    except (errors.Temporary, errors.Permanent) as error:
        return str(error)
    except msgspec.DecodeError as error:
        return f"ConfigMap {_WHERE.namespace}/{_WHERE.name}: requestheader-allowed-names: {error}"
    authority = data.get("requestheader-client-ca-file", "")
    if not authority:
        return f"ConfigMap {_WHERE.namespace}/{_WHERE.name} names no requestheader-client-ca-file: no aggregation there"
    return Aggregator(authority, names)
