"""Alignment: where exactly, between the positions of the ×1 map, a match's patch fits best."""

import keras
import tensorflow as tf

from ttsr_tf.layers import portable

REACH = 2  # pixels at ×4: half of a step of the ×1 map
SIDE = 2 * REACH + 1
SHIFTS = SIDE**2
CHANNELS = 48  # of a picture's blocks of 4×4 pixels

_STEP = 2  # every other pixel says enough: both pictures were enlarged four times
_COUNT = 3 * (12 // _STEP) ** 2  # values of a patch that are compared
_EPSILON = 1e-3  # of a patch's squared differences from its mean: less than a level each


@keras.saving.register_keras_serializable("ttsr_tf")
class Alignment(keras.layers.Layer):
    """Of the shifts by up to two pixels, the one with which a match agrees best (not in the paper).

    Positions of the ×1 map lie four pixels apart, and so a transferred texture up to two pixels
    beside where it belongs, twice the width of what it could show. Compared are the patches of
    12×12 pixels that are pasted, of the enlarged small picture and of the reduced and enlarged
    reference: their correlation, over all colours. No shift where nothing is better. No gradient
    flows through. Always computes in float32.

    Inputs: query [B, H, W, 48] and key [B, h, w, 48], float pictures of four times the size, as
    `tf.nn.space_to_depth(picture, 4)`, key from 3×3; index, int32 [B, H, W], row-major positions
    in the key.
    Output: int32 [B, H, W]: 25·index + 5·(2 + dy) + 2 + dx, for a shift by dy and dx pixels.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.supports_jit = False  # XLA would want every size known
        self.input_spec = [keras.layers.InputSpec(ndim=n) for n in (4, 4, 3)]

    def call(self, inputs):
        query, key, index = inputs
        index = tf.cast(index, tf.int32)
        count, columns = tf.unstack(tf.shape(index)[1:])
        query = _bordered(query, 4)
        key = tf.nn.space_to_depth(_bordered(key, 8), 4)
        key_width = tf.shape(key)[2]
        width = key_width - 4
        corner = index // width * key_width + index % width
        blocks = tf.reshape(key, [tf.shape(key)[0], -1, CHANNELS])
        around = tf.range(5)[:, None] * key_width + tf.range(5)

        def shifts_of(row):
            own = _compared(query[:, 4 * row : 4 * row + 12], size=[1, columns], stride=4)
            at = tf.reshape(corner[:, row], [-1, columns, 1, 1]) + around
            near = tf.gather(blocks, at, batch_dims=1)
            near = tf.transpose(tf.reshape(near, [-1, 5, 5, 4, 4, 3]), [0, 1, 3, 2, 4, 5])
            near = _compared(tf.reshape(near, [-1, 20, 20, 3])[:, 2:, 2:], size=[5, 5])
            shift = _best(tf.reshape(own, [-1, _COUNT, 1]), tf.reshape(near, [-1, SHIFTS, _COUNT]))
            return tf.reshape(shift, tf.shape(index)[::2])

        # Row by row, since the surroundings of all positions would take much memory.
        if portable.wanted():
            shift = portable.rows_of(shifts_of, count)
        else:
            shift = tf.map_fn(shifts_of, tf.range(count), fn_output_signature=tf.int32)
        # As floats: of integers, oneDNN complains on stderr.
        shift = tf.transpose(tf.cast(shift, tf.float32), [1, 0, 2])
        aligned = index * SHIFTS + tf.cast(shift, tf.int32)
        aligned.set_shape(index.shape)  # not ensure_shape, which LiteRT's converter refuses
        return aligned

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[2])


def _bordered(blocks, pixels):
    """The picture, mirrored at its borders."""
    picture = tf.nn.depth_to_space(tf.stop_gradient(blocks), 4)
    return tf.pad(picture, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]], "SYMMETRIC")


def _compared(pictures, *, size, stride=1):
    """What stands for each 12×12 patch, every other of its pixels: [B, *size, 36, 3]."""
    height, width = (stride * (n - 1) + 1 for n in size)
    # Not by tf.image.extract_patches, which other runtimes don't have.
    pixels = [
        pictures[:, y : y + height : stride, x : x + width : stride]
        for y in range(0, 12, _STEP)
        for x in range(0, 12, _STEP)
    ]
    return tf.stack(pixels, 3)


def _best(own, near):
    """int32 [N], the shift of the largest correlation: of [N, 108, 1] with [N, 25, 108]."""
    own -= tf.reduce_mean(own, 1, keepdims=True)
    product = tf.squeeze(near @ own, -1)
    variance = tf.reduce_sum(near**2, -1) - tf.reduce_sum(near, -1) ** 2 / _COUNT
    score = product * tf.math.rsqrt(tf.maximum(variance, _EPSILON))
    best = tf.argmax(score, -1, output_type=tf.int32)
    none = SHIFTS // 2
    return tf.where(tf.reduce_max(score, -1) > score[:, none], best, none)
