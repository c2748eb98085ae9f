"""The example that `podium run` shows when nobody has written settings: documents, a scenario, no code of its own."""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """Where `podium.yaml`, `scenario.yaml` and `policies/` of the example lie."""
    return Path(__file__).parent
