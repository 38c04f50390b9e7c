"""Relevance: for every patch of the query, the best match among the key's."""

import keras
import tensorflow as tf


class Relevance(keras.layers.Layer):
    """Best match by normalised inner product of 3×3 patches (paper, section 3.2, equations 2–4).

    No gradient flows through `index`; it flows through `confidence` into query and key. Always
    computes in float32.

    Inputs: query [B, H, W, C] and key [B, h, w, C], sizes independent.
    Outputs: index, int32 [B, H, W]: the row-major position in the key, the first one on a tie;
    confidence, float32 [B, H, W, 1] in [-1, 1].
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, inputs):
        query, key = inputs
        similarity = tf.matmul(_patches(query), _patches(key), transpose_b=True)  # [B, H·W, h·w]
        shape = tf.shape(query)[:3]
        index = tf.reshape(tf.argmax(similarity, -1, output_type=tf.int32), shape)
        confidence = tf.reshape(tf.reduce_max(similarity, -1), shape)[..., None]
        return index, confidence

    def compute_output_shape(self, input_shape):
        size = tuple(input_shape[0][:3])
        return size, (*size, 1)


def _patches(x):
    """Unit 3×3 patches of a zero-padded map: [B, H, W, C] → [B, H·W, 9·C]."""
    x = tf.image.extract_patches(x, [1, 3, 3, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME")
    x = tf.reshape(x, [tf.shape(x)[0], -1, x.shape[-1]])
    return tf.math.l2_normalize(x, axis=-1, epsilon=1e-24)  # norms below 1e-12 count as 1e-12
