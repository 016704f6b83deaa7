"""The chart is an SVG whose axes hold what is drawn."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.plot import Mark, Series, chart, ticks

SVG = "{http://www.w3.org/2000/svg}"
numbers = st.floats(-1e4, 1e4, allow_nan=False)


@given(numbers, numbers)
def test_ticks_are_few_and_enclose_what_is_drawn(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    found = ticks(low, high)
    slack = 1e-9 * max(1.0, abs(low), abs(high))
    assert found[0] <= low + slack
    assert found[-1] >= high - slack
    assert 2 <= len(found) <= 11
    assert found == sorted(set(found))


def test_ticks_are_round_numbers() -> None:
    assert ticks(0.0, 100.0) == [0, 20, 40, 60, 80, 100]
    assert ticks(0.0, 1.4) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4])


def test_points_lie_inside_of_the_axes_and_names_are_escaped() -> None:
    text = chart(
        title="a < b & c",
        subtitle="",
        x_label="x",
        y_label="y",
        series=[
            Series("first", [(0.0, -1.0), (2.5, 3.0)], labels=["low", "high"]),
            Series("second", [(1.0, 1.0)]),
        ],
        marks=[Mark("x", 9.0, "budget"), Mark("y", 4.0, "limit")],
    )
    root = ElementTree.fromstring(text)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    lines = root.findall(f"{SVG}polyline")
    assert len(lines) == 2
    for line in lines:
        for x, y in re.findall(r"([\d.-]+),([\d.-]+)", line.attrib["points"]):
            assert 0 < float(x) < width
            assert 0 < float(y) < height
    assert len(root.findall(f"{SVG}circle")) == 2
    shown = {element.text for element in root.findall(f"{SVG}text")}
    assert {"a < b & c", "first", "second", "low", "high", "budget", "limit"} <= shown


def test_a_chart_of_nothing_is_a_chart() -> None:
    text = chart(title="", subtitle="", x_label="", y_label="", series=[Series("none", [])])
    assert ElementTree.fromstring(text).tag == f"{SVG}svg"
