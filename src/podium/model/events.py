"""What happened, for whoever wants to react: CloudEvents 1.0 in Podium's own types."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One occurrence. `type` is `<noun>.<past>`, as in `signal.lost`; the wire adds `dev.podium.` and `.v1`."""

    id: str
    at_us: int
    type: str
    subject: str
    tenant: str = ""
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
