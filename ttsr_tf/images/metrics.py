"""How near a picture is to the truth."""

import keras
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.images.luma import OFFSET, WEIGHTS

__all__ = ["PSNR", "SSIM", "Scores", "luma", "psnr", "ssim"]

_PICTURE = tf.TensorSpec([None, None, 3], tf.uint8)


def luma(picture):
    """Y of uint8 or 0..255 RGB [..., 3], not rounded: float32 [...], 16 to 235 (ITU-R BT.601)."""
    weights = tf.constant(WEIGHTS, tf.float32)
    return tf.linalg.matvec(tf.cast(picture, tf.float32), weights) + OFFSET


def psnr(hr, sr, test_y_channel=True, *, value_range=None):
    """Peak signal-to-noise ratio with peak 255, no border cropped.

    Args:
        hr, sr: uint8 [..., H, W, 3]; or floats, with their range.
        test_y_channel: whether on Y; otherwise of the squared error's mean over R, G and B.
        value_range: what black and white are in floats, such as (-1, 1); not for uint8.

    Returns:
        float32 [...], dB.

    Raises:
        InputError: floats without a range, another type, another number of channels; what isn't
            yes or no to `test_y_channel`.
    """
    return tf.image.psnr(*_pair(hr, sr, test_y_channel, value_range=value_range), max_val=255.0)


def ssim(hr, sr, test_y_channel=True, *, value_range=None):
    """Structural similarity, no border cropped: a Gaussian window of 11×11, σ 1.5, the windows
    that lie within the picture, K = 0.01 and 0.03, peak 255.

    Args:
        hr, sr: as of `psnr`, from 11×11.
        test_y_channel: whether on Y; otherwise the mean over R, G and B.
        value_range: as of `psnr`.

    Returns:
        float32 [...], up to 1.

    Raises:
        InputError: as `psnr`.
    """
    return tf.image.ssim(*_pair(hr, sr, test_y_channel, value_range=value_range), max_val=255.0)


class _Metric(keras.metrics.MeanMetricWrapper):
    """A function of two pictures as a metric: the mean over all examples."""

    def __init__(self, test_y_channel=True, value_range=(-1, 1), name=None, **kwargs):
        self.test_y_channel = _yes_or_no(test_y_channel)
        self.value_range = _ends(value_range)
        how = {"test_y_channel": self.test_y_channel, "value_range": self.value_range}
        super().__init__(self.function, name or self.function.__name__, **kwargs, **how)

    def get_config(self):
        return {
            "name": self.name,
            "dtype": self.dtype,
            "test_y_channel": self.test_y_channel,
            "value_range": self.value_range,
        }


@keras.saving.register_keras_serializable("ttsr_tf")
class PSNR(_Metric):
    """`psnr` as a Keras metric.

    Args:
        test_y_channel: as of `psnr`.
        value_range: what black and white are; (-1, 1) as the networks give it, (0, 255) of uint8.
    """

    function = staticmethod(psnr)


@keras.saving.register_keras_serializable("ttsr_tf")
class SSIM(_Metric):
    """`ssim` as a Keras metric; arguments as of `PSNR`."""

    function = staticmethod(ssim)


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


def _pair(hr, sr, test_y_channel, *, value_range):
    """What is compared, 0 to 255: [..., H, W, 1 or 3]."""
    pair = [_levels(name, x, value_range) for name, x in (("hr", hr), ("sr", sr))]
    return [luma(x)[..., None] for x in pair] if _yes_or_no(test_y_channel) else pair


def _yes_or_no(test_y_channel):
    if test_y_channel not in (True, False):
        raise InputError(
            "`test_y_channel` must be True, for Y, or False, for R, G and B, got "
            f"{test_y_channel!r}."
        )
    return bool(test_y_channel)


def _ends(value_range):
    """Black and white, as a tuple."""
    try:
        black, white = value_range
        if black < white:
            return black, white
    except (TypeError, ValueError):
        pass  # no pair of numbers
    raise InputError(
        f"`value_range` must be what black and white are, such as (-1, 1), got {value_range!r}."
    )


def _levels(name, picture, value_range):
    """float32 0 to 255."""
    picture = tf.convert_to_tensor(picture)
    if picture.shape[-1] != 3:
        raise InputError(f"`{name}` must be RGB [..., H, W, 3], got {picture.shape}.")
    if picture.dtype == tf.uint8 and value_range in (None, (0, 255)):
        return tf.cast(picture, tf.float32)
    if not picture.dtype.is_floating or value_range is None:
        raise InputError(
            f"`{name}` is {picture.dtype.name}, and `value_range` {value_range}: give uint8, or "
            "floats with their range, such as (-1, 1) for what the networks give."
        )
    black, white = _ends(value_range)
    return (tf.cast(picture, tf.float32) - black) * (255 / (white - black))


def __dir__():
    return __all__  # the Tab key offers nothing that is imported here
