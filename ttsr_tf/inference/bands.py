"""Maps of large pictures, made band by band, so that the network's memory is bounded."""

import numpy as np

from ttsr_tf import cli

MOST = 2**20  # pixels of a band
_LEAST = 64  # rows


def in_bands(function, picture, *, border, most=MOST):
    """What `function` makes of a picture, band after band if it is large.

    Args:
        function: of uint8 [1, H, W, 3], to a tuple of maps whose heights are the same multiple or
            whole part of any height.
        picture: uint8 [1, H, W, 3].
        border: rows that a row's result depends on, each way; a height that goes with `function`.
        most: pixels of a band.

    Returns:
        The maps; arrays, if there was more than one band.
    """
    height, width = picture.shape[1:3]
    rows = max(most // width // 4 * 4, _LEAST)
    if height <= rows:
        return function(picture)
    maps = ()
    for start in range(0, height, rows):
        cli.give_back_memory()  # the holes that others left are too small for such maps
        stop = min(start + rows, height)
        top, bottom = max(start - border, 0), min(stop + border, height)
        found = [np.asarray(x) for x in function(picture[:, top:bottom])]
        cli.give_back_memory()
        size = bottom - top
        maps = maps or [_empty(x, len_of(height, x, size)) for x in found]
        for whole, x in zip(maps, found, strict=True):
            first, last, before = (len_of(n, x, size) for n in (start, stop, start - top))
            whole[:, first:last] = x[:, before : before + last - first]
        del found, x  # before the next one's are made
    cli.give_back_memory()
    return tuple(maps)


def len_of(rows, part, size):
    """Of rows of the picture, in a map whose `part` was made of `size` rows."""
    return rows * part.shape[1] // size


def _empty(like, rows):
    return np.empty((1, rows, *like.shape[2:]), like.dtype)
