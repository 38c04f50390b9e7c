"""A picture from another angle."""

import numpy as np
import PIL.Image

from ttsr_tf.errors import InputError

_MULTIPLE = 4  # sides of a reference
_SMALLEST = 12  # pixels, or nothing is left to search


def warped(picture, angle):
    """A picture turned about its middle, and sheared: the largest upright part without corners
    from beyond the picture.

    Args:
        picture: uint8 [H, W, 3].
        angle: degrees, 0 to 90; turned by it, and x sheared by half of it along y.

    Returns:
        uint8 [h, w, 3], h and w multiples of 4, at the picture's scale.

    Raises:
        InputError: too little of the picture is left.
    """
    back = np.linalg.inv(matrix(angle))
    width, height = (
        int(side + 1e-6) // _MULTIPLE * _MULTIPLE
        for side in inner_rectangle(back, picture.shape[1::-1])
    )
    if min(width, height) < _SMALLEST:
        raise InputError(
            f"Of a reference of {picture.shape[1]}×{picture.shape[0]} pixels {width}×{height} are "
            f"left at {angle} degrees, at least {_SMALLEST}×{_SMALLEST} are needed. Give smaller "
            "`reference_warp`."
        )
    return seen(PIL.Image.fromarray(picture), back, (width, height))


def matrix(angle):
    """Where a picture's points go, [2, 2]: turned by the angle, after a shear by half of it.

    Args:
        angle: degrees.
    """
    turn, shear = np.radians([angle, angle / 2])
    cos, sin = np.cos(turn), np.sin(turn)
    return np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, np.tan(shear)], [0, 1]])


def inner_rectangle(back, size):
    """The largest upright rectangle, about the middle, of which every point comes from a picture.

    Args:
        back: [2, 2], from the rectangle's points to the picture's, both from the middle.
        size: (width, height) of the picture.

    Returns:
        Its width and height, floats in the rectangle's pixels.
    """
    # A corner at (±w/2, ±h/2) stays within as long as |back| @ (w, h) <= size.
    bounds, size = np.abs(back), np.float64(size)
    with np.errstate(divide="ignore", invalid="ignore"):
        best = [limit / (2 * row) for row, limit in zip(bounds, size, strict=True)]
    if abs(np.linalg.det(bounds)) > 1e-9:
        best.append(np.linalg.solve(bounds, size))
    # Under one bound alone w · h is largest where both halves share it; else where the two meet.
    fit = [
        sides
        for sides in best
        if np.isfinite(sides).all() and (sides > 0).all() and (bounds @ sides <= size + 1e-6).all()
    ]
    return tuple(map(float, max(fit, key=np.prod)))


def seen(image, back, size):
    """What lies about the middle of a picture, interpolated at twice its size, so that it stays
    sharp.

    Args:
        image: Pillow's.
        back: [2, 2], from the result's points to the picture's, both from the middle.
        size: (width, height) of the result, pixels.

    Returns:
        uint8 [height, width, 3]; black where nothing is.
    """
    step = np.asarray(back) / 2
    first = np.array(image.size) / 2 - step @ size
    double = image.transform(
        (2 * size[0], 2 * size[1]),
        PIL.Image.Transform.AFFINE,
        [*step[0], first[0], *step[1], first[1]],
        PIL.Image.Resampling.BICUBIC,
    )
    return np.asarray(double.resize(size, PIL.Image.Resampling.LANCZOS))
