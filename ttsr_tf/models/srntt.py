"""SRNTT, super-resolution by neural texture transfer (Zhang et al., CVPR 2019).

lr_up        ─ VGG19 ─► query ┐
ref_down_up  ─ VGG19 ─► key   ┴─ relevance ─► index, confidence
ref          ─ VGG19 ─► value (×1, ×2, ×4) ─ transfer(index) ─► textures (×1, ×2, ×4)
lr ─ content extractor ─► join ×1 ─ enlarge ─► join ×2 ─ enlarge ─► join ×4 ─ tail ─► sr
                     └─ head of its own ─► the single-image path's picture
"""

import math

import keras
import tensorflow as tf

from ttsr_tf import compat, layers
from ttsr_tf.models import OPTIONS
from ttsr_tf.models.sizes import outputs_of
from ttsr_tf.models.transfer_network import EXTRACTOR_FLOPS, TransferNetwork, mean_over_scales


@keras.saving.register_keras_serializable("ttsr_tf")
class SRNTT(TransferNetwork):
    """Enlarges pictures four times with textures that are swapped in from a reference.

    Batch normalisation is folded into convolutions where weights are converted, and left out where
    they are trained: parts of a batch can't share it. Swapped maps are 1/57.63 of VGG19's own.

    Args:
        num_residual_blocks: blocks of the content extractor, at ×1, at ×2 and at ×4.
        num_features: channels of the convolutions.
        transposed_vgg19: whether VGG19's kernels have height and width exchanged. The released
            program's loader exchanges them, by mistake, so its weights need it.

    Inputs and outputs: as of `TTSR`, `ref` from 12×12. A position at the border of `index` and
    `confidence` has what its neighbour inside has.

    Raises InputError where sizes don't go together.
    """

    # benchmarks/tiles.py: 16 left no value further than a level from a picture in one piece.
    tile_overlap = 24

    def __init__(
        self,
        num_residual_blocks: tuple[int, int, int, int] = (16, 16, 8, 4),
        num_features: int = 64,
        *,
        transposed_vgg19: bool = False,
        **kwargs,
    ):
        super().__init__(
            num_residual_blocks,
            num_features,
            padding="valid",
            vgg19={"mean": layers.OXFORD_MEAN, "transposed": transposed_vgg19},
            **kwargs,
        )
        self.transposed_vgg19 = transposed_vgg19
        n, (content, *scales) = num_features, num_residual_blocks
        policy = {"dtype": self.dtype_policy}

        self.head = layers.Convolution(n, activation="relu", **policy)
        self.content = layers.ResidualStack(n, content, **policy)
        self.enlarge_single = [layers.SubPixelUpsample(n, **policy) for _ in range(2)]
        self.tail_single = layers.Convolution(3, kernel_size=1, dtype="float32")

        self.join = [layers.Convolution(n, activation="relu", **policy) for _ in range(3)]
        self.refine = [layers.ResidualStack(n, blocks, **policy) for blocks in scales]
        self.enlarge = [layers.SubPixelUpsample(n, **policy) for _ in range(2)]
        self.tail = [
            layers.Convolution(n // 2, **policy),
            layers.Convolution(3, kernel_size=1, dtype="float32"),  # as TTSR's
        ]

    def synthesise(self, inputs, textures, confidence):
        """Texture transfer (paper, section 3.3); the confidence has no part in it."""
        del confidence
        x = tf.stop_gradient(self._content(inputs["lr"]))  # it has learnt, and stays as it is
        for scale, swapped in enumerate(textures):
            if scale > 0:
                x = self.enlarge[scale - 1](x)
            x += self.refine[scale](self.join[scale]([x, swapped]))
        for layer in self.tail:
            x = layer(x)
        return tf.tanh(x)

    def single_image(self, inputs):
        """What the content extractor makes of `lr` alone."""
        x = self._content(inputs["lr"])
        for layer in self.enlarge_single:
            x = layer(x)
        return tf.tanh(self.tail_single(x))

    def without_reference(self, inputs):
        """As published: the single-image path's picture is matched with the small one, map by map,
        in patches of 3×3 at every scale.
        """
        query = self.texture_extractor(self.single_image(inputs))
        value = self.texture_extractor(inputs["ref"])
        matches = [self.match(*maps) for maps in zip(query, value, strict=True)]
        textures = tuple(
            self.transfers[0]([x, index]) for x, (index, _) in zip(value, matches, strict=True)
        )
        index, confidence = matches[0]
        sr = self.synthesise(inputs, textures, confidence)
        return outputs_of(sr, textures, index=index, confidence=confidence)

    def ideal_textures(self, hr):
        return self.texture_extractor(hr)

    def _content(self, lr):
        x = self.head(lr)
        return x + self.content(x)

    def texture_loss(self, outputs, sr, weigh_by_confidence=False):
        """How far the Gram matrices of what was swapped and of what came out differ (paper,
        equation 6), at the size of VGG19's own maps, averaged over the scales.

        Args:
            outputs: as of a call.
            sr: float [B, 4·H, 4·W, 3].
            weigh_by_confidence: whether both sides are multiplied by the confidence, brought to
                each scale. The released program has sigmoid(-20 · confidence + 0.65) instead, which
                falls where textures match better, and leaves no loss.
        """
        weigh = tf.identity if weigh_by_confidence else None
        features = self.texture_extractor(sr)
        return mean_over_scales(layers.gram_distance, outputs, features, weigh=weigh)

    def build(self, input_shape=None):
        """Creates every variable; the sizes of the pictures don't matter."""
        del input_shape
        n = self.num_features
        picture, features = ((None, None, None, c) for c in (3, n))
        self.texture_extractor.build(picture)
        self.head.build(picture)
        for layer, channels in zip(self.join, self.value_channels, strict=True):
            layer.build([features, (None, None, None, channels)])
        enlargements = *self.enlarge_single, *self.enlarge
        for layer in (self.content, *self.refine, *enlargements, self.tail_single, self.tail[0]):
            layer.build(features)
        self.tail[1].build((None, None, None, n // 2))
        compat.set_built(self)

    @property
    def pretrained(self):
        return self.head, self.content, *self.enlarge_single, self.tail_single

    @property
    def bytes_per_pixel(self):
        # As measured by benchmarks/memory.py: textures and some five maps of features.
        return 4 * (sum(self.value_channels) // 4 + 5 * self.num_features)

    def flops(self, lr_size, ref_sizes):
        queries, keys = math.prod(lr_size), sum((h // 4) * (w // 4) for h, w in ref_sizes)
        n, (content, x1, x2, x4) = self.num_features, self.num_residual_blocks
        coarse, middle, fine = self.value_channels
        convs = 2 * (content + x1 + 4 * x2 + 16 * x4) + 66  # of n×n channels, in areas of LR
        network = 18 * n * (n * convs + coarse + 4 * middle + 16 * fine) * queries
        if not ref_sizes:  # LR, a sixteenth of what is matched with it at every scale
            search = (coarse + 4**2 * middle + 16**2 * fine) * queries**2 // 8
            return network + search + EXTRACTOR_FLOPS * 17 * queries
        extractor = EXTRACTOR_FLOPS * 16 * (queries + 2 * keys)
        return network + self.search_flops(queries, keys) + extractor

    def get_config(self):
        return {**super().get_config(), **{name: getattr(self, name) for name in OPTIONS["srntt"]}}
