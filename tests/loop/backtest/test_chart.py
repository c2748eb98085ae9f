"""The chart: cost against unserved load."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree

from podium.loop.backtest.chart import Point, draw

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [
    Point("podium", "podium", 1.1, 0.0002),
    Point("hpa:50", "hpa", 2.0, 0.0),
    Point("hpa:80", "hpa", 1.3, 0.004),
    Point("static:9 & <more>", "static", 3.0, 0.2),
    Point("oracle", "oracle", 1.0, 0.0),
]


def drawn() -> ElementTree.Element:
    return ElementTree.fromstring(draw("web & shop", "7d judged", POINTS, 0.001))  # noqa: S314  our own text


def texts(root: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{SVG}text")]


def dots(root: ElementTree.Element) -> dict[str, tuple[float, float]]:
    circles = list(root.iter(f"{SVG}circle"))
    return {one.attrib["class"]: (float(one.attrib["cx"]), float(one.attrib["cy"])) for one in circles}


def test_every_policy_has_a_dot_and_its_name() -> None:
    root = drawn()
    assert len(list(root.iter(f"{SVG}circle"))) == len(POINTS)
    assert {point.name for point in POINTS} <= set(texts(root))


def test_dearer_is_further_right_and_riskier_is_higher() -> None:
    place = dots(drawn())
    assert place["oracle"][0] < place["podium"][0] < place["static"][0]
    assert place["static"][1] < place["podium"][1] < place["oracle"][1]


def test_it_has_words_for_both_axes_and_the_asked_risk() -> None:
    words = " ".join(texts(drawn()))
    for part in ("load that found no capacity", "cost: replica-hours", "asked: at most 0.1 %", "none"):
        assert part in words


def test_names_do_not_lie_on_each_other() -> None:
    crowd = [Point(f"hpa:{number}", "hpa", 1.2, 0.0) for number in range(5)]
    root = ElementTree.fromstring(draw("t", "s", crowd, 0.001))  # noqa: S314
    levels = sorted(float(one.attrib["y"]) for one in root.iter(f"{SVG}text") if (one.text or "").startswith("hpa"))
    assert min(second - first for first, second in itertools.pairwise(levels)) >= 15


def test_it_stands_by_itself_in_light_and_dark() -> None:
    text = draw("t", "s", POINTS, 0.001)
    assert "prefers-color-scheme: dark" in text
    assert "<script" not in text
    assert text.count("http") == 1  # the name of the format alone
