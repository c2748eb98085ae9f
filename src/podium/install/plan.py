"""What an installation is to be: the few choices, and what is the same in all of them."""

from __future__ import annotations

import dataclasses

import podium
from podium.loop.clusters.kubernetes import rights
from podium.loop.policy import Mode

NAME = "podium"  # of every object of an installation
EPOCH = "podium.dev/epoch"
USER = 65532  # the number that images without root have by custom
STATE = "/var/lib/podium"
SETTINGS = "/etc/podium"
TOKEN = f"{STATE}/api-token"
SERVING = f"{SETTINGS}/serving"
HTTP, METRICS, KEDA = 8080, 6443, 6000  # ports of the container


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The choices. Every default can be tried without risk: nothing is written but Podium's own objects."""

    namespace: str = NAME
    mode: Mode = "recommend"
    namespaces: tuple[str, ...] = ()  # those looked at; (): all, which takes ClusterRoles
    workloads: tuple[str, ...] = rights.WORKLOADS
    image: str = f"podium:{podium.__version__}"
    replicas: int = 1
    database_secret: str = ""  # with keys `url` and `password`; "": SQLite on a volume of its own
    storage: str = "10Gi"
    storage_class: str = ""
    token_secret: str = ""  # with key `token`; "": one is made at the first start and kept beside the state
    prometheus: str = ""
    tell: bool = False  # in mode recommend, too, write the status of Podium's own objects, and Events
    metrics_apis: bool = False
    serving_secret: str = ""  # kubernetes.io/tls; "": self-signed at every start, and not verified
    ca_bundle: str = ""  # PEM, base64: who signed it
    serve: bool = False  # external.metrics.k8s.io in modes above `metric`, too; a cluster has one answerer of it
    keda: bool = False  # KEDA's external scaler in place of the external metrics API
    network_policy: bool = True

    @property
    def tells(self) -> bool:
        """Whether Podium may say in the cluster how things stand."""
        return self.tell or self.mode != "recommend"

    @property
    def serves_metrics(self) -> bool:
        """Whether it answers external.metrics.k8s.io."""
        return (self.mode == "metric" or (self.serve and self.mode != "recommend")) and not self.keda

    @property
    def raises_floors(self) -> bool:
        """Whether it may raise the minimum of an HPA."""
        return self.mode in ("floor", "own")

    @property
    def serves_keda(self) -> bool:
        """Whether it answers KEDA."""
        return self.keda and self.mode != "recommend"

    @property
    def user(self) -> str:
        """The service account, as reviews name it."""
        return f"system:serviceaccount:{self.namespace}:{NAME}"
