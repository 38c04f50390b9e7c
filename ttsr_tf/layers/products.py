"""Products of matrices in full float32, also where a GPU rounds what it multiplies."""

import tensorflow as tf

from ttsr_tf import devices

_LAST_13_BITS = 2**13 - 1  # of a float32's fraction, which TensorFloat-32 lacks


def float32_product(a, b, *, transpose_b=False):
    """As `tf.matmul`, but TensorFloat-32 doesn't round the factors.

    There each is split into what TensorFloat-32 holds and the rest, and three products are added
    (Ootomo and Yokota, Recovering single precision accuracy from Tensor Cores while surpassing the
    FP32 theoretical peak performance, 2022; without the correction of the accumulation), since
    TensorFlow can switch it off only for a whole process. Where the graph is made decides, not
    where it runs.

    Args:
        a, b: float32 [..., m, k] and [..., k, n].
        transpose_b: whether `b` is [..., n, k].

    Returns:
        float32 [..., m, n].
    """
    if not devices.has_tensor_float_32():
        return tf.matmul(a, b, transpose_b=transpose_b)
    (a, rest_of_a), (b, rest_of_b) = _split(a), _split(b)
    small = tf.matmul(a, rest_of_b, transpose_b=transpose_b)
    small += tf.matmul(rest_of_a, b, transpose_b=transpose_b)
    return tf.matmul(a, b, transpose_b=transpose_b) + small


def _split(x):
    """Into a tensor without the last bits, and the rest."""
    bits = tf.bitcast(x, tf.int32)
    coarse = tf.bitcast(tf.bitwise.bitwise_and(bits, ~_LAST_13_BITS), tf.float32)
    return coarse, x - coarse
