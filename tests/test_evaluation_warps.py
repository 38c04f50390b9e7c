"""PSNR against the angle of references: the table, the plot, and the page with both."""

import math

import numpy as np
import pages
import pytest

from ttsr_tf.evaluation import plot, references, report, warps
from ttsr_tf.evaluation.results import Row

NAMES = "L1", "L1@20", "L1@5", "stitched@5", "self"
CHOICES = [references.named(name) for name in NAMES]


def row(picture, name, psnr, bicubic=20.0):
    return Row(picture, name, psnr, 0.5, bicubic, 0.25, 0.75, 1, "r")


# Of "c" one is missing, so none of it counts.
ROWS = [
    *(row("a", name, psnr) for name, psnr in zip(NAMES, (25, 23, 24.5, 26, 21), strict=True)),
    *(row("b", name, psnr, 21.5) for name, psnr in zip(NAMES, (27, 22, 26, 24, 21), strict=True)),
    *(row("c", name, 90.0, 80.0) for name in NAMES[:3]),
]


def test_table():
    made = warps.of(ROWS, CHOICES)
    assert made.pictures == 2
    assert made.table == [
        ["angle, °", "L1, PSNR", "stitched, PSNR", "bicubic, PSNR"],
        ["0", "26.00", "", "20.75"],
        ["5", "25.25 (-0.75)", "25.00", "20.75"],
        ["20", "22.50 (-3.50)", "", "20.75"],
    ]


def test_nothing_without_a_warp_or_a_common_picture():
    assert warps.of(ROWS, [CHOICES[0], CHOICES[4]]) is None
    assert (
        warps.of([row("a", "L1", 20.0), row("b", "L1@5", 20.0)], [CHOICES[0], CHOICES[2]]) is None
    )


def test_points_lie_where_the_axes_say():
    curves = {"x": {0: 26.03, 5: 25.25, 20: 22.5}, "y": {0: 20.75, 20: math.inf}}
    made = plot.of(curves)
    (low, low_label), *_, (high, high_label) = made.y_ticks
    assert (low, high) == (made.bottom, made.top)
    places = np.array([(place, float(label)) for place, label in made.y_ticks])
    assert set(np.diff(places[:, 1])) == {2.0}
    assert (low_label, high_label) == ("20", "28")
    assert made.x_ticks[0] == (made.left, "0") and made.x_ticks[-1] == (made.right, "20")
    across = {int(label): place for place, label in made.x_ticks}
    assert across[5] == made.left + (made.right - made.left) / 4
    for line, curve in zip(made.lines, curves.values(), strict=True):
        shown = [(x, y) for x, y in curve.items() if math.isfinite(y)]
        assert len(line.points) == len(shown)
        for (x, y), (angle, psnr) in zip(line.points, shown, strict=True):
            assert x == across[angle]
            expected = np.interp(psnr, places[:, 1], places[:, 0])
            assert y == pytest.approx(expected, abs=0.051)  # rounded


@pytest.mark.parametrize(
    "psnr", [(20.0, 20.0), (20.001, 20.004), (3.0, 97.0), (math.inf, math.inf)]
)
def test_any_span_has_a_few_different_labels(psnr):
    labels = [label for _, label in plot.of({"x": {0: psnr[0], 10: psnr[1]}}).y_ticks]
    assert 2 <= len(labels) <= 7
    assert len(set(labels)) == len(labels)


def test_the_page_shows_both(tmp_path):
    made = warps.of(ROWS, CHOICES)
    content = report.Report([["a"], ["b"]], [], {"data_set": "s"}, CHOICES, [], [], made)
    report.write(str(tmp_path / "report.html"), content)
    page = pages.Page(tmp_path / "report.html")
    assert page.table[2:] == made.table
    lines = [tag["points"] for name, tag in page.tags if name == "polyline"]
    for line, points in zip(made.plot.lines, lines, strict=True):
        found = [tuple(map(float, point.split(","))) for point in points.split()]
        assert found == line.points
    for text in ("L1", "stitched", "bicubic", "0°", "5°", "20°", "20", "26"):
        assert text in page.all("text")
    report.write(str(tmp_path / "report.html"), content._replace(warps=None))
    assert "svg" not in (tmp_path / "report.html").read_text("utf-8")
