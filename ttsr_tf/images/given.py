"""What callers in Python give as a picture: paths, Pillow's, arrays, tensors."""

import os

import numpy as np
import PIL.Image

from ttsr_tf.errors import InputError
from ttsr_tf.images import files


def rgb(name, given, smallest):
    """A picture, or a batch of them, as the networks take it; transparency is left out.

    Args:
        name: what errors call it.
        given: a file's path; Pillow's picture; an array or tensor [H, W], [H, W, 1], [H, W, 3] or
            [H, W, 4], or a batch of three or four channels [B, H, W, …], of uint8, uint16 or floats
            in [0, 1].
        smallest: pixels that it must have each way.

    Returns:
        uint8 [H, W, 3], or [B, H, W, 3] of a batch.

    Raises:
        InputError: anything else, or a smaller picture.
    """
    called = f"`{name}`"
    if isinstance(given, (str, os.PathLike)):
        picture, called = files.read(given).rgb, f"{called}={os.fspath(given)}"
    elif isinstance(given, PIL.Image.Image):
        picture = files.of_image(given, called).rgb
    else:
        picture = _of_array(name, given)
    height, width = picture.shape[-3:-1]
    if min(height, width) < smallest:
        raise InputError(
            f"{called} is {width}×{height} pixels, at least {smallest}×{smallest} are needed. "
            "Give a larger picture."
        )
    return picture


def _of_array(name, given):
    try:
        array = np.asarray(given)
    except (
        TypeError,
        ValueError,
        NotImplementedError,
    ):  # lists of unequal length, symbolic tensors
        array = np.empty((), object)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim not in (3, 4) or array.shape[-1] not in (1, 3, 4) or 0 in array.shape:
        what = f"{array.dtype} {list(array.shape)}" if array.ndim else type(given).__name__
        raise InputError(
            f"`{name}` must be a path, a PIL.Image or an array [H, W, 3], got {what}. "
            f"{_mend(name, array)}"
        )
    array = _bytes(name, array[..., :3])
    return np.repeat(array, 3, -1) if array.shape[-1] == 1 else array


def _mend(name, array):
    if array.ndim in (3, 4) and array.shape[-3] in (1, 3, 4):
        return f"Channels come last: give np.moveaxis({name}, -3, -1)."
    return "Give one picture, or a batch of pictures of one size."


def _bytes(name, array):
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return np.uint8(np.rint(array / 257))
    if array.dtype.kind == "f":
        array = np.float32(array)
        if array.min() >= 0 and array.max() <= 1:
            return np.uint8(np.rint(255 * array))
        raise InputError(
            f"`{name}` has floats from {array.min():.4g} to {array.max():.4g}; they must be in "
            f"[0, 1]. {_scaled(name, array)}"
        )
    raise InputError(
        f"`{name}` is {array.dtype}; give uint8, uint16 or floats in [0, 1]. If it holds 0 to 255: "
        f"np.uint8({name})."
    )


def _scaled(name, array):
    if array.min() >= -1 and array.max() <= 1:
        return f"If black is -1: ({name} + 1) / 2."
    return f"If white is 255: np.uint8({name})."
