"""Options about money: what compute costs, and what a replica requests of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from podium.loop.backtest.answer import Rate
    from podium.loop.prices.price import Price

F = TypeVar("F", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Prices:
    """What the options said."""

    place: str | None
    cpu_hour: float | None
    memory_hour: float | None
    currency: str

    def price(self, config: str | None, flags: tuple[str, ...]) -> Price | None:
        """The price that is meant: the options', else that of the settings. Raises BadInput."""
        import pydantic

        from podium.cli import options
        from podium.cli.outcome import BadInput
        from podium.loop.prices.settings import PriceSettings

        given = {"place": self.place, "cpu_hour": self.cpu_hour, "memory_hour": self.memory_hour}
        given = {name: value for name, value in given.items() if value is not None}
        if not given:
            return options.load(config, flags).value.prices.price()
        if self.place is None or self.currency != "USD":
            given["currency"] = self.currency
        try:
            return PriceSettings(**given).price()  # type: ignore[arg-type]
        except pydantic.ValidationError as error:
            raise BadInput("; ".join(f"prices: {one['msg']}" for one in error.errors())) from error


def prices(command: F) -> F:
    """`--price-place`, `--price-cpu-hour`, `--price-memory-hour`, `--currency`."""
    for option in (
        click.option("--currency", default="USD", show_default=True, metavar="ISO4217", help="Of the prices."),
        click.option("--price-memory-hour", type=float, metavar="AMOUNT", help="A GiB of memory for an hour."),
        click.option("--price-cpu-hour", type=float, metavar="AMOUNT", help="A core for an hour."),
        click.option("--price-place", metavar="PLACE", help="On-demand prices of a place, as aws/us-east-1/7g."),
    ):
        command = option(command)
    return command


def rate(price: Price | None, cpu_milli: int | None, memory_bytes: int | None) -> Rate:
    """What a replica of these requests costs an hour; UNKNOWN without a price or a request of CPU.

    Memory counts where both its price and its request are known; the source says so where it does not.
    """
    import numpy as np

    from podium.loop.backtest.answer import Rate
    from podium.loop.prices.price import hourly

    if price is None or cpu_milli is None:
        return Rate()
    whole = memory_bytes is not None and price.memory_hour is not None
    memory = memory_bytes if whole and memory_bytes is not None else 0
    (micro,) = hourly(price, np.array([cpu_milli]), np.array([memory])).tolist()
    return Rate(micro, price.currency, price.source + ("" if whole else "; CPU alone"))
