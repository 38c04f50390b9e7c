"""What the page does with pictures; a browser and Gradio aren't needed for it."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ttsr_tf.errors import InputError
from ttsr_tf.images import files, given, resizing
from ttsr_tf.inference import memory

_ENCODED = 0.2  # of the work, about


class Enlarged(NamedTuple):
    """A result, as the page keeps it while its person looks at it.

    Attributes:
        sr: uint8 [4·H, 4·W, 3].
        plain: the same by bicubic.
        hr: the truth, or None where nobody knows it.
        ref: uint8 [h, w, 3].
        index: int32 [H, W], positions in the reference's grid of 4×4 pixels.
        confidence: float32 [H, W].
        seconds: how long it took.
    """

    sr: np.ndarray
    plain: np.ndarray
    hr: np.ndarray | None
    ref: np.ndarray
    index: np.ndarray
    confidence: np.ndarray
    seconds: float


def read(path, name, most_pixels=files.MAX_PIXELS):
    """A picture that somebody gave.

    Args:
        path: file name, or None.
        name: what the page calls it, "the reference".
        most_pixels: what is allowed.

    Returns:
        A `files.Picture`.

    Raises:
        InputError: none was given, it can't be read, or it is too large.
    """
    title = name.capitalize()
    if path is None:
        raise InputError(f"{title} is missing. Drop a picture there, or click to choose one.")
    height, width, _ = files.header(path, title)
    if height * width > most_pixels:
        side = int(most_pixels**0.5)
        raise InputError(
            f"{title} is {width}×{height} pixels, at most {most_pixels:,} are taken here, such as "
            f"{side}×{side}. Crop it or make it smaller."
        )
    return files.read(path, title)


def enlarge(
    upscaler,
    lr: np.ndarray,
    ref: np.ndarray,
    *,
    hr: np.ndarray | None = None,
    memory_gb: float | None = None,
    progress: Callable[[float, str], None],
) -> Enlarged:
    """Enlarges a picture, and says how far it is.

    Args:
        upscaler: an `Upscaler`.
        lr: uint8 [H, W, 3].
        ref: uint8 [h, w, 3].
        hr: the truth, uint8 [4·H, 4·W, 3], if it is known.
        memory_gb: what the process may take, GiB; default: most of what is free.
        progress: called with a share, 0 to 1, and words.

    Raises:
        InputError: pictures that are too small; too little memory.
    """
    lr = given.rgb("lr", lr, upscaler.model.smallest_lr)
    ref = given.rgb("ref", ref, upscaler.model.smallest_ref)
    start = time.perf_counter()
    expected = memory.seconds(upscaler.model, lr.shape[:2], [ref.shape[:2]])
    progress(0, f"Looking at the reference; all will take about {max(1, round(expected))} s")
    encoded = upscaler.encode_reference(ref)

    def show(done, count):
        tiles = f", part {done} of {count} done" if count > 2 else ""
        progress(_ENCODED + (1 - _ENCODED) * done / count, f"Enlarging{tiles}")

    progress(_ENCODED, "Enlarging")
    result = upscaler.upscale_with_attention(lr, encoded, memory_gb, progress=show)
    return Enlarged(
        sr=result["sr"],
        plain=resizing.upscale(lr),
        hr=hr,
        ref=ref,
        index=result["index"],
        confidence=result["confidence"],
        seconds=time.perf_counter() - start,
    )
