"""What a policy may ask for, being valid, and what this version does not act on: the one list of it."""

from __future__ import annotations

from collections.abc import Iterator

from podium.documents.source import Path
from podium.loop.policy import ScalingPolicySpec


def fields(spec: ScalingPolicySpec) -> Iterator[tuple[Path, str]]:
    """Every such field that `spec` uses: its path (relative to the document) and its words (`requests.mode own`)."""
    if "requests" in spec.model_fields_set and spec.requests.mode != "off":
        yield ("spec", "requests"), f"requests.mode {spec.requests.mode}"


def not_yet(spec: ScalingPolicySpec) -> tuple[str, ...]:
    """What `spec` asks for and this version does not do, in words: (`requests.mode own`,)."""
    return tuple(words for _, words in fields(spec))
