"""The drawing of a rehearsal."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree

import numpy as np
import pytest
from tests.loop.rehearse.made import said, waves

from podium.loop.rehearse.answer import answer
from podium.loop.rehearse.chart import draw
from podium.loop.rehearse.rehearsal import Wanted
from podium.model.arrays import Float64s

SVG = "{http://www.w3.org/2000/svg}"


def text(load: Float64s, origins: int = 12) -> str:
    return draw(answer(said(load, origins), Wanted(1800.0, 300.0, origins), "last-value"))


def root(load: Float64s, origins: int = 12) -> ElementTree.Element:
    return ElementTree.fromstring(text(load, origins))  # noqa: S314  our own text


def count(of: ElementTree.Element, tag: str, name: str) -> int:
    return sum(one.attrib.get("class") == name for one in of.iter(f"{SVG}{tag}"))


def test_every_origin_has_its_median_and_its_quantile() -> None:
    made = root(waves(4))
    assert (count(made, "circle", "dot"), count(made, "line", "bar")) == (12, 12)


def test_six_origins_are_shown_from_near_with_three_bands_each() -> None:
    made = root(waves(4))
    assert (count(made, "line", "now"), count(made, "polygon", "band")) == (6, 18)
    offs = [word.text or "" for word in made.iter(f"{SVG}text") if "off by" in (word.text or "") and "," in word.text]  # type: ignore[operator]
    errors = [float(word.rpartition(" ")[2].rstrip("%")) for word in offs if word.endswith("%")]
    assert all(first <= second for first, second in itertools.pairwise(errors))


def test_it_stands_by_itself_in_light_and_dark() -> None:
    made = text(waves(3))
    assert "prefers-color-scheme: dark" in made
    assert "<script" not in made
    assert made.count("http") == 1  # the name of the format alone


@pytest.mark.parametrize("kind", ["zero", "holes", "outlier", "nothing at the end"])
def test_an_odd_load_is_drawn_all_the_same(kind: str) -> None:
    load = waves(3)
    if kind == "zero":
        load[:] = 0.0
    elif kind == "holes":
        load[::2] = np.nan
    elif kind == "outlier":
        load[600] = 1e9
    else:
        load[560:-1] = np.nan
    made = text(load)
    assert "nan" not in made
    assert "inf" not in made
    ElementTree.fromstring(made)  # noqa: S314  our own text
