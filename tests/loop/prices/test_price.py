"""Prices: a dated table, exact arithmetic, and no price that is zero for want of knowledge."""

from __future__ import annotations

import re

import numpy as np
import pydantic
import pytest

from podium.loop.prices import price
from podium.loop.prices.price import GIB, NoSuchPlace, Price
from podium.loop.prices.settings import PriceSettings
from podium.model.arrays import UNKNOWN

LIST = Price("USD", 33_000, 4_000, "as said")


def test_a_replica_costs_its_requests() -> None:
    rates = price.hourly(LIST, np.array([500, 1000]), np.array([GIB, 4 * GIB]))
    assert rates.tolist() == [20_500, 49_000]


def test_no_price_and_no_request_are_unknown_and_never_zero() -> None:
    cpu_alone = Price("USD", 33_000, None, "")
    assert price.hourly(None, np.array([500]), np.array([GIB])).tolist() == [UNKNOWN]
    assert price.hourly(LIST, np.array([UNKNOWN, 500]), np.array([GIB, UNKNOWN])).tolist() == [UNKNOWN, UNKNOWN]
    assert price.hourly(cpu_alone, np.array([500, 500]), np.array([0, 1])).tolist() == [16_500, UNKNOWN]
    assert (price.total(UNKNOWN, 5.0), price.shown(None, "USD")) == (None, "-")


def test_large_amounts_do_not_overflow() -> None:
    dear = Price("USD", 10**9, 10**9, "")
    assert price.hourly(dear, np.array([10**9]), np.array([2**50])).tolist() == [10**15 + 2**20 * 10**9]


def test_every_row_of_the_table_is_dated_and_has_its_source() -> None:
    for place in price.places():
        row = price.of(place)
        assert re.fullmatch(r"(aws|gcp|azure)/[a-z0-9-]+/[a-z0-9]+", place)
        assert re.search(r"20\d\d-\d\d-\d\d: .*Apache-2\.0", row.source)
        assert row.cpu_hour
        assert row.memory_hour
        assert 10_000 < row.cpu_hour < 60_000
        assert 2_000 < row.memory_hour < 10_000


def test_an_unknown_place_names_those_there_are() -> None:
    with pytest.raises(NoSuchPlace, match="there are aws/us-east-1/5"):
        price.of("mars")


def test_settings_take_a_place_and_let_a_person_say_better() -> None:
    table = price.of("gcp/us-central1/e2")
    assert PriceSettings().price() is None
    assert PriceSettings(place="gcp/us-central1/e2").price() == table
    said = PriceSettings(place="gcp/us-central1/e2", cpu_hour=0.01).price()
    assert said is not None
    assert (said.cpu_hour, said.memory_hour) == (10_000, table.memory_hour)
    own = PriceSettings(cpu_hour=0.02, currency="EUR").price()
    assert own == Price("EUR", 20_000, None, "as said")


@pytest.mark.parametrize("bad", [{"place": "mars"}, {"currency": "euro"}, {"cpu_hour": 0.0},
                                 {"place": "gcp/us-central1/e2", "currency": "EUR"}])  # fmt: skip
def test_what_cannot_be_meant_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(pydantic.ValidationError):
        PriceSettings(**bad)  # type: ignore[arg-type]
