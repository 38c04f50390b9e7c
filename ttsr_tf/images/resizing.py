"""Pillow's bicubic of arrays, for where no graph is needed: the same as bicubic.py, to the bit."""

import numpy as np
import PIL.Image


def upscale(pictures, factor=4):
    """Pictures `factor` times larger.

    Args:
        pictures: uint8 [H, W, C] or [B, H, W, C], C = 1 or 3.
        factor: int.

    Returns:
        uint8 [..., factor·H, factor·W, C].
    """
    height, width = pictures.shape[-3:-1]
    return resize(pictures, factor * height, factor * width)


def downscale(pictures, factor=4):
    """Pictures `factor` times smaller; arguments as of `upscale`, sizes are rounded down."""
    height, width = pictures.shape[-3:-1]
    return resize(pictures, height // factor, width // factor)


def blurred(ref):
    """A reference four times smaller and as large again: `ref_down_up` of a network's inputs."""
    return resize(downscale(ref), *ref.shape[-3:-1])


def resize(pictures, height, width):
    """Pictures of any other size; arguments as of `upscale`."""
    if pictures.ndim == 4:
        return np.stack([resize(picture, height, width) for picture in pictures])
    channels = pictures.shape[-1]
    image = PIL.Image.fromarray(pictures[..., 0] if channels == 1 else pictures)
    # In two steps, since from Pillow 13 on one does not always begin with the columns.
    image = image.resize((width, image.height), PIL.Image.Resampling.BICUBIC)
    image = image.resize((width, height), PIL.Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(height, width, channels)
