"""A process that leads and appends until it is killed: prints its epoch, then the last seq of each append it got."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from podium.ledger.entry import Draft
from podium.ledger.errors import StaleLeader
from podium.ledger.ledger import Ledger


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write(url: str, heads: str, ttl_seconds: float, pause_seconds: float) -> None:
    ledger = Ledger.open(url, heads=Path(heads), head_seconds=0.01)
    leadership = ledger.lead(f"writer {sys.argv[0]}", ttl_seconds)
    say(f"epoch {leadership.epoch}")
    at = 0
    while True:
        at += 1
        drafts = [Draft(kind="tick", at_us=at, payload=bytes(at % 5000)), Draft(kind="event", at_us=at)]
        try:
            say(str(ledger.append(drafts, leadership)[-1].seq))
        except StaleLeader:
            say("stale")
            ledger.close()
            return
        time.sleep(pause_seconds)


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
