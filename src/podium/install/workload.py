"""What runs Podium in a cluster: settings, state, the Deployment, its guards. Fit for Pod Security "restricted"."""

from __future__ import annotations

import hashlib
import urllib.parse
from typing import Any

import yaml

from podium.documents.document import API_VERSION
from podium.install import plan as fixed
from podium.install.plan import NAME, Plan
from podium.install.texts import LABELS, SELECTOR, named

FLOORS = f"{NAME}-floors"
SCRATCH = "/tmp"  # noqa: S108  a volume of the pod's own


def namespace(plan: Plan) -> dict[str, Any]:
    """The namespace, in which nothing may run with more rights than Podium needs."""
    out = named("v1", "Namespace", plan.namespace)
    out["metadata"]["labels"] |= {"pod-security.kubernetes.io/enforce": "restricted"}
    return out


def account(plan: Plan) -> dict[str, Any]:
    """Whom Podium is in the cluster. Its token is mounted where it is asked for, and nowhere else."""
    return named("v1", "ServiceAccount", NAME, plan.namespace) | {"automountServiceAccountToken": False}


def settings(plan: Plan) -> dict[str, Any]:
    """`podium.yaml`. It holds references to secrets, and none itself."""
    hosts = [f"{NAME}.{plan.namespace}", f"{NAME}.{plan.namespace}.svc", f"{NAME}.{plan.namespace}.svc.cluster.local"]
    out: dict[str, Any] = {"apiVersion": API_VERSION, "kind": "Settings"}
    if plan.database_secret:
        out["database"] = {"password": f"file:{fixed.SETTINGS}/database/password"}
    else:
        out["database"] = {"url": f"sqlite:///{fixed.STATE}/podium.db"}
    out["clusters"] = [{"name": "local", "kind": "kubernetes"}]
    if plan.prometheus:
        out["sources"] = [{"name": "prometheus", "kind": "prometheus", "url": plan.prometheus}]
    out["documents"] = {"authority": "kubernetes"}
    if plan.namespaces:
        out["documents"]["namespaces"] = list(plan.namespaces)
    out["loop"] = {"mode": plan.mode}
    out["api"] = {"listen": f"0.0.0.0:{fixed.HTTP}", "token": f"file:{_token(plan)}", "hosts": hosts}
    out["log"] = {"format": "json"}
    if plan.serves_metrics or plan.serves_keda:
        out["metric"] = _metric(plan)
    return out


def _metric(plan: Plan) -> dict[str, Any]:
    if plan.keda:
        return {"keda": f"0.0.0.0:{fixed.KEDA}"}
    own = {"certificate": f"{fixed.SERVING}/tls.crt", "key": f"{fixed.SERVING}/tls.key"} if plan.serving_secret else {}
    return {"listen": f"0.0.0.0:{fixed.METRICS}", **own}


def _token(plan: Plan) -> str:
    return f"{fixed.SETTINGS}/token/token" if plan.token_secret else fixed.TOKEN


def config_map(plan: Plan) -> dict[str, Any]:
    """The settings as the pod finds them."""
    return named("v1", "ConfigMap", NAME, plan.namespace) | {"data": {"podium.yaml": settings_text(plan)}}


def settings_text(plan: Plan) -> str:
    """`podium.yaml` as YAML."""
    return yaml.safe_dump(settings(plan), sort_keys=False, width=1000)


