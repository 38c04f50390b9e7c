"""What tests ask of pictures."""

import numpy as np


def shows(sheet, picture):
    """Whether a picture is part of a sheet, pixel by pixel; both uint8 [H, W, 3]."""
    height, width = picture.shape[:2]
    corners = (sheet[: 1 - height, : 1 - width] == picture[0, 0]).all(-1)
    return any(
        np.array_equal(sheet[y : y + height, x : x + width], picture)
        for y, x in np.argwhere(corners)
    )
