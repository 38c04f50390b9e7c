"""How near a picture is to the truth."""

import tensorflow as tf

from ttsr_tf.errors import InputError

Y, RGB = "y", "rgb"

_PICTURE = tf.TensorSpec([None, None, 3], tf.uint8)


def luma(picture):
    """Y of uint8 or 0..255 RGB [..., 3], not rounded: float32 [...], 16 to 235 (ITU-R BT.601)."""
    weights = tf.constant([65.738, 129.057, 25.064]) / 256
    return tf.linalg.matvec(tf.cast(picture, tf.float32), weights) + 16


def psnr(hr, sr, colour=Y):
    """Peak signal-to-noise ratio with peak 255, no border cropped.

    Args:
        hr, sr: uint8 [..., H, W, 3].
        colour: "y", on Y; or "rgb", of the squared error's mean over the three channels.

    Returns:
        float32 [...], dB.
    """
    return tf.image.psnr(_channels(hr, colour), _channels(sr, colour), max_val=255.0)


def ssim(hr, sr, colour=Y):
    """Structural similarity, no border cropped: a Gaussian window of 11×11, σ 1.5, the windows
    that lie within the picture, K = 0.01 and 0.03, peak 255.

    Args:
        hr, sr: uint8 [..., H, W, 3], from 11×11.
        colour: "y", on Y; or "rgb", the mean over the three channels.

    Returns:
        float32 [...], up to 1.
    """
    return tf.image.ssim(_channels(hr, colour), _channels(sr, colour), max_val=255.0)


class Scores:
    """PSNR and SSIM of pictures of any size, traced once.

    Args:
        colour: "y" or "rgb", see `psnr` and `ssim`.
        border: pixels that are cropped on every side.
    """

    def __init__(self, colour=Y, border=0):
        self._colour, self._border = colour, border

    def __call__(self, hr, sr):
        """PSNR in dB and SSIM, two floats.

        Args:
            hr, sr: uint8 [H, W, 3], from 11×11 within the border.

        Raises:
            InputError: pictures that are smaller.
        """
        if min(hr.shape[:2]) - 2 * self._border < 11:
            raise InputError(
                f"{hr.shape[1]}×{hr.shape[0]} pixels without a border of {self._border} are less "
                "than SSIM's 11×11. Leave such pictures out, or crop less."
            )
        return tuple(float(score) for score in self._scores(hr, sr))

    @tf.function(input_signature=[_PICTURE, _PICTURE])
    def _scores(self, hr, sr):
        height, width = tf.shape(hr)[0], tf.shape(hr)[1]
        rows, columns = (slice(self._border, size - self._border) for size in (height, width))
        pair = hr[rows, columns], sr[rows, columns]
        return psnr(*pair, self._colour), ssim(*pair, self._colour)


def _channels(picture, colour):
    return luma(picture)[..., None] if colour == Y else tf.cast(picture, tf.float32)
