"""What training minimises."""

import tensorflow as tf


def reconstruction(hr, sr):
    """Mean absolute difference of two float tensors [B, H, W, 3] (paper, equation 7)."""
    return tf.reduce_mean(tf.abs(tf.cast(hr, tf.float32) - tf.cast(sr, tf.float32)))
