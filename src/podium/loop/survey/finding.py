"""One thing that a survey found, with what it rests on."""

from __future__ import annotations

import dataclasses
from typing import Any

from podium.loop.survey.rows import Amounts

GIB = 2**30
GIB_PER_CORE = 7.5  # a core costs as much as so many GiB on most price lists; only for an order without prices

NOTHING = Amounts()


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A saving (with what it frees), or a risk (without)."""

    code: str  # as in requests-above-use
    workload: str  # shop/deployment/web
    what: str
    evidence: str
    remedy: str
    weight: float  # the larger, the earlier
    freed: Amounts = NOTHING
    saved_micro: int | None = None  # a month; None without prices

    def as_json(self) -> dict[str, Any]:
        """Everything but the order, which is that of the list."""
        out: dict[str, Any] = {
            "code": self.code,
            "workload": self.workload,
            "what": self.what,
            "evidence": self.evidence,
            "remedy": self.remedy,
        }
        if self.freed != NOTHING:
            out |= {"freed": dataclasses.asdict(self.freed), "saved_micro_a_month": self.saved_micro}
        return out


def size(freed: Amounts) -> float:
    """Cores, with memory counted as part of a core."""
    return (freed.cpu or 0) / 1000 + (freed.memory or 0) / GIB / GIB_PER_CORE


def counted(count: int, word: str) -> str:
    """`1 pod`, `3 pods`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def cores(milli: int) -> str:
    """`250m`, or `12.5 cores`."""
    return f"{milli}m" if milli < 1000 else f"{milli / 1000:.3g} cores"


def memory(count: int) -> str:
    """`512 MiB`, or `1.5 GiB`."""
    return f"{count / 2**20:.0f} MiB" if count < GIB else f"{count / GIB:.3g} GiB"


def amounts(freed: Amounts) -> str:
    """`1.5 cores, 2 GiB`."""
    parts = [cores(freed.cpu)] if freed.cpu else []
    parts += [memory(freed.memory)] if freed.memory else []
    return ", ".join(parts)
