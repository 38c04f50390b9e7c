"""Photographs that an export is verified and warmed up with: one scene, seen from two places."""

from ttsr_tf.data import sample
from ttsr_tf.images import bicubic

from ..graph.limits import Limits

_SIZES = ((40, 40, 160, 160), (47, 61, 150, 201), (125, 83, 500, 332))  # LR and its reference


def pairs(limits: Limits) -> list[tuple]:
    """Pairs of different sizes that `limits` allow.

    Returns:
        A list of (lr, ref), uint8 [H, W, 3] and [h, w, 3].

    Raises:
        InputError: scikit-image is not installed.
    """
    left, right = sample.stereo_pair()
    return [
        (bicubic.downscale(right[: 4 * height, : 4 * width]).numpy(), left[:ref_height, :ref_width])
        for height, width, ref_height, ref_width in _SIZES
        if height * width <= limits.lr and ref_height * ref_width <= limits.ref
    ]
