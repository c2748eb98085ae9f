"""Who is meant: workload keys, actors, and ids that sort by time."""

from __future__ import annotations

import dataclasses
import os
import re

_KEY = re.compile(r"(?P<cluster>[^/]+)/(?P<namespace>[^/]+)/(?P<kind>[^/.]+)(?:\.(?P<group>[^/]+))?/(?P<name>[^/]+)")


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class WorkloadKey:
    """One workload: `cluster/namespace/kind.group/name`, kind in lower case, as `local/shop/deployment.apps/web`.

    The tenant is resolved from the key and is never part of it.
    """

    cluster: str
    namespace: str
    kind: str
    group: str
    name: str

    @classmethod
    def parse(cls, text: str) -> WorkloadKey:
        """Read the form that `str` writes. Raises ValueError with the expected shape."""
        match = _KEY.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is not a workload; expected cluster/namespace/kind.group/name, "
                "as in local/shop/deployment.apps/web"
            )
        return cls(match["cluster"], match["namespace"], match["kind"].lower(), match["group"] or "", match["name"])

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{self.cluster}/{self.namespace}/{kind}/{self.name}"


def new_id(now_us: int) -> str:
    """A UUIDv7 (RFC 9562) for the moment `now_us` (Unix microseconds): ids sort by time."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (now_us // 1000 & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
