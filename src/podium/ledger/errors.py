"""What a ledger may answer instead of an entry.

Exception
├── Temporary     the database is unreachable, locked or full: ask again later
├── Permanent     a wrong URL, a newer version, a missing right or driver: change something first
├── Led           another live holder leads
└── StaleLeader   a later leader exists: stop writing altogether
"""

from __future__ import annotations

from podium.clients.database import Permanent, Temporary
from podium.model import clock

__all__ = ["Led", "Permanent", "StaleLeader", "Temporary"]


class Led(Exception):
    """Another live holder leads. `who` names it, `until` is when its lease ends (Unix seconds, database's clock)."""

    def __init__(self, who: str, until: float) -> None:
        super().__init__(f"{who} leads until {clock.rfc3339(until)}, unless it renews")
        self.who = who
        self.until = until


class StaleLeader(Exception):
    """The leadership was lost to a later epoch, or released. Nothing was written."""

    def __init__(self, epoch: int, current: int) -> None:
        later = f"epoch {current} leads now" if current != epoch else "it was released"
        super().__init__(f"the leadership of epoch {epoch} is over: {later}; nothing was written")
        self.epoch = epoch
        self.current = current
