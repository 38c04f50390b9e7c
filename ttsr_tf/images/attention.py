"""Where a place's texture came from, and how well it matched, drawn into pictures.

A position of LR is 4×4 pixels of the result, and one of the key 4×4 pixels of the reference. What
the network compares are patches of 3×3 positions (section 3.2 of the paper), so 12×12 pixels.
"""

import numpy as np
import PIL.Image
import PIL.ImageDraw

_PATCH = 3
# The mean confidence of photographs of other places, of 15,625 positions each: they have skies and
# edges in common, too. Of the same place it was 0.83, of noise 0.53, of a grey picture 0.48.
UNRELATED = 0.77
_ORANGE, _BLUE = (230, 120, 0), (0, 90, 220)  # told apart by colour-blind people, too
_MARK = (255, 230, 0)


def similarity(confidence):
    """How alike a match is, for people: (confidence − 0.77) / 0.23 within 0 and 1.

    Args:
        confidence: float, or an array of them, in [-1, 1]: inner products of unit patches, of which
            useless references have high ones, too.

    Returns:
        0 where a match is no better than photographs of other places give on average; 1 where it
        is the same.
    """
    return np.clip((confidence - UNRELATED) / (1 - UNRELATED), 0, 1)


def confidence_overlay(sr, confidence):
    """The result without its colours, tinted from orange (similarity 0) to blue (1).

    Args:
        sr: uint8 [4·H, 4·W, 3].
        confidence: float [H, W].

    Returns:
        uint8 [4·H, 4·W, 3].
    """
    share = similarity(confidence)[..., None]
    tint = share * _BLUE + (1 - share) * _ORANGE  # [H, W, 3]
    grey = sr.mean(-1, keepdims=True)
    return np.uint8(np.rint((grey + tint.repeat(4, 0).repeat(4, 1)) / 2))


def source(index, position, ref_width):
    """Where in the reference the texture of a place comes from.

    Args:
        index: int [H, W], row-major positions in the reference's grid of 4×4 pixels.
        position: (row, column) in LR.
        ref_width: of the reference, pixels.

    Returns:
        (row, column) in that grid.
    """
    row, column = divmod(int(index[position]), ref_width // 4)
    return row, column


def marked(picture, position):
    """A picture with a box around the patch of a position, and a ring, so that it is found.

    Args:
        picture: uint8 [H, W, 3], 4×4 pixels a position.
        position: (row, column).

    Returns:
        uint8 [H, W, 3].
    """
    image = PIL.Image.fromarray(picture)
    draw = PIL.ImageDraw.Draw(image)
    row, column = position
    centre = 4 * column + 2, 4 * row + 2
    line = max(1, round(max(image.size) / 250))
    half = 4 * _PATCH // 2
    draw.rectangle(_around(centre, half), outline=_MARK, width=1)
    radius = max(3 * half, 10 * line)
    draw.ellipse(_around(centre, radius + line), outline="black", width=3 * line)
    draw.ellipse(_around(centre, radius), outline=_MARK, width=line)
    return np.asarray(image)


def _around(centre, radius):
    x, y = centre
    return x - radius, y - radius, x + radius - 1, y + radius - 1
