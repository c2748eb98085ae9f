"""What all generated cases are made of: chances with names, and moments."""

from __future__ import annotations

import datetime
import random
from typing import Any

Object = dict[str, Any]

ZERO = datetime.datetime(2000, 1, 2, tzinfo=datetime.UTC)


def moment(at: float) -> str:
    """Seconds after zero as RFC 3339."""
    return (ZERO + datetime.timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Draw(random.Random):
    """Chances with names."""

    def chance(self, share: float) -> bool:
        return self.random() < share

    def quantity(self, milli: int) -> str:
        """Thousandths in one of the forms that people and adapters write."""
        if milli % 1000 == 0 and self.chance(0.7):
            return str(milli // 1000)
        form = self.random()
        if form < 0.7:
            return f"{milli}m"
        if form < 0.85:
            return f"{milli * 1_000_000 - (self.randrange(1_000_000) if milli > 0 and form < 0.75 else 0)}n"
        return f"{milli * 1000}u" if form < 0.93 else f"{milli / 1000:.3f}"
