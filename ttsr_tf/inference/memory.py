"""What enlarging a picture will take, before it is begun; the network is asked for its share."""

import math

import psutil

from ttsr_tf.inference import containers

# Bytes, as measured by benchmarks/memory.py.
_FIXED = 0.76 * 2**30  # TensorFlow, weights, the matching
_ENCODING = 1_450  # while a reference is encoded, for each of its pixels
_ITSELF = 0.1 * 2**30  # more, where LR's own maps are matched at every scale

_EFFICIENCY = 0.7  # of a network, beside a matrix product


def needed(model, lr_size, ref_sizes):
    """About the bytes that enlarging in one piece takes at its peak, TensorFlow included.

    Args:
        model: a network (see `ttsr_tf.models`).
        lr_size: (height, width) in pixels.
        ref_sizes: list of them; empty: without a reference, where what is matched with LR instead
            is four times as large as LR.
    """
    refs = [math.prod(size) for size in ref_sizes] or [16 * math.prod(lr_size)]
    coarse, middle, fine = model.value_channels
    kept = 4 * (
        fine + middle / 4 + (coarse + model.query_channels) / 16
    )  # value and key, for each pixel
    synthesis = 16 * model.bytes_per_pixel * math.prod(lr_size)
    fixed = _FIXED if ref_sizes else _FIXED + _ITSELF
    return fixed + kept * sum(refs) + max(_ENCODING * max(refs), synthesis)


def seconds(model, lr_sizes, ref_sizes):
    """About the time that enlarging takes here, from the speed of a matrix product.

    Args:
        model: a network (see `ttsr_tf.models`).
        lr_sizes: list of (height, width): of every tile with its surroundings.
        ref_sizes: list of (height, width); references are encoded once.
    """
    encoding = model.flops((0, 0), ref_sizes) / _flops_per_second()
    return encoding + sum(seconds_of_tile(model, size, ref_sizes) for size in lr_sizes)


def seconds_of_tile(model, lr_size, ref_sizes):
    """The same of one tile, (height, width) with its surroundings, without the encoding."""
    own = model.flops(lr_size, ref_sizes) - model.flops((0, 0), ref_sizes)
    return own / _flops_per_second()


def allowed(memory_gb=None):
    """Bytes that the process may take: `memory_gb` GiB, or most of what is free, on a GPU too."""
    if memory_gb is not None:
        return 2**30 * memory_gb
    from ttsr_tf import devices  # with TensorFlow, which is there when anything is enlarged

    limits = psutil.virtual_memory().available, containers.available(), devices.gpu_memory()
    return _FIXED + 0.8 * min(limit for limit in limits if limit is not None)


def _flops_per_second():
    from ttsr_tf import devices

    return _EFFICIENCY * devices.flops_per_second()
