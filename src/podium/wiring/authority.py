"""Where an installation's documents come from: a folder of files, or the cluster's own objects."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from podium import kinds
from podium.documents.collection import Documents
from podium.documents.folder import Folder
from podium.documents.problem import Invalid, Problem
from podium.settings import Loaded
from podium.wiring import outside

if TYPE_CHECKING:
    from podium.loop.clusters.kubernetes.documents import ClusterDocuments
    from podium.loop.clusters.kubernetes.events import Events


def followed(loaded: Loaded, events: Events | None = None) -> Folder | ClusterDocuments:
    """What is to be followed. Raises Invalid where the settings name no folder, and Broken for a bad kubeconfig."""
    if loaded.value.documents.authority == "folder":
        return folder(loaded)
    from podium.clients.kubernetes.client import Client
    from podium.loop.clusters.kubernetes.documents import ClusterDocuments

    (cluster,) = loaded.value.clusters
    access = outside.access_to(cluster)
    return ClusterDocuments(
        cluster.name,
        lambda: Client(access, environment=os.environ),
        kinds.KINDS,
        kinds.all_checks(loaded.value),
        loaded.value.documents.namespaces,
        events,
    )


async def load(loaded: Loaded) -> Documents:
    """The documents in force now. Raises Invalid, and what the Kubernetes client raises."""
    found = followed(loaded)
    return await asyncio.to_thread(found.load) if isinstance(found, Folder) else await found.load()


def folder(loaded: Loaded) -> Folder:
    """The folder of documents, with every check between them. Raises Invalid where there is none."""
    documents = loaded.value.documents
    if documents.path is None:
        got = "nothing" if documents.authority == "folder" else "documents that lie in the cluster"
        raise Invalid([Problem("settings", 0, 0, "documents.path", "a folder of documents", got)])
    return kinds.folder(documents.path, loaded.value)
