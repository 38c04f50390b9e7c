"""What enlarging a picture will take, before it is begun."""

import time

import psutil
import tensorflow as tf

from ttsr_tf.errors import InputError

_LTE_FLOPS = 224_640  # a pixel: the five convolutions of the texture extractor


def memory(lr_size, ref_size):
    """About the bytes that enlarging allocates at its peak, TensorFlow's own included.

    Args:
        lr_size, ref_size: (height, width) in pixels.
    """
    lr, ref = (height * width for height, width in (lr_size, ref_size))
    # What was measured: TensorFlow and the matching; then whichever is larger, the texture
    # extractor on the reference or the backbone at ×4 beside the reference's maps.
    return 0.7 * 2**30 + max(1_500 * ref, 36_000 * lr + 500 * ref)


def seconds(model, lr_size, ref_size):
    """About the time that enlarging takes here, from the speed of a matrix product."""
    queries, keys = _positions(lr_size, ref_size)
    n, (shallow, x1, x2, x4) = model.num_features, model.num_residual_blocks
    convs = 2 * (shallow + x1 + 5 * x2 + 21 * x4) + 150  # of n×n channels, in areas of LR
    flops = (
        2 * 2304 * queries * keys
        + 18 * n**2 * convs * queries
        + _LTE_FLOPS * 16 * (queries + 2 * keys)
    )
    return flops / _flops_per_second()


def require_memory(needed):
    """Raises InputError if `needed` bytes are more than what is free."""
    free = psutil.virtual_memory().available
    if needed > free:
        raise InputError(
            f"This needs about {needed / 2**30:.1f} GiB of memory, {free / 2**30:.1f} GiB are "
            "free. Give a smaller --lr or --ref."
        )


def _positions(lr_size, ref_size):
    return lr_size[0] * lr_size[1], (ref_size[0] // 4) * (ref_size[1] // 4)


def _flops_per_second(side=1024, efficiency=0.7):
    x = tf.ones([side, side])
    tf.matmul(x, x)
    start = time.perf_counter()
    tf.matmul(x, x).numpy()
    return efficiency * 2 * side**3 / (time.perf_counter() - start)
