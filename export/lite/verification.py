"""Does the file do what the checkpoint does? On photographs, before it appears."""

from collections.abc import Iterator

import numpy as np

from ttsr_tf.data import sample
from ttsr_tf.errors import InputError
from ttsr_tf.images import luma, resizing
from ttsr_tf.inference import Upscaler
from ttsr_tf.inference.litert import LiteRT
from ttsr_tf.weights import tflite

_WITHIN_A_LEVEL = 0.999  # of the values; and of the positions, that have the same source
_TIE = 1e-5  # of confidence: plain areas have many places that match alike
_LEAST_PSNR = 45  # dB, of float16 weights' picture against the checkpoint's


def compare(path: str, model) -> Iterator[str]:
    """Enlarges the photographs of `ttsr_tf.demo` by both.

    Args:
        path: the file's.
        model: the network that it was made of.

    Yields:
        A line for each photograph.

    Raises:
        InputError: the file doesn't run, or its results differ.
    """
    (_, _, dtype), *_ = next(iter(tflite.read_about(path)["weights"].values()))
    ours, theirs = Upscaler(model), Upscaler(LiteRT(path))
    for name, (hr, ref) in sample.shown_pairs().items():
        lr = resizing.downscale(hr)
        expected, found = (x.upscale_with_attention(lr, ref) for x in (ours, theirs))
        difference = np.abs(np.int32(expected["sr"]) - found["sr"])
        within = np.mean(difference <= 1)
        as_good = np.abs(expected["confidence"] - found["confidence"]) <= _TIE
        equal = np.mean((expected["index"] == found["index"]) | as_good)
        near = luma.psnr(expected["sr"], found["sr"]) if difference.any() else np.inf
        said = (
            f"{name}: {within:.3%} of the values within a level of the checkpoint's ({near:.1f} "
            f"dB), {equal:.3%} of the textures from the same place or "
            "one that matches as well."
        )
        exact = min(within, equal) >= _WITHIN_A_LEVEL
        if not (exact if dtype == "float32" else exact or near >= _LEAST_PSNR):
            raise InputError(f"The file was removed, since it differs. {said}")
        yield said
