"""From one photograph both: what is to be found, and a reference.

The reference is the photograph's middle as another camera might see it: turned, from nearer, in
another light. So the result can be compared with the truth.
"""

import numpy as np
import PIL.Image

from ttsr_tf.data import sample
from ttsr_tf.images import files

_LONG_SIDE = 1024  # pixels, so that the middle is enlarged in seconds
_MIDDLE = 0.6  # of each side: what is turned needs something around it
_ASPECT = 2  # at most, or a turned middle would reach beyond the photograph
_SMALLEST = 64
_ANGLE = 8  # degrees
_NEARER = 1.1
_LIGHT = {"gain": np.array([1.06, 1.0, 0.92]), "offset": 0.02, "gamma": 1.1}


def pair(photograph):
    """The middle of a photograph, and a reference for it.

    Args:
        photograph: uint8 [H, W, 3], from 64×64; it is made smaller first if it is large.

    Returns:
        hr, ref: two uint8 arrays [h, w, 3], h and w multiples of 4.

    Raises:
        InputError: a photograph that is too small.
    """
    image = PIL.Image.fromarray(files.checked("photograph", photograph, _SMALLEST))
    image.thumbnail((_LONG_SIDE, _LONG_SIDE), PIL.Image.Resampling.LANCZOS)
    width, height = (
        int(_MIDDLE * min(side, _ASPECT * other)) // 4 * 4
        for side, other in (image.size, image.size[::-1])
    )
    left, top = (image.width - width) // 2, (image.height - height) // 2
    hr = np.asarray(image.crop((left, top, left + width, top + height)))
    return hr, _seen_again(image, width, height)


def _seen_again(image, width, height):
    """Interpolated at twice its size, so that it stays sharp."""
    cos, sin = np.cos(np.radians(_ANGLE)), np.sin(np.radians(_ANGLE))
    step = np.array([[cos, -sin], [sin, cos]]) / (2 * _NEARER)  # of the photograph, a pixel
    first = np.array(image.size) / 2 - step @ (width, height)
    coefficients = [*step[0], first[0], *step[1], first[1]]
    double = image.transform(
        (2 * width, 2 * height),
        PIL.Image.Transform.AFFINE,
        coefficients,
        PIL.Image.Resampling.BICUBIC,
    )
    again = np.asarray(double.resize((width, height), PIL.Image.Resampling.LANCZOS))
    return sample.relit(again / 255, **_LIGHT)
