"""Where lines, their points and the axes' labels lie on a plot of the page."""

import math
from typing import NamedTuple

_TICKS = 5  # of the y axis, about


class Line(NamedTuple):
    """A curve's name, and its points as (x, y) on the plot."""

    name: str
    points: list


class Plot(NamedTuple):
    """A plot in units of its own; y goes down.

    Attributes:
        lines: list of `Line`.
        x_ticks, y_ticks: lists of (place, label).
        width, height: of all.
        left, right, top, bottom: of what lies between the axes.
    """

    lines: list
    x_ticks: list
    y_ticks: list
    width: int = 720
    height: int = 320
    left: int = 56
    right: int = 560
    top: int = 28
    bottom: int = 280


def of(curves):
    """The plot of curves.

    Args:
        curves: dict from a name to a dict from x, at least 0, to y; what isn't finite is left out.

    Returns:
        A `Plot`; its y axis ends at round numbers.
    """
    finite = {
        name: {x: y for x, y in curve.items() if math.isfinite(y)} for name, curve in curves.items()
    }
    xs = sorted({x for curve in curves.values() for x in curve})
    ys = [y for curve in finite.values() for y in curve.values()] or [0.0]
    step = _step(max(ys) - min(ys))
    first, last = math.floor(min(ys) / step), math.ceil(max(ys) / step)
    last = max(last, first + 1)
    axes = Plot([], [], [])

    def across(x):
        return round(axes.left + (axes.right - axes.left) * x / (xs[-1] or 1), 1)

    def down(y):
        part = (y / step - first) / (last - first)
        return round(axes.bottom - (axes.bottom - axes.top) * part, 1)

    digits = max(0, -math.floor(math.log10(step)))
    return axes._replace(
        lines=[
            Line(name, [(across(x), down(y)) for x, y in sorted(curve.items())])
            for name, curve in finite.items()
        ],
        x_ticks=[(across(x), str(x)) for x in xs],
        y_ticks=[(down(n * step), f"{n * step:.{digits}f}") for n in range(first, last + 1)],
    )


def _step(span):
    """The smallest of 1, 2 and 5 times a power of ten that makes few ticks."""
    power = 10.0 ** math.floor(math.log10(max(span, 0.01) / _TICKS))
    return next(m * power for m in (1, 2, 5, 10) if span <= m * power * _TICKS)
