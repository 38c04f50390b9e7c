"""TTSR, the texture transformer (Yang et al., CVPR 2020): one small and one sharp picture to one.

lr_up        ─ LTE ─► query ┐
ref_down_up  ─ LTE ─► key   ┴─ relevance ─► index, confidence
ref          ─ LTE ─► value (×1, ×2, ×4) ─ transfer(index) ─► textures (×1, ×2, ×4)
lr ─ shallow features ─► fuse ─ ×1 ─► fuse ─ CSFI ×1 ×2 ─► fuse ─ CSFI ×1 ×2 ×4 ─ tail ─► sr
"""

import math

import keras
import tensorflow as tf

from ttsr_tf import compat, layers
from ttsr_tf.models import TEXTURES
from ttsr_tf.models.sizes import INPUT_SIGNATURE, check_sizes, checked_blocks, judged, outputs_of

_LTE_FLOPS = 224_640  # a pixel: the five convolutions of the texture extractor


@keras.saving.register_keras_serializable("ttsr_tf")
class TTSR(keras.Model):
    """Enlarges pictures four times with textures from a reference.

    A new model has random weights: `ttsr_tf.load` gives trained ones.

    Args:
        num_residual_blocks: blocks of the shallow features, at ×1, at ×2 and at ×4.
        num_features: channels of the backbone.
        residual: whether `sr` is what the backbone adds to `lr_up`; not so in the paper.

    Inputs: a dict of float [B, H, W, 3] in [-1, 1]: `lr` of any size, `lr_up` four times as large,
    `ref` of any size from 4×4, `ref_down_up` as large as `ref`; `ttsr_tf.network_inputs` makes it.
    Outputs: a dict of `sr` [B, 4·H, 4·W, 3] in [-1, 1]; `index` int32 [B, H, W], row-major
    positions in the reference's ×1 map [h // 4, w // 4]; `confidence` [B, H, W, 1];
    `textures_x1`, `_x2`, `_x4`, maps of 256, 128 and 64 channels at ×1, ×2 and ×4.

    Raises InputError where sizes don't go together.
    """

    value_channels = 256, 128, 64
    smallest_lr, smallest_ref = 3, 12
    # benchmarks/tiles.py, on random weights in the released format: with 16 no value was further
    # than a level from the picture in one piece, with 8 4 % were.
    tile_overlap = 24
    without_reference = single_image = ideal_textures = None
    pretrained = ()

    def __init__(
        self,
        num_residual_blocks: tuple[int, int, int, int] = (16, 16, 8, 4),
        num_features: int = 64,
        *,
        residual: bool = False,
        **kwargs,
    ):
        super().__init__(**{"autocast": False, **kwargs})  # pictures stay float32
        self.num_residual_blocks = checked_blocks(num_residual_blocks, num_features)
        self.num_features = n = num_features
        self.residual = residual
        shallow, x1, x2, x4 = num_residual_blocks
        policy = {"dtype": self.dtype_policy}

        cuts = "relu3_1", "relu2_1", "relu1_1"
        self.texture_extractor = layers.VGG19(cuts, **policy)  # LTE; paper, section 3.1
        self.relevance = layers.Relevance()
        self.transfers = [layers.Transfer(scale, **policy) for scale in (1, 2, 4)]

        self.head = layers.Convolution(n, activation="relu", **policy)
        self.shallow = layers.ResidualStack(n, shallow, **policy)

        self.fuse_x1 = layers.SoftFusion(n, **policy)
        self.refine_1 = layers.ResidualStack(n, x1, **policy)

        self.enlarge_x2 = layers.SubPixelUpsample(n, **policy)
        self.fuse_x2 = layers.SoftFusion(n, **policy)
        self.exchange_12 = layers.CrossScaleIntegration(n, num_scales=2, **policy)
        self.refine_12 = [layers.ResidualStack(n, x2, **policy) for _ in range(2)]

        self.enlarge_x4 = layers.SubPixelUpsample(n, **policy)
        self.fuse_x4 = layers.SoftFusion(n, **policy)
        self.exchange_124 = layers.CrossScaleIntegration(n, num_scales=3, **policy)
        self.refine_124 = [layers.ResidualStack(n, x4, **policy) for _ in range(3)]

        self.tail_x1 = layers.Upsample(n, 4, **policy)
        self.tail_x2 = layers.Upsample(n, 2, **policy)
        self.tail = [
            layers.Convolution(n, activation="relu", **policy),
            layers.Convolution(n // 2, **policy),
            # In bfloat16 a value near ±1 could be half a level off.
            layers.Convolution(3, kernel_size=1, dtype="float32"),
        ]

    def call(self, inputs):
        check_sizes(inputs)
        query = self.query(inputs["lr_up"])
        key, value = self.encode(inputs["ref"], inputs["ref_down_up"])
        index, confidence = self.match(query, key)
        textures = self.transfer(value, index)
        sr = self.synthesise(inputs, textures, confidence)
        return outputs_of(sr, textures, index=index, confidence=confidence)

    def query(self, lr_up):
        return self.texture_extractor(lr_up)[0]

    def encode(self, ref, ref_down_up):
        key, *_ = self.texture_extractor(ref_down_up)
        return key, self.texture_extractor(ref)

    def match(self, query, key):
        return self.relevance([query, key])

    def transfer(self, value, index):
        """Hard attention (paper, section 3.2, equation 4) at ×1, ×2 and ×4."""
        return tuple(layer([x, index]) for layer, x in zip(self.transfers, value, strict=True))

    def synthesise(self, inputs, textures, confidence):
        """The backbone (paper, section 3.3, figure 3)."""
        textures_x1, textures_x2, textures_x4 = textures
        x1 = self.head(inputs["lr"])
        x1 += self.shallow(x1)

        x1 = self.fuse_x1([x1, textures_x1, confidence])
        x1 += self.refine_1(x1)

        x2 = self.enlarge_x2(x1)
        x2 = self.fuse_x2([x2, textures_x2, layers.resize_up(confidence, 2)])
        x1, x2 = _refined([x1, x2], self.exchange_12, self.refine_12)

        x4 = self.enlarge_x4(x2)
        x4 = self.fuse_x4([x4, textures_x4, layers.resize_up(confidence, 4)])
        x1, x2, x4 = _refined([x1, x2, x4], self.exchange_124, self.refine_124)

        sr = [x4, self.tail_x1(x1), self.tail_x2(x2)]
        for layer in self.tail:
            sr = layer(sr)
        if self.residual:
            sr += tf.cast(inputs["lr_up"], sr.dtype)
        return tf.clip_by_value(sr, -1, 1)

    def texture_loss(self, outputs, sr, weigh_by_confidence=False):
        """Transferal perceptual loss (paper, equation 9, second term): the mean squared difference
        between what was transferred and what came out, averaged over the scales.

        Args:
            outputs: as of a call.
            sr: float [B, 4·H, 4·W, 3].
            weigh_by_confidence: whether both sides are multiplied by the confidence's sigmoid,
                brought to each scale, as the released program can.
        """
        weights = [1.0, 1.0, 1.0]
        if weigh_by_confidence:
            x1 = outputs["confidence"]
            scales = x1, layers.resize_up(x1, 2), layers.resize_up(x1, 4)
            weights = [tf.sigmoid(x) for x in scales]
        terms = zip(
            (outputs[name] for name in TEXTURES),
            self.texture_extractor(sr),
            weights,
            strict=True,
        )
        return tf.add_n([_squared_error(a * weight, b * weight) for a, b, weight in terms]) / 3

    def build(self, input_shape=None):
        """Creates every variable; the sizes of the pictures don't matter."""
        del input_shape
        n = self.num_features
        picture, features, scalar = ((None, None, None, c) for c in (3, n, 1))
        self.texture_extractor.build(picture)
        self.head.build(picture)
        fusions = self.fuse_x1, self.fuse_x2, self.fuse_x4
        for fuse, channels in zip(fusions, self.value_channels, strict=True):
            fuse.build([features, (None, None, None, channels), scalar])
        for layer in (self.shallow, self.refine_1, *self.refine_12, *self.refine_124):
            layer.build(features)
        for layer in (self.enlarge_x2, self.enlarge_x4, self.tail_x1, self.tail_x2):
            layer.build(features)
        self.exchange_12.build([features] * 2)
        self.exchange_124.build([features] * 3)
        for layer, channels in zip(self.tail, (3 * n, n, n // 2), strict=True):
            layer.build((None, None, None, channels))
        compat.set_built(self)

    @property
    def zero_at_start(self):
        """The layers without whose output a residual network gives `lr_up`, where it starts."""
        fusions = self.fuse_x1, self.fuse_x2, self.fuse_x4
        return (self.tail[-1], *(fuse.conv for fuse in fusions)) if self.residual else ()

    @property
    def bytes_per_pixel(self):
        # As measured by benchmarks/memory.py: textures and some seven maps of features.
        return 4 * (sum(self.value_channels) // 4 + 7 * self.num_features)

    def flops(self, lr_size, ref_sizes):
        queries, keys = math.prod(lr_size), sum((h // 4) * (w // 4) for h, w in ref_sizes)
        n, (shallow, x1, x2, x4) = self.num_features, self.num_residual_blocks
        convs = 2 * (shallow + x1 + 5 * x2 + 21 * x4) + 150  # of n×n channels, in areas of LR
        backbone, search = 18 * n**2 * convs * queries, 2 * self.value_channels[0] * queries * keys
        return backbone + search + _LTE_FLOPS * 16 * (queries + 2 * keys)

    def compute_metrics(self, x, y, y_pred, *args, **kwargs):
        """As Keras has it, but `metrics={"sr": …}` may leave the other outputs out."""
        return super().compute_metrics(x, y, judged(y, y_pred), *args, **kwargs)

    def export(self, filepath, **kwargs):
        """As Keras has it, but for pictures of any size."""
        compat.export(self, filepath, **{"input_signature": [INPUT_SIGNATURE], **kwargs})

    def get_config(self):
        names = "num_residual_blocks", "num_features", "residual"
        return {**compat.config_of(self), **{name: getattr(self, name) for name in names}}


def _refined(scales, exchange, stacks):
    exchanged = exchange(scales)
    return [x + stack(y) for x, y, stack in zip(scales, exchanged, stacks, strict=True)]


def _squared_error(a, b):
    return tf.reduce_mean((tf.cast(a, tf.float32) - tf.cast(b, tf.float32)) ** 2)
