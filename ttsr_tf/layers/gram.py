"""Gram matrices: which channels of a map go together, wherever that is."""

import tensorflow as tf

from ttsr_tf.layers.vgg19 import ACTIVATION_SCALE


def gram_distance(a, b):
    """The mean squared difference of Gram matrices, over four times the squared number of values.

    Args:
        a, b: 1/57.63 of VGG19's maps, [B, H, W, C].

    Returns:
        A float32 scalar, as for VGG19's own maps (Gatys et al. 2016, equation 4).
    """
    return tf.reduce_mean(tf.math.squared_difference(_gram(a), _gram(b))) / 4


def _gram(x):
    """Inner products of the channels, over the number of values: [B, H, W, C] → [B, C, C]."""
    batch, height, width = tf.unstack(tf.shape(x)[:3])
    channels = x.shape[-1]
    x = ACTIVATION_SCALE * tf.reshape(tf.cast(x, tf.float32), [batch, -1, channels])
    return tf.matmul(x, x, transpose_a=True) / tf.cast(height * width * channels, tf.float32)
