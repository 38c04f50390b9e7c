"""How much is lost when references are seen from another angle: as a table and as a plot."""

import statistics
from typing import NamedTuple

from ttsr_tf.evaluation import plot

BICUBIC = "bicubic"


class Warps(NamedTuple):
    """PSNR against the angle.

    Attributes:
        pictures: how many were measured with every warped choice.
        table: a list of rows of str, one for each angle; the first is the header.
        plot: a `plot.Plot`.
    """

    pictures: int
    table: list
    plot: plot.Plot


def of(rows, choices):
    """What there is to say of warped references.

    Args:
        rows: list of `Row`.
        choices: list of `Choice`.

    Returns:
        `Warps`; None if no reference was warped, or no picture measured from all angles.
    """
    warped = {choice.unwarped for choice in choices if choice.angle}
    choices = sorted((c for c in choices if c.unwarped in warped), key=lambda c: c.angle)
    measured = {
        c.name: {row.picture: row for row in rows if row.references == c.name} for c in choices
    }
    # Means over different pictures would differ for that alone.
    common = set.intersection(*map(set, measured.values())) if measured else set()
    if not common:
        return None
    curves = {}
    for choice in choices:
        psnr = statistics.fmean(measured[choice.name][name].psnr for name in sorted(common))
        curves.setdefault(choice.unwarped, {})[choice.angle] = psnr
    angles = list(dict.fromkeys(choice.angle for choice in choices))
    first = measured[choices[0].name]
    plain = statistics.fmean(first[name].bicubic_psnr for name in sorted(common))
    lines = {**curves, BICUBIC: dict.fromkeys(angles, plain)}
    return Warps(len(common), _table(curves, angles, plain), plot.of(lines))


def _table(curves, angles, plain):
    header = ["angle, °", *(f"{name}, PSNR" for name in curves), f"{BICUBIC}, PSNR"]
    rows = [
        [str(angle), *(_cell(curve, angle) for curve in curves.values()), f"{plain:.2f}"]
        for angle in angles
    ]
    return [header, *rows]


def _cell(curve, angle):
    """PSNR, and how it differs from that at the smallest angle."""
    if angle not in curve:
        return ""
    smallest = min(curve)
    against = "" if angle == smallest else f" ({curve[angle] - curve[smallest]:+.2f})"
    return f"{curve[angle]:.2f}{against}"
