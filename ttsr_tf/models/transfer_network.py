"""What TTSR and SRNTT do alike: textures are searched and transferred.

lr_up        ─ VGG19 ─► query ┐
ref_down_up  ─ VGG19 ─► key   ┴─ relevance ─► index, confidence
ref          ─ VGG19 ─► value (×1, ×2, ×4) ─ transfer(index) ─► textures (×1, ×2, ×4)
"""

import keras
import tensorflow as tf

from ttsr_tf import clusters, compat, layers
from ttsr_tf.layers.relevance import CLUSTERED, STREAMED
from ttsr_tf.models import TEXTURES
from ttsr_tf.models.sizes import (
    INPUT_SIGNATURE,
    build_optimizer,
    check_sizes,
    checked_blocks,
    outputs_of,
)

EXTRACTOR_FLOPS = 224_640  # a pixel: the five convolutions up to relu3_1


class TransferNetwork(keras.Model):
    """The way from inputs to textures, and a network as a Keras model of dicts.

    The contract (see `ttsr_tf.models`) doesn't ask for this class. A subclass has `synthesise`.

    Args:
        num_residual_blocks, num_features: as of `TTSR`.
        padding: of `layers.Relevance` and `layers.Transfer`.
        alignment: whether matches are shifted to where the pictures agree best.
        vgg19: a dict of arguments of `layers.VGG19`.
        extractor_dtype: what the texture extractor computes in, if not in what all layers do:
            in bfloat16 one match in forty is another.
    """

    value_channels = 256, 128, 64
    smallest_lr, smallest_ref = 3, 12

    def __init__(
        self,
        num_residual_blocks,
        num_features,
        *,
        padding="same",
        alignment=False,
        vgg19=None,
        extractor_dtype=None,
        **kwargs,
    ):
        super().__init__(**{"autocast": False, **kwargs})  # pictures stay float32
        self.num_residual_blocks = checked_blocks(num_residual_blocks, num_features)
        self.num_features = num_features
        policy = {"dtype": self.dtype_policy}
        cuts = "relu3_1", "relu2_1", "relu1_1"
        self.extractor_dtype = extractor_dtype
        self.texture_extractor = layers.VGG19(
            cuts, **(vgg19 or {}), dtype=extractor_dtype or self.dtype_policy
        )
        self.relevance = layers.Relevance(padding=padding)
        self.alignment = alignment
        if alignment:
            self.align = layers.Alignment()
            self.transfers = [layers.ShiftedTransfer(s, **policy) for s in (1, 2, 4)]
        else:
            self.transfers = [layers.Transfer(s, padding=padding, **policy) for s in (1, 2, 4)]

    def call(self, inputs):
        check_sizes(inputs)
        query = self.query(inputs["lr_up"])
        key, value = self.encode(inputs["ref"], inputs["ref_down_up"])
        index, confidence = self.match(query, key)
        textures = self.transfer(value, index)
        sr = self.synthesise(inputs, textures, confidence)
        return outputs_of(sr, textures, index=index // self.shifts, confidence=confidence)

    def query(self, lr_up):
        return self._searched(lr_up, self.texture_extractor(lr_up)[0])

    def encode(self, ref, ref_down_up):
        key, *_ = self.texture_extractor(ref_down_up)
        return self._searched(ref_down_up, key), self.texture_extractor(ref)

    def _searched(self, picture, features):
        """Features, and the pixels by which matches are aligned."""
        if not self.alignment:
            return features
        height, width = tf.unstack(tf.shape(picture)[1:3] // 4 * 4)
        pixels = tf.nn.space_to_depth(picture[:, :height, :width], 4)
        return tf.concat([tf.cast(x, tf.float32) for x in (features, pixels)], -1)

    def match(self, query, key):
        if not self.alignment:
            return self.relevance([query, key])
        channels = [self.value_channels[0], layers.CHANNELS]
        (query, pixels), (key, key_pixels) = (tf.split(x, channels, -1) for x in (query, key))
        index, confidence = self.relevance([query, key])
        return self.align([pixels, key_pixels, index]), confidence

    def transfer(self, value, index):
        """Hard attention (TTSR, equation 4), or swapping (SRNTT, section 3.2), at every scale."""
        return tuple(layer([x, index]) for layer, x in zip(self.transfers, value, strict=True))

    @property
    def query_channels(self):
        return self.value_channels[0] + (layers.CHANNELS if self.alignment else 0)

    @property
    def shifts(self):
        return layers.SHIFTS if self.alignment else 1

    @property
    def fast(self):
        return self.relevance.matching == CLUSTERED

    @fast.setter
    def fast(self, wanted):
        self.relevance.matching = CLUSTERED if wanted else STREAMED

    def search_flops(self, queries, keys):
        """Of `match`, from numbers of positions."""
        channels = self.value_channels[0]
        if self.fast and clusters.used(queries, keys):
            return clusters.flops(queries, keys, channels)
        return 2 * channels * queries * keys

    def get_config(self):
        names = "num_residual_blocks", "num_features", "extractor_dtype"
        return {**compat.config_of(self), **{name: getattr(self, name) for name in names}}

    def compile(self, *args, **kwargs):
        """As Keras has it, but the optimizer's variables are created here, not in `fit`."""
        super().compile(*args, **kwargs)
        build_optimizer(self)

    def compute_metrics(self, x, y, y_pred, *args, **kwargs):
        """As Keras has it, but `metrics={"sr": …}` may leave the other outputs out."""
        if isinstance(y, dict):
            y_pred = {name: y_pred[name] for name in y}
        return super().compute_metrics(x, y, y_pred, *args, **kwargs)

    def export(self, filepath, **kwargs):
        """As Keras has it, but for pictures of any size."""
        with layers.portable.traced():
            compat.export(self, filepath, **{"input_signature": [INPUT_SIGNATURE], **kwargs})


def mean_over_scales(distance, outputs, features, *, weigh=None):
    """How far transferred textures are from those that came out, averaged over the scales.

    Args:
        distance: function of two maps [B, s·H, s·W, C] to a scalar.
        outputs: as of a call.
        features: maps of `sr` at ×1, ×2 and ×4.
        weigh: function of the confidence, brought to each scale, to what both maps are multiplied
            by; None: by nothing.
    """
    textures = [outputs[name] for name in TEXTURES]
    if weigh:
        x1 = outputs["confidence"]
        weights = [weigh(x) for x in (x1, layers.resize_up(x1, 2), layers.resize_up(x1, 4))]
        textures, features = (
            [x * weight for x, weight in zip(maps, weights, strict=True)]
            for maps in (textures, features)
        )
    return tf.add_n([distance(a, b) for a, b in zip(textures, features, strict=True)]) / 3
