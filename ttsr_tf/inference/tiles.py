"""Tiles of a picture that is too large to be enlarged in one piece."""

import itertools
import math

import numpy as np

from ttsr_tf.errors import InputError
from ttsr_tf.inference import memory

PROMPT = 20  # seconds of a tile after which somebody wants to hear of it, or to have it stopped
_SMALLEST = 16
_LEAST_ROWS = 8  # of a band
_SMALLEST_PROMPT = 128  # of smaller ones, most of the time would go into what overlaps


def cut(model, lr_size, ref_sizes, *, memory_gb=None, seconds=None, encoded=False):
    """As few tiles as the memory, and the time for each, allow; one, if that is enough.

    Args:
        model: a network (see `ttsr_tf.models`).
        lr_size: (height, width) in pixels.
        ref_sizes: list of them, of the references.
        memory_gb: what the process may take, GiB; most of what is free by default.
        seconds: about what a tile may take, as long as it is 128 pixels large; None: any time.
        encoded: as of `memory.needed`.

    Returns:
        A list of (rows, columns), slices of LR that are equally large but for a pixel.

    Raises:
        InputError: `memory_gb` is too small for the smallest tile.
    """

    def outer(side):
        return [min(side + 2 * model.tile_overlap, size) for size in lr_size]

    def needed(side):
        return memory.needed(model, lr_size, ref_sizes, tile=outer(side), encoded=encoded)

    def lasts(side):
        return memory.seconds_of_tile(model, outer(side), ref_sizes)

    allowed, side = memory.allowed(memory_gb, model), max(lr_size)
    if needed(side) > allowed:
        fitting = [n for n in range(_SMALLEST, side) if needed(n) <= allowed]
        if not fitting:
            least = needed(_SMALLEST)
            raise InputError(
                f"At least {least / 2**30:.2f} GiB of memory are needed, {allowed / 2**30:.2f} may "
                "be used. Give a larger `memory_gb`, or fewer or smaller references."
            )
        side = fitting[-1]
    if seconds is not None and lasts(side) > seconds:
        prompt = [n for n in range(_SMALLEST_PROMPT, side) if lasts(n) <= seconds]
        side = min(side, max(prompt, default=_SMALLEST_PROMPT))
    return grid(lr_size, side)


def bands(model, lr_size, ref_sizes, *, seconds=None):
    """As few bands of LR's rows as `seconds` for the search of each in the largest reference allow.

    Returns:
        A list of slices.
    """
    height, _ = lr_size
    largest = max(ref_sizes, key=math.prod, default=(0, 0))
    if seconds is None:
        return _even(height, 1)
    count = math.ceil(memory.seconds_of_search(model, lr_size, [largest]) / seconds)
    return _even(height, min(max(count, 1), max(height // _LEAST_ROWS, 1)))


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
