"""Soft attention: textures join the features as far as their match was good."""

import keras

from ttsr_tf.layers.convolution import Convolution


@keras.saving.register_keras_serializable("ttsr_tf")
class SoftFusion(keras.layers.Layer):
    """x + conv(concat(x, textures)) · confidence (paper, section 3.2, equation 5).

    Args:
        filters: number of channels of the features.

    Inputs: features [B, H, W, filters], textures [B, H, W, C], confidence [B, H, W, 1].
    Output: [B, H, W, filters].
    """

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = [keras.layers.InputSpec(ndim=n) for n in (4, 4, 4)]
        self.filters = filters
        self.conv = Convolution(filters, name="conv", dtype=self.dtype_policy)

    def build(self, input_shape):
        features, textures, _ = input_shape
        self.conv.build((*features[:-1], features[-1] + textures[-1]))
        self.built = True

    def call(self, inputs):
        features, textures, confidence = inputs
        return features + self.conv([features, textures]) * confidence

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}
