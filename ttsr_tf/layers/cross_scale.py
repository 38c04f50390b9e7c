"""CSFI: feature maps of different scales exchange what they know."""

import keras

from ttsr_tf.layers.convolution import Convolution
from ttsr_tf.layers.resampling import Downsample, Upsample


@keras.saving.register_keras_serializable("ttsr_tf")
class CrossScaleIntegration(keras.layers.Layer):
    """Every scale receives every other one, and merges them (CSFI; paper, section 3.3, figure 3).

    Each output is ReLU(conv(concat(own, the others from coarse to fine))).

    Args:
        filters: number of channels at every scale.
        num_scales: number of maps; each is twice the size of the one before.

    Input and output: a tuple of [B, 2^k·H, 2^k·W, filters], from coarse (k = 0) to fine.
    """

    def __init__(self, filters, num_scales, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = [keras.layers.InputSpec(ndim=4)] * num_scales
        self.filters = filters
        self.num_scales = num_scales
        scales = range(num_scales)
        # Flat, since Keras saves no lists of lists; ordered by target, then source.
        self.exchanges = [
            Upsample(
                filters, 2 ** (target - source), name=f"up{source}{target}", dtype=self.dtype_policy
            )
            if source < target
            else Downsample(
                filters,
                2 ** (source - target),
                name=f"down{source}{target}",
                dtype=self.dtype_policy,
            )
            for target in scales
            for source in scales
            if source != target
        ]
        self.merges = [
            Convolution(filters, activation="relu", name=f"merge{k}", dtype=self.dtype_policy)
            for k in scales
        ]

    def build(self, input_shape):
        for layer in self.exchanges:
            layer.build(input_shape[0])
        for layer, shape in zip(self.merges, input_shape, strict=True):
            layer.build((*shape[:-1], self.num_scales * self.filters))
        self.built = True

    def call(self, scales):
        exchanges = iter(self.exchanges)
        merged = []
        for target, own in enumerate(scales):
            others = [next(exchanges)(x) for source, x in enumerate(scales) if source != target]
            merged.append(self.merges[target]([own, *others]))
        return tuple(merged)

    def compute_output_shape(self, input_shape):
        return tuple((*shape[:-1], self.filters) for shape in input_shape)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "num_scales": self.num_scales}
