"""TTSR, the texture transformer (Yang et al., CVPR 2020): one small and one sharp picture to one.

lr_up        ─ LTE ─► query ┐
ref_down_up  ─ LTE ─► key   ┴─ relevance ─► index, confidence
ref          ─ LTE ─► value (×1, ×2, ×4) ─ transfer(index) ─► textures (×1, ×2, ×4)
lr ─ shallow features ─► fuse ─ ×1 ─► fuse ─ CSFI ×1 ×2 ─► fuse ─ CSFI ×1 ×2 ×4 ─ tail ─► sr
"""

import keras
import tensorflow as tf

from ttsr_tf import images, layers
from ttsr_tf.enlarging import Enlarger
from ttsr_tf.errors import InputError


class TTSR(keras.Model):
    """Enlarges pictures four times with textures from a reference.

    A new model has random weights: see `ttsr_tf.load` for trained ones, `ttsr_tf.vgg.initialise`
    for starting a training.

    Args:
        num_residual_blocks: blocks of the shallow features, at ×1, at ×2 and at ×4.
        num_features: channels of the backbone.

    Inputs: a dict of float [B, H, W, 3] in [-1, 1]: `lr` of any size, `lr_up` four times as large,
    `ref` of any size from 4×4, `ref_down_up` as large as `ref`.
    Outputs: a dict of `sr` [B, 4·H, 4·W, 3] in [-1, 1]; `index` int32 [B, H, W], row-major
    positions in the reference's ×1 map [h // 4, w // 4]; `confidence` [B, H, W, 1];
    `textures`, three maps of 256, 128 and 64 channels at ×1, ×2 and ×4.

    Raises:
        InputError: sizes that don't go together.
    """

    def __init__(self, num_residual_blocks=(16, 16, 8, 4), num_features=64, **kwargs):
        super().__init__(**kwargs)
        self.num_residual_blocks = tuple(num_residual_blocks)
        self.num_features = n = num_features
        self._enlarger = Enlarger(self)
        shallow, x1, x2, x4 = num_residual_blocks

        self.texture_extractor = layers.TextureExtractor()
        self.relevance = layers.Relevance()
        self.transfer_x1, self.transfer_x2, self.transfer_x4 = map(layers.Transfer, (1, 2, 4))

        self.head = layers.Convolution(n, relu=True)
        self.shallow = layers.ResidualStack(n, shallow)

        self.fuse_x1 = layers.SoftFusion(n)
        self.refine_1 = layers.ResidualStack(n, x1)

        self.enlarge_x2 = layers.SubPixelUpsample(n)
        self.fuse_x2 = layers.SoftFusion(n)
        self.exchange_12 = layers.CrossScaleIntegration(n, num_scales=2)
        self.refine_12 = [layers.ResidualStack(n, x2) for _ in range(2)]

        self.enlarge_x4 = layers.SubPixelUpsample(n)
        self.fuse_x4 = layers.SoftFusion(n)
        self.exchange_124 = layers.CrossScaleIntegration(n, num_scales=3)
        self.refine_124 = [layers.ResidualStack(n, x4) for _ in range(3)]

        self.tail_x1 = layers.Upsample(n, 4)
        self.tail_x2 = layers.Upsample(n, 2)
        self.tail = [
            layers.Convolution(n, relu=True),
            layers.Convolution(n // 2),
            layers.Convolution(3, kernel_size=1),
        ]

    def call(self, inputs):
        _check_sizes(inputs)
        query, *_ = self.texture_extractor(inputs["lr_up"])
        key, *_ = self.texture_extractor(inputs["ref_down_up"])
        value = self.texture_extractor(inputs["ref"])

        index, confidence = self.relevance([query, key])
        textures = self.transferred(value, index)
        return {
            "sr": self.synthesised(inputs["lr"], textures, confidence),
            "index": index,
            "confidence": confidence,
            "textures": textures,
        }

    def transferred(self, value, index):
        """Hard attention at ×1, ×2 and ×4."""
        transfers = self.transfer_x1, self.transfer_x2, self.transfer_x4
        return tuple(layer([x, index]) for layer, x in zip(transfers, value, strict=True))

    def synthesised(self, lr, textures, confidence):
        """The backbone: `sr` from `lr` and what was found for it."""
        textures_x1, textures_x2, textures_x4 = textures
        x1 = self.head(lr)
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
        return tf.clip_by_value(sr, -1, 1)

    def build(self, input_shape=None):
        """Creates every variable; the sizes of the pictures don't matter."""
        del input_shape
        n = self.num_features
        picture, features, scalar = (None, None, None, 3), (None, None, None, n), (None,) * 3 + (1,)
        self.texture_extractor.build(picture)
        self.head.build(picture)
        for fuse, channels in ((self.fuse_x1, 256), (self.fuse_x2, 128), (self.fuse_x4, 64)):
            fuse.build([features, (None, None, None, channels), scalar])
        for layer in (self.shallow, self.refine_1, *self.refine_12, *self.refine_124):
            layer.build(features)
        for layer in (self.enlarge_x2, self.enlarge_x4, self.tail_x1, self.tail_x2):
            layer.build(features)
        self.exchange_12.build([features] * 2)
        self.exchange_124.build([features] * 3)
        for layer, channels in zip(self.tail, (3 * n, n, n // 2), strict=True):
            layer.build((None, None, None, channels))
        self.built = True

    def encode_reference(self, ref):
        """A reference that many pictures are enlarged with, encoded once.

        Args:
            ref: uint8 [h, w, 3], from 12×12; used up to the last multiple of 4.

        Returns:
            A `Reference`, which holds this model's features: weights must not change meanwhile.

        Raises:
            InputError: an array of another type, rank or size.
        """
        return self._enlarger.encode(ref)

    def upscale(self, lr, references=None, memory_gb=None):
        """Enlarges one picture four times.

        Args:
            lr: uint8 [H, W, 3], from 3×3.
            references: sharp pictures of something similar, uint8 [h, w, 3] from 12×12 or from
                `encode_reference`: one, or a list, of which the best match everywhere is used.
                Default: the picture itself.
            memory_gb: what the process may take, GiB; default: most of what is free. A picture that
                takes more is done in overlapping tiles.

        Returns:
            uint8 array [4·H, 4·W, 3].

        Raises:
            InputError: an array of another type, rank or size; an empty list; too little memory.
        """
        return self.upscale_with_attention(lr, references, memory_gb)["sr"]

    def upscale_with_attention(self, lr, references=None, memory_gb=None, progress=None):
        """As `upscale`, but tells where the textures came from.

        Args:
            progress: called with the number of tiles that are done and of all.

        Returns:
            A dict of arrays: `sr` uint8 [4·H, 4·W, 3]; `source` int32 [H, W], the reference's
            place in the list; `index` int32 [H, W], row-major positions in that reference's grid
            of 4×4 pixels [h // 4, w // 4]; `confidence` float32 [H, W].
        """
        lr = images.checked("lr", lr, smallest=3)
        references = self._enlarger.encode_all(lr if references is None else references)
        return self._enlarger.enlarge(lr, references, memory_gb, progress)

    def get_config(self):
        return {"num_residual_blocks": self.num_residual_blocks, "num_features": self.num_features}


def _refined(scales, exchange, stacks):
    exchanged = exchange(scales)
    return [x + stack(y) for x, y, stack in zip(scales, exchanged, stacks, strict=True)]


def _check_sizes(inputs):
    lr, lr_up, ref, ref_down_up = (
        inputs[name].shape.as_list()[1:3] for name in ("lr", "lr_up", "ref", "ref_down_up")
    )
    if None not in lr + lr_up and lr_up != [4 * n for n in lr]:
        raise InputError(f"`lr_up` must be 4 times as large as `lr`, got {lr_up} beside {lr}.")
    if None not in ref + ref_down_up and ref != ref_down_up:
        raise InputError(f"`ref_down_up` must be as large as `ref`, got {ref_down_up}, {ref}.")
    if None not in ref and min(ref) < 4:
        raise InputError(f"`ref` must be at least 4×4 pixels, got {ref}.")
