"""What enlarging a picture will take, before it is begun."""

import math
import time

import psutil
import tensorflow as tf

_LTE_FLOPS = 224_640  # a pixel: the five convolutions of the texture extractor

# Bytes, as measured by benchmarks/memory.py.
_FIXED = 0.76 * 2**30  # TensorFlow, weights, the matching
_A_PIXEL_OF_REF = 520  # its maps
_ENCODING = 1_000  # beside them, for each pixel of the largest reference
_A_PIXEL_OF_LR = 36_000  # the backbone at ×4


def memory(lr_size, ref_sizes):
    """About the bytes that enlarging in one piece takes at its peak, TensorFlow included.

    Args:
        lr_size: (height, width) in pixels.
        ref_sizes: list of them.
    """
    refs = [math.prod(size) for size in ref_sizes]
    at_once = max(_ENCODING * max(refs), _A_PIXEL_OF_LR * math.prod(lr_size))
    return _FIXED + _A_PIXEL_OF_REF * sum(refs) + at_once


def seconds(model, lr_size, ref_sizes):
    """About the time that enlarging takes here, from the speed of a matrix product."""
    queries = math.prod(lr_size)
    keys = sum((height // 4) * (width // 4) for height, width in ref_sizes)
    n, (shallow, x1, x2, x4) = model.num_features, model.num_residual_blocks
    convs = 2 * (shallow + x1 + 5 * x2 + 21 * x4) + 150  # of n×n channels, in areas of LR
    flops = (
        2 * 256 * queries * keys
        + 18 * n**2 * convs * queries
        + _LTE_FLOPS * 16 * (queries + 2 * keys)
    )
    return flops / _flops_per_second()


def allowed_memory(memory_gb=None):
    """Bytes that the process may take: `memory_gb` GiB, or most of what is free."""
    if memory_gb is not None:
        return 2**30 * memory_gb
    return _FIXED + 0.8 * psutil.virtual_memory().available


def _flops_per_second(side=1024, efficiency=0.7):
    x = tf.ones([side, side])
    tf.matmul(x, x)
    start = time.perf_counter()
    tf.matmul(x, x).numpy()
    return efficiency * 2 * side**3 / (time.perf_counter() - start)
