"""Hard attention: gathers the reference's textures to where they match."""

import keras
import tensorflow as tf


class Transfer(keras.layers.Layer):
    """Pastes the matched patches of one scale and divides by 9 (paper, section 3.2, equation 4).

    A position of the ×1 map owns a patch of 3·scale pixels, cut from the zero-padded value, so
    pasted patches overlap nine times, and fewer at the border, where the result is darker: the
    released weights expect it.

    With `value` folded to blocks of scale × scale, each of a patch's nine blocks is one gather at
    a shifted index; patches are never unfolded.

    Args:
        scale: 1, 2 or 4; how much finer the value is than the map that was matched.

    Inputs: value [B, scale·h, scale·w, C], or up to scale - 1 rows and columns more;
    index, int [B, H, W], positions in h·w, row-major; where it is -1, nothing is pasted.
    Output: textures [B, scale·H, scale·W, C].
    """

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs):
        value, index = inputs
        index = tf.cast(index, tf.int32)
        blocks, width = _blocks(value, self.scale)
        height_out, width_out = tf.shape(index)[1], tf.shape(index)[2]
        # Positions in `blocks`, which a border of zeros surrounds; 0 is in it, and stands for
        # patches whose centre lies outside of the picture.
        centre = (index // width + 1) * (width + 2) + index % width + 1
        nothing = tf.pad(index < 0, [[0, 0], [1, 1], [1, 1]], constant_values=True)
        total = tf.zeros([tf.shape(index)[0], height_out, width_out, blocks.shape[-1]], value.dtype)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                shifted = tf.pad(centre + dy * (width + 2) + dx, [[0, 0], [1, 1], [1, 1]])
                shifted = tf.where(nothing, 0, shifted)
                shifted = shifted[:, 1 - dy : 1 - dy + height_out, 1 - dx : 1 - dx + width_out]
                with tf.control_dependencies([total]):  # one gather alive at a time
                    total += tf.gather(blocks, shifted, batch_dims=1)
        return tf.nn.depth_to_space(total / 9, self.scale) if self.scale > 1 else total / 9

    def compute_output_shape(self, input_shape):
        value, (batch, *size) = input_shape
        return (batch, *(n if n is None else self.scale * n for n in size), value[-1])

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def _blocks(value, scale):
    """Blocks of scale × scale in a border of zeros: [B, (h + 2)·(w + 2), scale²·C]; and w."""
    batch, *size = tf.unstack(tf.shape(value)[:3])
    height, width = (n // scale for n in size)
    # Pixels beyond the last whole block belong to the border, as patches there reach them.
    bottom, right = (scale - n % scale for n in size)
    value = tf.pad(value, [[0, 0], [scale, bottom], [scale, right], [0, 0]])
    if scale > 1:
        value = tf.nn.space_to_depth(value, scale)
    return tf.reshape(value, [batch, (height + 2) * (width + 2), value.shape[-1]]), width
