"""Prices of a core and of a GiB of memory by the hour, and what replicas cost under them."""

from __future__ import annotations

import csv
import dataclasses
import functools
import importlib.resources

import numpy as np

from podium.model.arrays import UNKNOWN, Int64s

MICRO = 1_000_000
GIB = 2**30


class NoSuchPlace(LookupError):
    """The table has no prices for a place; the message names those it has."""


@dataclasses.dataclass(frozen=True, slots=True)
class Price:
    """What compute costs by the hour, in micro-units of `currency` (ISO 4217); None is not known."""

    currency: str
    cpu_hour: int | None  # of a core
    memory_hour: int | None  # of a GiB
    source: str  # for people: where it comes from, and of when


def places() -> tuple[str, ...]:
    """Every place of the table: cloud/region/family, as `aws/us-east-1/7g`."""
    return tuple(_table())


def of(place: str) -> Price:
    """The on-demand price of a place. Raises NoSuchPlace."""
    try:
        return _table()[place]
    except KeyError:
        raise NoSuchPlace(f"no prices for {place!r}; there are {', '.join(places())}") from None


def hourly(price: Price | None, cpu_milli: Int64s, memory_bytes: Int64s) -> Int64s:
    """[n] micro-units per replica and hour, for requests [n]; UNKNOWN where a request or its price is not known.

    What is not requested (0) costs nothing, and needs no price. 500m and 1 GiB at 33,000 and 4,000: 20,500.
    """
    if price is None:
        return np.full(len(cpu_milli), UNKNOWN, np.int64)
    by_cpu = _part(cpu_milli, price.cpu_hour, 1000)
    by_memory = _part(memory_bytes, price.memory_hour, GIB)
    return np.where((by_cpu == UNKNOWN) | (by_memory == UNKNOWN), UNKNOWN, by_cpu + by_memory)


def _part(amount: Int64s, hour: int | None, unit: int) -> Int64s:
    """Rounded to the nearest micro-unit, in whole units and rest: a TiB at a million would overflow otherwise."""
    if hour is None:
        return np.where(amount == 0, 0, UNKNOWN)
    whole, rest = np.divmod(amount, unit)
    return np.where(amount < 0, UNKNOWN, whole * hour + (rest * hour + unit // 2) // unit)


def total(rate: int, replica_hours: float) -> int | None:
    """What replica-hours cost at `rate` micro-units each; None when the rate is UNKNOWN."""
    return None if rate == UNKNOWN else round(rate * replica_hours)


def shown(micro: int | None, currency: str) -> str:
    """For people: `1,234.56 USD`; "-" when it is not known."""
    return "-" if micro is None else f"{micro / MICRO:,.2f} {currency}"


@functools.cache
def _table() -> dict[str, Price]:
    text = importlib.resources.files(__package__).joinpath("on_demand.csv").read_text(encoding="utf-8")
    return {
        row["place"]: Price(
            row["currency"],
            int(row["cpu_hour_micro"]),
            int(row["gib_hour_micro"]),
            f"on demand, {row['place']}, {row['on']}: {row['source']}",
        )
        for row in csv.DictReader(text.splitlines())
    }
