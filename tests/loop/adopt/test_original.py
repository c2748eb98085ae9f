"""Which files are read, and which documents of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from podium.loop.adopt import original

HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3},
}


@pytest.mark.parametrize("kind", ["List", "HorizontalPodAutoscalerList"])
def test_a_list_is_what_is_in_it(tmp_path: Path, kind: str) -> None:
    (tmp_path / "hpas.json").write_text(json.dumps({"apiVersion": "v1", "kind": kind, "items": [HPA]}))
    assert [one.name for one in original.from_files([tmp_path], "")] == ["web"]


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "hpa.json").write_text(json.dumps(HPA))
    assert [one.name for one in original.from_files([tmp_path], "")] == ["web"]
