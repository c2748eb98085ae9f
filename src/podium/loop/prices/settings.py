"""The `prices` branch of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from podium.documents.shape import Objection, Shape
from podium.documents.values import Text
from podium.loop.prices.price import MICRO, Price, of, places

Hourly = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class PriceSettings(Shape):
    """What compute costs. Left out, costs are told in replica-hours alone: no price is unknown, never zero."""

    place: Text | None = None
    """Takes the on-demand prices of a place from the table that Podium brings, as in aws/us-east-1/7g."""
    cpu_hour: Hourly | None = None
    """Of one core for an hour; before the table's."""
    memory_hour: Hourly | None = None
    """Of one GiB of memory for an hour; before the table's."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    """ISO 4217; that of the table where a place is named."""

    def objections(self) -> Iterator[Objection]:
        """The place is one of the table's, in its currency."""
        if self.place is None:
            return
        if self.place not in places():
            yield Objection(("place",), f"one of {', '.join(places())}")
        elif "currency" in self.model_fields_set and self.currency != of(self.place).currency:
            yield Objection(("currency",), f"{of(self.place).currency}, in which {self.place} is told")

    def price(self) -> Price | None:
        """The price that is meant; None when nobody said any."""
        table = of(self.place) if self.place is not None else None
        if table is None and self.cpu_hour is None and self.memory_hour is None:
            return None
        own = [_micro(self.cpu_hour), _micro(self.memory_hour)]
        said = "as said" if any(one is not None for one in own) else ""
        return Price(
            table.currency if table else self.currency,
            own[0] if own[0] is not None or table is None else table.cpu_hour,
            own[1] if own[1] is not None or table is None else table.memory_hour,
            "; ".join(filter(None, (said, table.source if table else ""))),
        )


def _micro(amount: float | None) -> int | None:
    return None if amount is None else round(amount * MICRO)
