"""Residual block and stack."""

import keras

from ttsr_tf.layers.convolution import Convolution


@keras.saving.register_keras_serializable("ttsr_tf")
class ResidualBlock(keras.layers.Layer):
    """x + conv(ReLU(conv(x))): no normalisation, and no ReLU after the sum (paper, section 3.3).

    Args:
        filters: number of channels of input and output.

    Input and output: [B, H, W, filters].
    """

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.filters = filters
        self.conv1 = Convolution(filters, activation="relu", name="conv1", dtype=self.dtype_policy)
        self.conv2 = Convolution(filters, name="conv2", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.conv1.build(input_shape)
        self.conv2.build(input_shape)
        self.built = True

    def call(self, x):
        return x + self.conv2(self.conv1(x))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable("ttsr_tf")
class ResidualStack(keras.layers.Layer):
    """`num_blocks` residual blocks, then one convolution. What it adds to is the caller's choice.

    Args:
        filters: number of channels of input and output.
        num_blocks: number of residual blocks.

    Input and output: [B, H, W, filters].
    """

    def __init__(self, filters, num_blocks, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.filters = filters
        self.num_blocks = num_blocks
        self.blocks = [
            ResidualBlock(filters, name=f"block{i}", dtype=self.dtype_policy)
            for i in range(num_blocks)
        ]
        self.tail = Convolution(filters, name="tail", dtype=self.dtype_policy)

    def build(self, input_shape):
        for layer in (*self.blocks, self.tail):
            layer.build(input_shape)
        self.built = True

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.tail(x)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "num_blocks": self.num_blocks}
