"""Writes load.csv, which is synthetic: four days of requests that nobody ever sent, a second, a row every five minutes.

python make_load.py > load.csv
"""

import math
import random

STEP_MINUTES = 5
DAYS = 4


def level(hour: float) -> float:
    """Forty a second at night; from eight to half past eight everybody comes, from eighteen on they go."""
    morning = 1 / (1 + math.exp(-(hour - 8.25) * 16))
    evening = 1 / (1 + math.exp((hour - 19) * 2))
    return 40 + 360 * morning * evening


def main() -> None:
    """Print the rows; the same ones each time."""
    chance = random.Random(2)  # noqa: S311  noise, and no secret
    print("requests")
    for row in range(DAYS * 24 * 60 // STEP_MINUTES):
        hour = row * STEP_MINUTES / 60 % 24
        print(round(level(hour) * chance.uniform(0.95, 1.05), 1))


if __name__ == "__main__":
    main()
