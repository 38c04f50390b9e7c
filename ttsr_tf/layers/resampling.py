"""Changing the size of feature maps: bicubic, strided and sub-pixel."""

import keras
import numpy as np
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.layers import portable
from ttsr_tf.layers.convolution import Convolution

_PART = 16  # positions of a line that are enlarged together


def resize_up(x, factor):
    """Bicubic enlargement of feature maps with a = -0.75, half-pixel centres, replicated border.

    This is what the released weights were trained with. `tf.image.resize` is not: it has
    a = -0.5 and renormalises at the border. Pictures are resized by
    `ttsr_tf.images.bicubic` instead.

    Args:
        x: float [B, H, W, C].
        factor: 2 or 4.

    Returns:
        [B, factor·H, factor·W, C], same dtype.
    """
    if portable.wanted():
        return portable.resize_up(x, factor, _cubic)
    batch, height, width = tf.unstack(tf.shape(x)[:3])
    channels = x.shape[-1]
    rows = _enlarged(tf.reshape(x, [batch, height, width * channels]), factor)
    rows = tf.reshape(rows, [batch * factor * height, width, channels])
    y = tf.reshape(_enlarged(rows, factor), [batch, factor * height, factor * width, channels])
    return tf.ensure_shape(y, _scaled(x.shape, factor, channels))


def _enlarged(x, factor):
    """Lines [N, L, C] → [N, factor·L, C]: a product for each part, since most of the matrix of a
    whole line is zeros.
    """
    number, length, channels = tf.unstack(tf.shape(x))
    band = tf.constant(_band(factor), x.dtype)

    @tf.custom_gradient
    def enlarge(x):
        places = tf.range(0, length, _PART)[:, None] + tf.range(-2, _PART + 2)
        parts = tf.gather(x, tf.clip_by_value(places, 0, length - 1), axis=1)
        y = tf.reshape(tf.matmul(band, parts), [number, -1, channels])[:, : factor * length]

        def gradient(dy):
            # Parts overlap, and to add them up takes five times as long as the zeros of crops.
            return tf.matmul(_interpolation(length, factor, x.dtype), dy, transpose_a=True)

        return y, gradient

    return enlarge(x)


def _interpolation(size, factor, dtype):
    """The matrix [factor·size, size] that enlarges a line of `size` values."""
    firsts, weights = _taps(factor)
    taps = firsts[:, None] + np.arange(4)
    sources = tf.clip_by_value(tf.range(size)[:, None, None] + taps, 0, size - 1)
    matrix = tf.one_hot(sources, size, dtype=dtype) * tf.constant(weights, dtype)[..., None]
    return tf.reshape(tf.reduce_sum(matrix, 2), [factor * size, size])


def _band(factor):
    """The same for a part of a line: [factor·_PART, 2 + _PART + 2]."""
    band, taps = np.zeros([_PART, factor, _PART + 4]), [*zip(*_taps(factor), strict=True)]
    for i in range(_PART):
        for phase, (first, weights) in enumerate(taps):
            band[i, phase, 2 + i + first :][:4] = weights
    return band.reshape(factor * _PART, _PART + 4)


def _taps(factor):
    """For each of the values that stand for the i-th: the first of the four that it is made of,
    from i on, [factor]; and their weights, [factor, 4].
    """
    offsets = (np.arange(factor) + 0.5) / factor - 0.5
    firsts = np.floor(offsets).astype(np.int32) - 1
    distances = np.abs(firsts[:, None] + np.arange(4) - offsets[:, None])
    return firsts, np.vectorize(_cubic)(distances)


def _cubic(distance, a=-0.75):
    if distance < 1:
        return ((a + 2) * distance - (a + 3)) * distance**2 + 1
    return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a


@keras.saving.register_keras_serializable("ttsr_tf")
class Upsample(keras.layers.Layer):
    """Bicubic enlargement, 1×1 convolution, ReLU: a coarse scale brought to a finer one.

    The convolution comes first, where it is `factor²` times cheaper: interpolation weights sum to
    1, so a 1×1 convolution and a resize commute, to rounding.

    Args:
        filters: number of output channels.
        factor: 2 or 4.

    Input: [B, H, W, C]. Output: [B, factor·H, factor·W, filters]. Paper, section 3.3.
    """

    def __init__(self, filters, factor, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.filters = filters
        self.factor = factor
        self.conv = Convolution(filters, kernel_size=1, name="conv", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.conv.build(input_shape)
        self.built = True

    def call(self, x):
        return tf.nn.relu(resize_up(self.conv(x), self.factor))

    def compute_output_shape(self, input_shape):
        return _scaled(input_shape, self.factor, self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "factor": self.factor}


@keras.saving.register_keras_serializable("ttsr_tf")
class SubPixelUpsample(keras.layers.Layer):
    """Convolution to four times the channels, pixel shuffle ×2, ReLU.

    Args:
        filters: number of output channels.

    Input: [B, H, W, C]. Output: [B, 2·H, 2·W, filters].
    """

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.filters = filters
        self.conv = Convolution(4 * filters, name="conv", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.conv.build(input_shape)
        self.built = True

    def call(self, x):
        return tf.nn.relu(tf.nn.depth_to_space(self.conv(x), 2))

    def compute_output_shape(self, input_shape):
        return _scaled(input_shape, 2, self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable("ttsr_tf")
class Downsample(keras.layers.Layer):
    """One stride-2 convolution with ReLU for each factor of two: a fine scale made coarser.

    Args:
        filters: number of output channels.
        factor: 2 or 4.

    Input: [B, H, W, C]. Output: [B, ceil(H / factor), ceil(W / factor), filters].

    Raises:
        InputError: another `factor`.
    """

    def __init__(self, filters, factor, **kwargs):
        super().__init__(**kwargs)
        if factor not in (2, 4):
            raise InputError(f"`factor` must be 2 or 4, got {factor!r}.")
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.filters = filters
        self.factor = factor
        self.convs = [
            Convolution(
                filters, strides=2, activation="relu", name=f"conv{i}", dtype=self.dtype_policy
            )
            for i in range(factor.bit_length() - 1)
        ]

    def build(self, input_shape):
        for conv in self.convs:
            conv.build(input_shape)
            input_shape = conv.compute_output_shape(input_shape)
        self.built = True

    def call(self, x):
        for conv in self.convs:
            x = conv(x)
        return x

    def compute_output_shape(self, input_shape):
        for conv in self.convs:
            input_shape = conv.compute_output_shape(input_shape)
        return input_shape

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "factor": self.factor}


def _scaled(shape, factor, channels):
    batch, *size, _ = shape
    return (batch, *(n if n is None else factor * n for n in size), channels)
