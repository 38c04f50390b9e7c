"""How near a picture is to the truth."""

import tensorflow as tf

from ttsr_tf.errors import InputError

_PICTURE = tf.TensorSpec([None, None, 3], tf.uint8)


def luma(picture):
    """Y of uint8 or 0..255 RGB [..., 3], not rounded: float32 [...], 16 to 235 (ITU-R BT.601)."""
    weights = tf.constant([65.738, 129.057, 25.064]) / 256
    return tf.linalg.matvec(tf.cast(picture, tf.float32), weights) + 16


def psnr(hr, sr, test_y_channel=True):
    """Peak signal-to-noise ratio with peak 255, no border cropped.

    Args:
        hr, sr: uint8 [..., H, W, 3].
        test_y_channel: whether on Y; otherwise of the squared error's mean over R, G and B.

    Returns:
        float32 [...], dB.
    """
    pair = (_channels(picture, test_y_channel) for picture in (hr, sr))
    return tf.image.psnr(*pair, max_val=255.0)


def ssim(hr, sr, test_y_channel=True):
    """Structural similarity, no border cropped: a Gaussian window of 11×11, σ 1.5, the windows
    that lie within the picture, K = 0.01 and 0.03, peak 255.

    Args:
        hr, sr: uint8 [..., H, W, 3], from 11×11.
        test_y_channel: whether on Y; otherwise the mean over R, G and B.

    Returns:
        float32 [...], up to 1.
    """
    pair = (_channels(picture, test_y_channel) for picture in (hr, sr))
    return tf.image.ssim(*pair, max_val=255.0)


class Scores:
    """PSNR and SSIM of pictures of any size, traced once.

    Args:
        test_y_channel: as of `psnr` and `ssim`.
        crop_border: pixels that are cropped on every side.
    """

    def __init__(self, test_y_channel=True, crop_border=0):
        self._test_y_channel, self._crop_border = test_y_channel, crop_border

    def __call__(self, hr, sr):
        """PSNR in dB and SSIM, two floats.

        Args:
            hr, sr: uint8 [H, W, 3], from 11×11 within the border.

        Raises:
            InputError: pictures that are smaller.
        """
        border = self._crop_border
        if min(hr.shape[:2]) - 2 * border < 11:
            raise InputError(
                f"{hr.shape[1]}×{hr.shape[0]} pixels without a border of {border} are less than "
                "SSIM's 11×11. Leave such pictures out, or crop less."
            )
        return tuple(float(score) for score in self._scores(hr, sr))

    @tf.function(input_signature=[_PICTURE, _PICTURE])
    def _scores(self, hr, sr):
        height, width = tf.shape(hr)[0], tf.shape(hr)[1]
        border = self._crop_border
        rows, columns = (slice(border, size - border) for size in (height, width))
        pair = hr[rows, columns], sr[rows, columns]
        return psnr(*pair, self._test_y_channel), ssim(*pair, self._test_y_channel)


def _channels(picture, test_y_channel):
    return luma(picture)[..., None] if test_y_channel else tf.cast(picture, tf.float32)
