"""The smallest network that keeps the contract, for tests whose point isn't the network.

lr_up, ref_down_up, ref ─ 1×1 convolution, mean ─► query, key, value
query × key ─ nearest ─► index, confidence;  value ─ blocks at index ─► textures
lr_up, finest textures, confidence ─ 3×3 convolution ─► sr
"""

import sys

import keras
import tensorflow as tf

from ttsr_tf import compat, layers
from ttsr_tf.models import SPECTRAL, TEXTURES
from ttsr_tf.models.sizes import INPUT_SIGNATURE


@keras.saving.register_keras_serializable("tests")
class OneConvolution(keras.Model):
    """Some hundred weights; every stage is a few operations.

    Args:
        channels: of all maps of textures.
    """

    smallest_lr, smallest_ref = 3, 12
    tile_overlap = 8  # bicubic and the convolution see no further
    bytes_per_pixel = 100
    without_reference = single_image = ideal_textures = None
    pretrained, shifts, fast = (), 1, False

    def __init__(self, channels=4, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.value_channels = channels, (channels,) * 3
        self.query_channels = channels
        self.texture_extractor = layers.Convolution(channels, 1, dtype=self.dtype_policy)
        self.convolution = layers.Convolution(3, dtype=self.dtype_policy)

    def build(self, input_shape=None):
        del input_shape
        self.texture_extractor.build((None, None, None, 3))
        self.convolution.build((None, None, None, 3 + self.channels + 1))
        compat.set_built(self)

    def call(self, inputs):
        query = self.query(inputs["lr_up"])
        key, value = self.encode(inputs["ref"], inputs["ref_down_up"])
        index, confidence = self.match(query, key)
        textures = self.transfer(value, index)
        sr = self.synthesise(inputs, textures, confidence)
        return {
            "sr": sr,
            "index": index,
            "confidence": confidence,
            **dict(zip(TEXTURES, textures, strict=True)),
        }

    def query(self, lr_up):
        return self._maps(lr_up)[0]

    def encode(self, ref, ref_down_up):
        return self._maps(ref_down_up)[0], self._maps(ref)

    def match(self, query, key):
        shape, channels = tf.shape(query), query.shape[-1]
        query, key = (
            tf.math.l2_normalize(tf.reshape(tf.cast(x, tf.float32), [shape[0], -1, channels]), -1)
            for x in (query, key)
        )
        similarity = tf.matmul(query, key, transpose_b=True)  # [B, H·W, h·w]
        index = tf.argmax(similarity, -1, output_type=tf.int32)
        confidence = tf.reduce_max(similarity, -1)
        return tf.reshape(index, shape[:3]), tf.reshape(confidence, [*tf.unstack(shape)[:3], 1])

    def transfer(self, value, index):
        return tuple(_blocks(x, index, scale) for x, scale in zip(value, (1, 2, 4), strict=True))

    def synthesise(self, inputs, textures, confidence):
        finest, lr_up = textures[-1], inputs["lr_up"]
        confidence = tf.repeat(tf.repeat(confidence, 4, 1), 4, 2)
        seen = [tf.cast(x, self.compute_dtype) for x in (lr_up, finest, confidence)]
        sr = tf.cast(lr_up, self.compute_dtype) + 0.1 * self.convolution(tf.concat(seen, -1))
        return tf.clip_by_value(sr, -1, 1)

    def texture_loss(self, outputs, sr, weigh_by_confidence=False):
        found = self._maps(sr)[-1] - outputs[TEXTURES[-1]]
        squares = tf.cast(found, tf.float32) ** 2
        weight = tf.sigmoid(tf.reduce_mean(outputs["confidence"])) if weigh_by_confidence else 1
        return weight * tf.reduce_mean(squares)

    def flops(self, lr_size, ref_sizes):
        area = lr_size[0] * lr_size[1]
        return 1_000 * area + sum(area * height * width for height, width in ref_sizes)

    def get_config(self):
        return {**compat.config_of(self), "channels": self.channels}

    def export(self, filepath, **kwargs):
        compat.export(self, filepath, **{"input_signature": [INPUT_SIGNATURE], **kwargs})

    def _maps(self, pictures):
        fine = self.texture_extractor(pictures)
        return tuple(tf.nn.avg_pool2d(fine, n, n, "VALID") if n > 1 else fine for n in (4, 2, 1))


def _blocks(value, index, scale):
    """The blocks of scale × scale pixels at an index, [B, s·H, s·W, C]; zeros where it is -1."""
    channels = scale**2 * value.shape[-1]
    if scale > 1:
        value = tf.nn.space_to_depth(value, scale)
    rows = tf.reshape(value, [tf.shape(value)[0], -1, channels])
    found = tf.gather(rows, tf.maximum(index, 0), batch_dims=1)
    found *= tf.cast(index >= 0, found.dtype)[..., None]
    return tf.nn.depth_to_space(found, scale) if scale > 1 else found


class OneConvolutionCritic(keras.Model):
    """In the place of the critic: the mean of a convolution with a slope that isn't constant."""

    def __init__(self, crop_size=32, normalization="none", **kwargs):
        super().__init__(**kwargs)
        self.crop_size, self.normalization = crop_size, normalization
        convolution = layers.Convolution(8, strides=2)
        spectral = normalization == SPECTRAL
        self.convolution = compat.spectral_normalization(convolution) if spectral else convolution

    def build(self, input_shape=None):
        del input_shape
        self.convolution.build((None, None, None, 3))
        compat.set_built(self)

    def call(self, x, training=False):
        return tf.reduce_mean(tf.tanh(self.convolution(x)), [1, 2, 3])[:, None]

    def get_config(self):
        return {"crop_size": self.crop_size, "normalization": self.normalization}


def stand_in(monkeypatch):
    """Adds it to the networks, so that it is saved, loaded and enlarged with, and has trainings
    train it and its critic.
    """
    from ttsr_tf import models
    from ttsr_tf.training import run

    monkeypatch.setitem(models.MODELS, "one_convolution", OneConvolution.__name__)
    monkeypatch.setitem(sys.modules, f"{models.__name__}.one_convolution", sys.modules[__name__])
    monkeypatch.setattr(
        run, "model_class", lambda _: lambda *, dtype, **_: OneConvolution(dtype=dtype)
    )
    monkeypatch.setattr(run, "Critic", OneConvolutionCritic)
