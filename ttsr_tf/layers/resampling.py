"""Changing the size of feature maps: bicubic, strided and sub-pixel."""

import math

import keras
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.layers import portable
from ttsr_tf.layers.convolution import Convolution


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
    # As products, whose gradient is a product too: those of slices take ten times as long.
    rows = tf.matmul(
        _interpolation(height, factor, x.dtype), tf.reshape(x, [batch, height, width * channels])
    )
    rows = tf.reshape(rows, [batch * factor * height, width, channels])
    y = tf.matmul(_interpolation(width, factor, x.dtype), rows)
    y = tf.reshape(y, [batch, factor * height, factor * width, channels])
    return tf.ensure_shape(y, _scaled(x.shape, factor, channels))


def _interpolation(size, factor, dtype):
    """The matrix [factor·size, size] that enlarges a line of `size` values."""
    # Output factor·i + phase lies at i + offset, between the taps at i + first + 1 and + 2.
    offsets = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]
    firsts = [math.floor(offset) - 1 for offset in offsets]
    taps = [[first + t for t in range(4)] for first in firsts]
    weights = [
        [_cubic(abs(tap - offset)) for tap in row]
        for row, offset in zip(taps, offsets, strict=True)
    ]
    sources = tf.clip_by_value(tf.range(size)[:, None, None] + taps, 0, size - 1)
    matrix = tf.one_hot(sources, size, dtype=dtype) * tf.constant(weights, dtype)[..., None]
    return tf.reshape(tf.reduce_sum(matrix, 2), [factor * size, size])


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
