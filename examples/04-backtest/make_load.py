"""Print load.csv: four made days of requests a second, every five minutes, with times."""

from __future__ import annotations

import math
import random

START = 1_772_409_600  # Monday 2026-03-02, 00:00 UTC
DAYS = 4


def requests(minute: int, chance: random.Random) -> float:
    """A quiet night, a steep morning at eight, and a lunch break; five per cent of noise."""
    hour = minute / 60 % 24
    day = 1 / (1 + math.exp(-(hour - 8.2) * 5)) - 1 / (1 + math.exp(-(hour - 19) * 1.5))
    lunch = 0.2 * math.exp(-(((hour - 12.5) / 0.7) ** 2))
    return (60 + 700 * max(day - lunch, 0)) * chance.gauss(1, 0.05)


def main() -> None:
    """Print a row every five minutes."""
    chance = random.Random(7)  # noqa: S311  the same load every time
    print("ts,web")
    for minute in range(0, DAYS * 1440, 5):
        print(f"{START + minute * 60},{requests(minute, chance):.1f}")


if __name__ == "__main__":
    main()
