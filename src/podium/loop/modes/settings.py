"""The `metric` branch of the settings: the doors at which others' autoscalers ask, and the floor's patience."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

from podium.documents.shape import Objection, Shape
from podium.documents.values import Listen, PositiveSeconds, Text


class MetricSettings(Shape):
    """Where HPAs and KEDA ask how many replicas Podium wants, for workloads in mode `metric`."""

    listen: Listen | None = None
    """Address of external.metrics.k8s.io over TLS, as in 0.0.0.0:6443; left out, it is not served."""
    certificate: pathlib.Path | None = None
    """PEM file of the server's certificate; left out, one is made at every start that nobody can check."""
    key: pathlib.Path | None = None
    """PEM file of its key."""
    client_ca: pathlib.Path | None = None
    """Who signs the API server's aggregator; left out, what the cluster itself says (the ConfigMap
    extension-apiserver-authentication of kube-system)."""
    allowed_names: tuple[Text, ...] = ()
    """With clientCa: the common names that are let in; none named, all that it signed."""
    keda: Listen | None = None
    """Address of KEDA's external scaler (gRPC), as in 0.0.0.0:6000; left out, it is not served. With `certificate` it
    speaks TLS."""
    keda_client_ca: pathlib.Path | None = None
    """Who signs KEDA's certificate; left out, whoever reaches the address may ask."""

    def objections(self) -> Iterator[Objection]:
        """A certificate has its key, and nothing is written that would do nothing."""
        if (self.certificate is None) != (self.key is None):
            yield Objection(("key" if self.key is None else "certificate",), "both certificate and key, or neither")
        if self.allowed_names and self.client_ca is None:
            yield Objection(("allowedNames",), "nothing here without clientCa: the cluster names them itself")
        if self.keda_client_ca is not None and self.certificate is None:
            yield Objection(("kedaClientCa",), "a certificate of our own beside it: without TLS nobody shows one")


class FloorSettings(Shape):
    """Mode `floor`."""

    expires: PositiveSeconds = 1800.0
    """How long a raised minimum is to stand when every Podium falls silent; longer than most outages of a control
    plane, and a bounded bill."""


class ContestSettings(Shape):
    """What is done when somebody else writes what Podium leads."""

    writes: int = 3
    """So many of Podium's writes to one workload, overwritten within the window, and it yields."""
    window: PositiveSeconds = 900.0
    """How close together."""
    rest: PositiveSeconds = 900.0
    """How long it yields before it tries once more."""
