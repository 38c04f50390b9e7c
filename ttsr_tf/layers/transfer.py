"""Hard attention: gathers the reference's textures to where they match."""

import keras
import tensorflow as tf


class Transfer(keras.layers.Layer):
    """Pastes the matched patches of one scale and divides by 9 (paper, section 3.2, equation 4).

    A position of the ×1 map owns a patch of 3·scale pixels, cut from the zero-padded value, so
    pasted patches overlap nine times, and fewer at the border, where the result is darker: the
    released weights expect it.

    Args:
        scale: 1, 2 or 4; how much finer the value is than the map that was matched.

    Inputs: value [B, scale·h, scale·w, C]; index, int [B, H, W], positions in h·w, row-major.
    Output: textures [B, scale·H, scale·W, C].
    """

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs):
        value, index = inputs
        s, channels = self.scale, value.shape[-1]
        batch, height, width = tf.unstack(tf.shape(index))
        padded = tf.pad(value, [[0, 0], [s, s], [s, s], [0, 0]])
        patches = tf.image.extract_patches(
            padded, [1, 3 * s, 3 * s, 1], [1, s, s, 1], [1, 1, 1, 1], "VALID"
        )
        patches = tf.reshape(patches, [batch, -1, 3 * s * 3 * s * channels])
        matched = tf.gather(patches, tf.reshape(index, [batch, -1]), batch_dims=1)
        matched = tf.reshape(matched, [batch, height, width, 3 * s * 3 * s * channels])
        matched = tf.pad(matched, [[0, 0], [1, 1], [1, 1], [0, 0]])
        matched = tf.reshape(matched, [batch, height + 2, width + 2, 3, s, 3, s, channels])
        # A patch's block (row, column) lands `row - 1, column - 1` positions from its centre.
        blocks = [
            matched[:, 2 - row : 2 - row + height, 2 - col : 2 - col + width, row, :, col]
            for row in range(3)
            for col in range(3)
        ]
        textures = tf.add_n(blocks) / 9  # [B, H, W, s, s, C]
        textures = tf.transpose(textures, [0, 1, 3, 2, 4, 5])
        return tf.reshape(textures, [batch, s * height, s * width, channels])

    def compute_output_shape(self, input_shape):
        value, (batch, *size) = input_shape
        return (batch, *(n if n is None else self.scale * n for n in size), value[-1])

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
