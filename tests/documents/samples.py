"""Documents that are right, for tests to break."""

from __future__ import annotations

from podium.documents.document import Document
from podium.documents.loading import loads
from podium.documents.problem import Invalid
from podium.kinds import KINDS

POLICY = """\
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: web, namespace: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  replicas: {min: 2, max: 60}
  load: {signal: requests_per_second, capacityPerReplica: 85}
"""

SIGNAL = """\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {name: requests_per_second, namespace: shop}
spec:
  unit: per_second
  prometheus: {query: 'sum by (namespace, deployment) (rate(http_requests_total[1m]))'}
"""


def policy(spec: str = "") -> Document:
    """The policy with more lines in its spec (from line 8)."""
    (document,) = loads((POLICY + spec).encode(), "web.yaml", KINDS)
    return document


def complaints(text: str) -> list[str]:
    """What is said about a text, a line per mistake."""
    try:
        loads(text.encode(), "web.yaml", KINDS)
    except Invalid as error:
        return str(error).splitlines()
    return []
