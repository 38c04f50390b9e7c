"""The convolution that every other layer is made of."""

import keras
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.layers.convolved import convolved, parts, strided


@keras.saving.register_keras_serializable("ttsr_tf")
class Convolution(keras.layers.Layer):
    """A convolution with bias, zero-padded by half a kernel on both sides, then optionally ReLU.

    Differs from `keras.layers.Conv2D(padding="same")` in two ways that the released weights need:
    with stride 2 both sides are padded by 1 ("same" pads even sizes by 0 and 1), and new weights
    and biases are uniform in ±1/sqrt(fan_in).

    Args:
        filters: number of output channels.
        kernel_size: odd side of the square kernel.
        strides: 1 or 2.
        activation: "relu" or None.

    Input: [B, H, W, C], or a list of maps that are taken as concatenated to C channels, without the
    memory of that. Output: [B, ceil(H / strides), ceil(W / strides), filters].

    Raises:
        InputError: an even `kernel_size`, other `strides`, another `activation`.
    """

    def __init__(self, filters, kernel_size=3, strides=1, *, activation=None, **kwargs):
        super().__init__(**kwargs)
        if kernel_size % 2 == 0:
            raise InputError(f"`kernel_size` must be odd, got {kernel_size}.")
        if strides not in (1, 2):
            raise InputError(f"`strides` must be 1 or 2, got {strides!r}.")
        if activation not in (None, "relu"):
            raise InputError(f'`activation` must be "relu" or None, got {activation!r}.')
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.activation = activation

    def build(self, input_shape):
        shapes = input_shape if _are_several(input_shape) else [input_shape]
        channels = sum(shape[-1] for shape in shapes)
        fan_in = self.kernel_size**2 * channels
        shape = (self.kernel_size, self.kernel_size, channels, self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=uniform(fan_in))
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer=uniform(fan_in))
        self.built = True

    def call(self, x):
        maps = x if isinstance(x, list) else [x]
        if any(x.shape.rank != 4 for x in maps):  # TensorFlow would end the process
            ranks = [x.shape.rank for x in maps]
            raise InputError(f"`{self.name}` takes [B, H, W, C], got ranks {ranks}.")
        relu = self.activation == "relu"
        if self.strides == 1:
            return convolved(maps, self.kernel, self.bias, relu=relu)
        pairs = zip(maps, parts(self.kernel, maps), strict=True)
        y = tf.add_n([strided(*pair, self.strides) for pair in pairs])
        y = tf.nn.bias_add(y, self.bias)
        return tf.nn.relu(y) if relu else y

    def compute_output_shape(self, input_shape):
        batch, *size, _ = input_shape[0] if _are_several(input_shape) else input_shape
        size = [n if n is None else -(-n // self.strides) for n in size]
        return (batch, *size, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "activation": self.activation,
        }


def _are_several(shape):
    """Whether it is of several maps; Keras gives a saved model's shape as a list."""
    return hasattr(shape[0], "__len__")


def uniform(fan_in):
    """Initial values in ±1/sqrt(fan_in), for weights and biases alike."""
    bound = fan_in**-0.5
    return keras.initializers.RandomUniform(-bound, bound)
