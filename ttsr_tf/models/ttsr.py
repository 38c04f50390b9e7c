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
from ttsr_tf.models import OPTIONS
from ttsr_tf.models.transfer_network import EXTRACTOR_FLOPS, TransferNetwork, mean_over_scales


@keras.saving.register_keras_serializable("ttsr_tf")
class TTSR(TransferNetwork):
    """Enlarges pictures four times with textures from a reference.

    A new model has random weights: `ttsr_tf.load` gives trained ones.

    Args:
        num_residual_blocks: blocks of the shallow features, at ×1, at ×2 and at ×4.
        num_features: channels of the backbone.
        residual: whether `sr` is what the backbone adds to `lr_up`; not so in the paper.
        alignment: whether matches are aligned by `layers.Alignment`; not so in the paper.
        reference: whether textures join the features; what is found is told all the same.
        soft_attention: whether textures count as far as they match, or all alike.
        cross_scale: whether scales exchange features (CSFI). Without, only the finest goes on.

    Inputs: a dict of float [B, H, W, 3] in [-1, 1]: `lr` of any size, `lr_up` four times as large,
    `ref` of any size from 4×4, `ref_down_up` as large as `ref`; `ttsr_tf.network_inputs` makes it.
    Outputs: a dict of `sr` [B, 4·H, 4·W, 3] in [-1, 1]; `index` int32 [B, H, W], row-major
    positions in the reference's ×1 map [h // 4, w // 4]; `confidence` [B, H, W, 1];
    `textures_x1`, `_x2`, `_x4`, maps of 256, 128 and 64 channels at ×1, ×2 and ×4.

    Raises InputError where sizes don't go together.
    """

    # benchmarks/tiles.py, on random weights in the released format: with 16 no value was further
    # than a level from the picture in one piece, with 8 4 % were.
    tile_overlap = 24
    without_reference = single_image = ideal_textures = None
    pretrained = ()

    def __init__(  # noqa: PLR0913  each part of the paper can be left out
        self,
        num_residual_blocks: tuple[int, int, int, int] = (16, 16, 8, 4),
        num_features: int = 64,
        *,
        residual: bool = False,
        alignment: bool = False,
        reference: bool = True,
        soft_attention: bool = True,
        cross_scale: bool = True,
        **kwargs,
    ):
        super().__init__(num_residual_blocks, num_features, alignment=alignment, **kwargs)
        self.residual, self.reference = residual, reference
        self.soft_attention, self.cross_scale = soft_attention, cross_scale
        n, (shallow, x1, x2, x4) = num_features, num_residual_blocks
        policy = {"dtype": self.dtype_policy}

        def optional(wanted, layer, *sizes):
            return layer(n, *sizes, **policy) if wanted else None

        def refinement(blocks, num_scales):
            stacks = num_scales if cross_scale else 1
            return [layers.ResidualStack(n, blocks, **policy) for _ in range(stacks)]

        self.head = layers.Convolution(n, activation="relu", **policy)
        self.shallow = layers.ResidualStack(n, shallow, **policy)

        self.fuse_x1 = optional(reference, layers.SoftFusion)
        self.refine_1 = layers.ResidualStack(n, x1, **policy)

        self.enlarge_x2 = layers.SubPixelUpsample(n, **policy)
        self.fuse_x2 = optional(reference, layers.SoftFusion)
        self.exchange_12 = optional(cross_scale, layers.CrossScaleIntegration, 2)
        self.refine_12 = refinement(x2, 2)

        self.enlarge_x4 = layers.SubPixelUpsample(n, **policy)
        self.fuse_x4 = optional(reference, layers.SoftFusion)
        self.exchange_124 = optional(cross_scale, layers.CrossScaleIntegration, 3)
        self.refine_124 = refinement(x4, 3)

        self.tail_x1 = optional(cross_scale, layers.Upsample, 4)
        self.tail_x2 = optional(cross_scale, layers.Upsample, 2)
        self.tail = [
            layers.Convolution(n, activation="relu", **policy),
            layers.Convolution(n // 2, **policy),
            # In bfloat16 a value near ±1 could be half a level off.
            layers.Convolution(3, kernel_size=1, dtype="float32"),
        ]

    def synthesise(self, inputs, textures, confidence):
        """The backbone (paper, section 3.3, figure 3)."""
        textures_x1, textures_x2, textures_x4 = textures
        confidence = confidence if self.soft_attention else tf.ones_like(confidence)
        x = self.head(inputs["lr"])
        x += self.shallow(x)

        x = _fused(self.fuse_x1, [x, textures_x1, confidence])
        scales = [x + self.refine_1(x)]

        x = self.enlarge_x2(scales[-1])
        x = _fused(self.fuse_x2, [x, textures_x2, layers.resize_up(confidence, 2)])
        scales = _refined([*scales, x], self.exchange_12, self.refine_12)

        x = self.enlarge_x4(scales[-1])
        x = _fused(self.fuse_x4, [x, textures_x4, layers.resize_up(confidence, 4)])
        *coarse, x = _refined([*scales, x], self.exchange_124, self.refine_124)

        tails = (self.tail_x1, self.tail_x2) if coarse else ()
        sr = [x, *(tail(y) for tail, y in zip(tails, coarse, strict=True))]
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
        features, weigh = self.texture_extractor(sr), tf.sigmoid if weigh_by_confidence else None
        return mean_over_scales(_squared_error, outputs, features, weigh=weigh)

    def build(self, input_shape=None):
        """Creates every variable; the sizes of the pictures don't matter."""
        del input_shape
        n = self.num_features
        picture, features, scalar = ((None, None, None, c) for c in (3, n, 1))
        self.texture_extractor.build(picture)
        self.head.build(picture)
        refinements = self.refine_1, *self.refine_12, *self.refine_124
        for layer in (self.shallow, *refinements, self.enlarge_x2, self.enlarge_x4):
            layer.build(features)
        for fuse, channels in zip(self._fusions, self.value_channels, strict=self.reference):
            fuse.build([features, (None, None, None, channels), scalar])
        if self.cross_scale:
            self.exchange_12.build([features] * 2)
            self.exchange_124.build([features] * 3)
            self.tail_x1.build(features)
            self.tail_x2.build(features)
        joined = 3 * n if self.cross_scale else n
        for layer, channels in zip(self.tail, (joined, n, n // 2), strict=True):
            layer.build((None, None, None, channels))
        compat.set_built(self)

    @property
    def zero_at_start(self):
        """The layers without whose output a residual network gives `lr_up`, where it starts."""
        return (self.tail[-1], *(fuse.conv for fuse in self._fusions)) if self.residual else ()

    @property
    def _fusions(self):
        return (self.fuse_x1, self.fuse_x2, self.fuse_x4) if self.reference else ()

    @property
    def bytes_per_pixel(self):
        # As measured by benchmarks/memory.py: textures and some seven maps of features.
        return 4 * (sum(self.value_channels) // 4 + 7 * self.num_features)

    def flops(self, lr_size, ref_sizes):
        queries, keys = math.prod(lr_size), sum((h // 4) * (w // 4) for h, w in ref_sizes)
        n, (shallow, x1, x2, x4) = self.num_features, self.num_residual_blocks
        at_x2, at_x4, others = (5, 21, 244) if self.cross_scale else (4, 16, 115)
        # Of n×n channels, in areas of LR; `others` at 64 channels.
        convs = 2 * (shallow + x1 + at_x2 * x2 + at_x4 * x4) + others
        backbone = 18 * n**2 * convs * queries
        return (
            backbone
            + self.search_flops(queries, keys)
            + EXTRACTOR_FLOPS * 16 * (queries + 2 * keys)
        )

    def get_config(self):
        return {**super().get_config(), **{name: getattr(self, name) for name in OPTIONS["ttsr"]}}


def _fused(fuse, inputs):
    return fuse(inputs) if fuse else inputs[0]


def _refined(scales, exchange, stacks):
    """All scales after their exchange, or the finest one by itself."""
    scales = scales if exchange else scales[-1:]
    exchanged = exchange(scales) if exchange else scales
    return [x + stack(y) for x, y, stack in zip(scales, exchanged, stacks, strict=True)]


def _squared_error(a, b):
    return tf.reduce_mean((tf.cast(a, tf.float32) - tf.cast(b, tf.float32)) ** 2)