def claim(plan: Plan) -> dict[str, Any]:
    """Room for the ledger, where it is SQLite."""
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": plan.storage}},
    }
    if plan.storage_class:
        spec["storageClassName"] = plan.storage_class
    out = named("v1", "PersistentVolumeClaim", NAME, plan.namespace) | {"spec": spec}
    out["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    return out


def service(plan: Plan) -> dict[str, Any]:
    """Where people, the API server and KEDA find the replica that leads: only that one is ready."""
    ports = [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
    if plan.serves_metrics:
        ports.append({"name": "metrics", "port": 443, "targetPort": "metrics", "protocol": "TCP"})
    if plan.serves_keda:
        ports.append({"name": "keda", "port": fixed.KEDA, "targetPort": "keda", "protocol": "TCP"})
    return named("v1", "Service", NAME, plan.namespace) | {"spec": {"selector": SELECTOR, "ports": ports}}


def disruption_budget(plan: Plan) -> dict[str, Any]:
    """One at a time. A least number would hold up the draining of a node for ever, for one replica is ready."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": SELECTOR}}
    return named("policy/v1", "PodDisruptionBudget", NAME, plan.namespace) | {"spec": spec}


def deployment(plan: Plan) -> dict[str, Any]:
    """The process. A new version starts once the old one has ended: two would wait for one volume, or for one lead."""
    revision = hashlib.sha256(settings_text(plan).encode()).hexdigest()[:16]
    template = {
        # The pod is made anew where the settings change: they are read at the start.
        "metadata": {"labels": LABELS, "annotations": {"podium.dev/settings": revision}},
        "spec": _pod(plan),
    }
    spec = {
        "replicas": plan.replicas,
        "selector": {"matchLabels": SELECTOR},
        "strategy": {"type": "Recreate"},
        "template": template,
    }
    return named("apps/v1", "Deployment", NAME, plan.namespace) | {"spec": spec}


def _pod(plan: Plan) -> dict[str, Any]:
    out: dict[str, Any] = {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": True,
        "securityContext": _security(),
        "terminationGracePeriodSeconds": 30,
    }
    if not plan.token_secret:
        command = ["podium", "settings", "token", fixed.TOKEN]
        out["initContainers"] = [_container(plan, "token") | {"command": command, "volumeMounts": [_mount("state")]}]
    out["containers"] = [_main(plan)]
    out["volumes"] = _volumes(plan)
    return out


def _security() -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": fixed.USER,
        "runAsGroup": fixed.USER,
        "fsGroup": fixed.USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _container(plan: Plan, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "image": plan.image,
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _main(plan: Plan) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": fixed.HTTP, "protocol": "TCP"}]
    if plan.serves_metrics:
        ports.append({"name": "metrics", "containerPort": fixed.METRICS, "protocol": "TCP"})
    if plan.serves_keda:
        ports.append({"name": "keda", "containerPort": fixed.KEDA, "protocol": "TCP"})
    environment: list[dict[str, Any]] = [
        {"name": "XDG_STATE_HOME", "value": "/var/lib"},
        {"name": "HOME", "value": SCRATCH},
    ]
    if plan.database_secret:
        reference = {"name": plan.database_secret, "key": "url"}
        environment.append({"name": "PODIUM_DATABASE__URL", "valueFrom": {"secretKeyRef": reference}})
    return _container(plan, NAME) | {
        "command": ["podium", "run", "--config", f"{fixed.SETTINGS}/podium.yaml"],
        "env": environment,
        "ports": ports,
        # The first turn waits for the past to be read, which takes minutes; meanwhile the process answers /healthz.
        "startupProbe": _probe("/healthz", 2, 90),
        "livenessProbe": _probe("/healthz", 10, 6),
        "readinessProbe": _probe("/readyz", 5, 2),
        "volumeMounts": [_mount(str(volume["name"])) for volume in _volumes(plan)],
    }


def _probe(path: str, period: int, failures: int) -> dict[str, Any]:
    get = {"path": path, "port": "http", "scheme": "HTTP"}
    return {"httpGet": get, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": failures}


_PATHS = {
    "settings": (f"{fixed.SETTINGS}/podium.yaml", "podium.yaml"),
    "state": (fixed.STATE, ""),
    "scratch": (SCRATCH, ""),
    "database": (f"{fixed.SETTINGS}/database", ""),
    "token": (f"{fixed.SETTINGS}/token", ""),
    "serving": (fixed.SERVING, ""),
}


def _mount(volume: str) -> dict[str, Any]:
    path, part = _PATHS[volume]
    out: dict[str, Any] = {"name": volume, "mountPath": path}
    if volume not in ("state", "scratch"):
        out["readOnly"] = True
    return out | ({"subPath": part} if part else {})


def _volumes(plan: Plan) -> list[dict[str, Any]]:
    state = {"emptyDir": {}} if plan.database_secret else {"persistentVolumeClaim": {"claimName": NAME}}
    out: list[dict[str, Any]] = [
        {"name": "settings", "configMap": {"name": NAME}},
        {"name": "state", **state},
        {"name": "scratch", "emptyDir": {}},
    ]
    if plan.database_secret:
        keys = [{"key": "password", "path": "password"}]
        out.append({"name": "database", "secret": {"secretName": plan.database_secret, "items": keys}})
    if plan.token_secret:
        out.append({"name": "token", "secret": {"secretName": plan.token_secret}})
    if plan.serving_secret and plan.serves_metrics:
        out.append({"name": "serving", "secret": {"secretName": plan.serving_secret}})
    return out


def floor_watch(plan: Plan) -> dict[str, Any]:
    """What gives floors back whose time has passed, because no Podium lives to renew them or to take them back."""
    command = ["podium", "floor", "give-back", "--expired"]
    places = [("everywhere", command)] if not plan.namespaces else []
    places += [(name, [*command, "--namespace", name]) for name in plan.namespaces]
    pod = {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": True,
        "securityContext": _security(),
        "restartPolicy": "Never",
        "containers": [_container(plan, name) | {"command": words} for name, words in places],
    }
    # Another label than the Deployment's pods have: no Service leads here, and no uninstall waits for it.
    template = {"metadata": {"labels": {"app.kubernetes.io/name": FLOORS}}, "spec": pod}
    spec = {
        "schedule": "*/10 * * * *",
        "concurrencyPolicy": "Forbid",
        "jobTemplate": {"spec": {"backoffLimit": 1, "activeDeadlineSeconds": 300, "template": template}},
    }
    return named("batch/v1", "CronJob", FLOORS, plan.namespace) | {"spec": spec}


def network_policy(plan: Plan) -> dict[str, Any]:
    """Who may knock, and where Podium may go: names, the API server, the database, its sources."""
    spec = {
        "podSelector": {"matchLabels": SELECTOR},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [_port(port) for port in _open(plan)]}],
        "egress": [
            {"ports": [_port(53, "UDP"), _port(53)]},
            {"ports": [_port(port) for port in sorted({443, 6443, *_sources(plan)}, key=str)]},
        ],
    }
    return named("networking.k8s.io/v1", "NetworkPolicy", NAME, plan.namespace) | {"spec": spec}


def _port(number: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"protocol": protocol, "port": number}


def _open(plan: Plan) -> list[int]:
    metrics, keda = plan.serves_metrics, plan.serves_keda
    return [fixed.HTTP, *([fixed.METRICS] if metrics else []), *([fixed.KEDA] if keda else [])]


def _sources(plan: Plan) -> set[int]:
    found = {5432} if plan.database_secret else set()
    if plan.prometheus:
        url = urllib.parse.urlsplit(plan.prometheus)
        found.add(url.port or (443 if url.scheme == "https" else 80))
    return found


def api_service(plan: Plan) -> dict[str, Any]:
    """How the API server comes to ask Podium for external.metrics.k8s.io. A cluster has one such answerer."""
    trust = {"caBundle": plan.ca_bundle} if plan.ca_bundle else {"insecureSkipTLSVerify": True}
    spec = {
        "group": "external.metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "service": {"name": NAME, "namespace": plan.namespace, "port": 443},
        **trust,
    }
    head = named("apiregistration.k8s.io/v1", "APIService", "v1beta1.external.metrics.k8s.io")
    return head | {"spec": spec}
