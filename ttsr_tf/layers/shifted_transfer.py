"""Hard attention by matches that were aligned: pasted patches begin at any pixel."""

import keras
import tensorflow as tf

from ttsr_tf.layers import portable
from ttsr_tf.layers.alignment import REACH, SHIFTS, SIDE


@keras.saving.register_keras_serializable("ttsr_tf")
class ShiftedTransfer(keras.layers.Layer):
    """Pastes the matched and shifted patches of a scale and takes their mean, as `Transfer` does.

    A shift counts pixels at ×4; at ×2 half of it, towards zero, and nothing at ×1. Where a patch
    leaves the value, it has zeros.

    Args:
        scale: 1, 2 or 4; how much finer the value is than the map that was matched.

    Inputs: value [B, scale·h, scale·w, C], or up to scale - 1 rows and columns more;
    index, int [B, H, W], as of `Alignment`; where it is -1, nothing is pasted.
    Output: textures [B, scale·H, scale·W, C].
    """

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.supports_jit = False  # XLA has no segment_mean
        self.input_spec = [keras.layers.InputSpec(ndim=n) for n in (4, 3)]
        self.scale = scale

    def call(self, inputs):
        value, index = inputs
        index = tf.cast(index, tf.int32)
        scale, channels = self.scale, value.shape[-1]
        batch, height, width = tf.unstack(tf.shape(index))
        value_height, value_width = tf.unstack(tf.shape(value)[1:3] // scale)
        value = value[:, : scale * value_height, : scale * value_width]
        # A patch reaches one block beyond its centre's, and its shift into one more.
        border = 2 * scale
        value = tf.pad(value, [[0, 0], [border, border], [border, border], [0, 0]])
        pitch, count = tf.shape(value)[2], tf.reduce_prod(tf.shape(value)[1:3])

        # The first pixel of each position's block in `value`; 0, in the border, for none.
        index, shift = index // SHIFTS, index % SHIFTS
        down, right = (self._pixels(n) for n in (shift // SIDE, shift % SIDE))
        row = index // value_width * scale + border + down
        column = index % value_width * scale + border + right
        first = tf.where(index >= 0, row * pitch + column, -count)
        first = tf.pad(first, [[0, 0], [1, 1], [1, 1]], constant_values=-count)
        # Of every position's nine neighbours: what the patch of each has for this position.
        rows, columns = (tf.range(n)[:, None] + [2, 1, 0] for n in (height, width))
        neighbours = rows[:, None, :, None] * (width + 2) + columns[:, None, :]  # [H, W, 3, 3]
        sources = tf.gather(tf.reshape(first, [batch, -1]), neighbours, axis=1)
        shifts = scale * tf.constant([-1, 0, 1])
        sources = tf.reshape(sources + shifts[:, None] * pitch + shifts, [batch, height, width, 9])
        within = tf.range(scale)[:, None] * pitch + tf.range(scale)  # the block's own pixels
        sources = sources[:, :, :, None] + tf.reshape(within, [-1, 1])  # [B, H, W, scale², 9]
        sources = tf.maximum(sources, 0) + (tf.range(batch) * count)[:, None, None, None, None]

        rows = tf.reshape(value, [-1, channels])
        if portable.wanted():
            of_rows = tf.reshape(sources, [batch, height * width, scale**2, 9])
            textures = portable.mean_of_nine(rows, of_rows)
        else:
            places = tf.repeat(tf.range(batch * height * width * scale**2), 9)
            textures = tf.sparse.segment_mean(rows, tf.reshape(sources, [-1]), places)
        textures = tf.reshape(textures, [batch, height, width, scale**2 * channels])
        return tf.nn.depth_to_space(textures, scale) if scale > 1 else textures

    def _pixels(self, step):
        """Of this scale, of a step from 0 to 4."""
        return tf.cast(tf.cast(step - REACH, tf.float32) * (self.scale / 4), tf.int32)

    def compute_output_shape(self, input_shape):
        value, (batch, *size) = input_shape
        return (batch, *(n if n is None else self.scale * n for n in size), value[-1])

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
