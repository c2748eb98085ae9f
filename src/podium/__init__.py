"""Podium: an operations control plane for many tenants' services on Kubernetes.

The folders are the architecture; `docs/architecture.md` says the same in prose, and an import
contract in `pyproject.toml` holds the arrows.
"""

__version__ = "0.1.0"
