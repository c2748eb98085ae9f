"""`make docs`: the parts of the Helm chart that come from the models: the kinds, the roles' rules, the version."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import yaml

import podium
from podium import kinds
from podium.install import rbac, texts
from podium.loop.clusters.kubernetes import rights

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "deploy" / "helm" / "podium"
PLURAL, GROUP = "PLURAL", "GROUP"  # stand in the rules of a further workload for what the values name


def files() -> dict[str, str]:
    """Path inside the chart -> text."""
    return {
        "Chart.yaml": _yaml(_chart()),
        "files/crds.yaml": texts.as_yaml(kinds.crds()) + "\n",
        "files/rules.yaml": "# Written by `make docs` from the one list of rights.\n" + _yaml(_rules()),
    }


def _chart() -> dict[str, Any]:
    return {
        "apiVersion": "v2",
        "name": "podium",
        "description": "Sizes many tenants' services on Kubernetes ahead of their load.",
        "type": "application",
        "version": podium.__version__,
        "appVersion": podium.__version__,
        "kubeVersion": ">=1.29.0-0",
    }


def _rules() -> dict[str, Any]:
    scopes = {"cluster": False, "namespaced": True}
    further = list(rights.of_workload(f"{PLURAL}.{GROUP}"))
    return {
        **{name: _usual(namespaced=inside) for name, inside in scopes.items()},
        "metricsApis": rbac.rules(rights.METRICS_APIS),
        "workload": {mode: rbac.rules(need for need in further if rights.within(need, mode)) for mode in rights.MODES},
        "leases": [rbac.LEASES],
    }


def _usual(*, namespaced: bool) -> dict[str, Any]:
    """What is told (status, Events) is part of every mode but the first, where it is asked for."""
    told = {mode: rbac.rules(rbac.usual(mode, tell=True, namespaced=namespaced)) for mode in rights.MODES}
    silent = rbac.rules(rbac.usual("recommend", tell=False, namespaced=namespaced))
    return told | {"recommend": silent, "recommend-tell": told["recommend"]}


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, width=120))


def main() -> int:
    """Write them."""
    for path, text in files().items():
        (FOLDER / path).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
