"""Gauges computed when somebody asks: declared once, so that the reference page can list them; unknown is no series."""

from __future__ import annotations

import abc
import math
from collections.abc import Iterator, Mapping
from typing import ClassVar, TypeAlias

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

Row: TypeAlias = tuple[str, tuple[str, ...], float]  # the gauge, its labels' values, the number; NaN: unknown


class Gauges(Collector, abc.ABC):
    """A collector of the gauges in `declared`: name -> (label names, what it says)."""

    declared: ClassVar[Mapping[str, tuple[tuple[str, ...], str]]]

    @abc.abstractmethod
    def rows(self) -> Iterator[Row]:
        """Every number known now."""

    def describe(self) -> list[GaugeMetricFamily]:
        """The gauges without their numbers."""
        return [GaugeMetricFamily(name, words, labels=labels) for name, (labels, words) in self.declared.items()]

    def collect(self) -> list[GaugeMetricFamily]:
        """The gauges with what is known now."""
        families = {family.name: family for family in self.describe()}
        for name, labels, value in self.rows():
            if not math.isnan(value):
                families[name].add_metric(labels, value)
        return list(families.values())
