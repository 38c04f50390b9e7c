"""From one photograph both: what is to be found, and a reference.

The reference is the photograph's middle as another camera might see it: turned, from nearer, in
another light. So the result can be compared with the truth.
"""

import numpy as np
import PIL.Image

from ttsr_tf.data import sample
from ttsr_tf.images import given, warp

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
    image = PIL.Image.fromarray(given.rgb("photograph", photograph, _SMALLEST))
    image.thumbnail((_LONG_SIDE, _LONG_SIDE), PIL.Image.Resampling.LANCZOS)
    width, height = (
        int(_MIDDLE * min(side, _ASPECT * other)) // 4 * 4
        for side, other in (image.size, image.size[::-1])
    )
    left, top = (image.width - width) // 2, (image.height - height) // 2
    hr = np.asarray(image.crop((left, top, left + width, top + height)))
    return hr, _seen_again(image, width, height)


def _seen_again(image, width, height):
    cos, sin = np.cos(np.radians(_ANGLE)), np.sin(np.radians(_ANGLE))
    back = np.array([[cos, -sin], [sin, cos]]) / _NEARER
    again = warp.seen(image, back, (width, height))
    return sample.relit(again / 255, **_LIGHT)
