"""Charts as SVG."""

import re
from xml.etree import ElementTree as ET

import pytest

from components.serving.charts import (
    Axis,
    Range,
    Series,
    Spot,
    bar_chart,
    forest_plot,
    line_chart,
    scatter_plot,
)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  # our own text


def of_class(svg: str, kind: str) -> list[ET.Element]:
    return [element for element in parsed(svg).iter() if kind in element.get("class", "").split()]


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        pytest.param(Axis("share"), [0, 0.2, 0.4, 0.6, 0.8, 1], id="a share"),
        pytest.param(Axis("epoch", 1, 25), [5, 10, 15, 20, 25], id="epochs"),
        pytest.param(Axis("loss", 0, 0.76), [0, 0.2, 0.4, 0.6], id="a loss"),
        pytest.param(Axis("one point", 3, 3), [3], id="nothing to span"),
    ],
)
def test_ticks_are_round_and_inside(axis, ticks):
    assert axis.ticks() == pytest.approx(ticks)


def test_a_line_runs_from_its_first_to_its_last_point():
    svg = line_chart([Series("model", [(0, 0), (0.5, 1), (1, 1)])], Axis("x"), Axis("y"))
    (line,) = of_class(svg, "line")
    numbers = [float(number) for number in re.findall(r"[\d.]+", line.get("d", ""))]
    xs, ys = numbers[::2], numbers[1::2]
    assert xs == sorted(xs)
    assert ys[0] > ys[1] == ys[2], "larger values stand higher"


def test_points_say_what_they_are():
    series = Series("model", [(0.5, 0.5)], bounds=[(0.2, 0.8)], dots=True, notes=["4 clips"])
    svg = line_chart([series], Axis("x"), Axis("y"), diagonal=True)
    assert "4 clips" in svg
    assert len(of_class(svg, "whisker")) == len(of_class(svg, "dot")) == len(of_class(svg, "diagonal")) == 1


def test_an_undefined_value_has_a_row_and_no_dot():
    svg = forest_plot([Range("good", 0.8, 0.6, 0.9), Range("undefined", None)], Axis("accuracy"))
    assert len(of_class(svg, "row-name")) == 2
    assert len(of_class(svg, "dot")) == len(of_class(svg, "interval")) == 1


def test_bars_of_equal_value_are_equally_high():
    svg = bar_chart(
        [("one", [Range("f1", 0.5)]), ("two", [Range("f1", 0.5), Range("recall", None)])], Axis("y")
    )
    bars = of_class(svg, "bar")
    assert len(bars) == 2
    assert bars[0].get("height") == bars[1].get("height")


def test_names_are_escaped():
    svg = forest_plot([Range("<script>", 0.5, note='a "b" & c')], Axis("x"))
    assert "<script>" not in svg
    assert [text.text for text in of_class(svg, "row-name")] == ["<script>"]


def test_bars_start_at_zero_whatever_their_sign():
    rows = [Range("worth", 0.5, 0.4, 0.6), Range("nothing", 0.0), Range("chance", -0.25), Range("none", None)]
    svg = forest_plot(rows, Axis("drop", -0.5, 1.0), bars=True)
    bars = [(float(bar.get("x", "")), float(bar.get("width", ""))) for bar in of_class(svg, "bar")]
    (worth, nothing, chance) = bars
    assert worth[0] == nothing[0] == pytest.approx(chance[0] + chance[1], abs=0.2)
    assert worth[1] == pytest.approx(2 * chance[1], abs=0.2)
    assert nothing[1] == 0
    assert len(of_class(svg, "whisker")) == 1
    assert not of_class(svg, "dot")


def test_spots_are_told_apart_by_more_than_colour():
    svg = scatter_plot(
        [Spot(-3, 9, 0, "a <clip>"), Spot(2, 4, 1, is_hollow=True), Spot(0, 0, 1, is_crossed=True)]
    )
    left, right, middle = (float(dot.get("cx", "")) for dot in of_class(svg, "dot"))
    assert 0 < left < middle < right < 560
    assert len(of_class(svg, "quoted")) == 1
    assert len(of_class(svg, "cross")) == 2
    assert "a &lt;clip&gt;" in svg


def test_one_spot_has_a_place():
    assert len(of_class(scatter_plot([Spot(1, 1, 0)]), "dot")) == 1
