"""Operational scripts: catalogue, signature, sandbox, schedule, approval, run."""
