"""Tiles of a picture that is too large to be enlarged in one piece."""

import itertools
import math

import numpy as np

from ttsr_tf.errors import InputError
from ttsr_tf.inference import memory

_SMALLEST = 16


def cut(model, lr_size, ref_sizes, *, memory_gb=None):
    """As few tiles as the memory allows; one, if that is enough.

    Args:
        model: a network (see `ttsr_tf.models`).
        lr_size: (height, width) in pixels.
        ref_sizes: list of them, of the references.
        memory_gb: what the process may take, GiB; most of what is free by default.

    Returns:
        A list of (rows, columns), slices of LR that are equally large but for a pixel.

    Raises:
        InputError: `memory_gb` is too small for the smallest tile.
    """
    allowed = memory.allowed(memory_gb, model)
    if memory.needed(model, lr_size, ref_sizes) <= allowed:
        return grid(lr_size, max(lr_size))

    def needed(side):
        outer = [min(side + 2 * model.tile_overlap, size) for size in lr_size]
        return memory.needed(model, outer, ref_sizes)

    fitting = [n for n in range(_SMALLEST, max(lr_size)) if needed(n) <= allowed]
    if not fitting:
        least = needed(_SMALLEST)
        raise InputError(
            f"At least {least / 2**30:.2f} GiB of memory are needed, {allowed / 2**30:.2f} may be "
            "used. Give a larger `memory_gb`, or fewer or smaller references."
        )
    return grid(lr_size, fitting[-1])


def surrounded(tile, lr_size, overlap):
    """The slices with `overlap` pixels around them, as far as the picture goes."""
    return tuple(
        slice(max(ends.start - overlap, 0), min(ends.stop + overlap, size))
        for ends, size in zip(tile, lr_size, strict=True)
    )


def size(tile):
    """(height, width) of a tile."""
    return tuple(ends.stop - ends.start for ends in tile)


def within(tile, outer, scale):
    """Where a tile lies in the result of `outer`, which is `scale` times as large."""
    return tuple(
        slice(scale * (ends.start - around.start), scale * (ends.stop - around.start))
        for ends, around in zip(tile, outer, strict=True)
    )


def grid(size, side):
    """Tiles of at most `side` pixels each way, as a list of (rows, columns)."""
    rows, columns = (_even(n, math.ceil(n / side)) for n in size)
    return [(row, column) for row in rows for column in columns]


def _even(size, count):
    borders = np.linspace(0, size, count + 1).round().astype(int).tolist()
    return [slice(*ends) for ends in itertools.pairwise(borders)]
