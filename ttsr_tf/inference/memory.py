"""What enlarging a picture will take, before it is begun; the network is asked for its share."""

import functools
import math
import time
from typing import NamedTuple

import numpy as np
import psutil

from ttsr_tf import clusters
from ttsr_tf.inference import containers

_ITSELF = 0.1 * 2**30  # bytes more, where LR's own maps are matched at every scale


class Costs(NamedTuple):
    """What an engine takes, as measured by benchmarks/memory.py.

    Attributes:
        fixed: bytes of the process with weights and the matching.
        encoding: bytes while a reference is encoded, for each of its pixels.
        synthesis: how many times the network's `bytes_per_pixel`.
        held: whether the last picture's memory is still held while a reference is encoded.
    """

    fixed: float
    encoding: float
    synthesis: float
    held: bool


TENSORFLOW = Costs(0.76 * 2**30, 1_450, 1, held=False)
LITERT = Costs(0.18 * 2**30, 1_450, 3.2, held=True)

_EFFICIENCY = 0.7  # of a network, beside a matrix product


def needed(model, lr_size, ref_sizes):
    """About the bytes that enlarging in one piece takes at its peak, all of the process.

    Args:
        model: a network (see `ttsr_tf.models`).
        lr_size: (height, width) in pixels.
        ref_sizes: list of them; empty: without a reference, where what is matched with LR instead
            is four times as large as LR.
    """
    refs = [math.prod(size) for size in ref_sizes] or [16 * math.prod(lr_size)]
    coarse, middle, fine = model.value_channels
    # Value and key, for each pixel.
    kept = 4 * (fine + middle / 4 + (coarse + model.query_channels) / 16)
    costs = _costs(model)
    synthesis = 16 * costs.synthesis * model.bytes_per_pixel * math.prod(lr_size)
    queries, keys = math.prod(lr_size), max(refs) // 16
    if model.fast and clusters.used(queries, keys):
        synthesis = max(synthesis, clusters.memory(queries, keys))
    fixed = costs.fixed if ref_sizes else costs.fixed + _ITSELF
    encoding = costs.encoding * max(refs)
    both = encoding + synthesis if costs.held else max(encoding, synthesis)
    return fixed + kept * sum(refs) + both


def seconds(model, lr_sizes, ref_sizes):
    """About the time that enlarging takes here, from the speed of a matrix product.

    Args:
        model: a network (see `ttsr_tf.models`).
        lr_sizes: list of (height, width): of every tile with its surroundings.
        ref_sizes: list of (height, width); references are encoded once.
    """
    encoding = model.flops((0, 0), ref_sizes) / _flops_per_second(model)
    return encoding + sum(seconds_of_tile(model, size, ref_sizes) for size in lr_sizes)


def seconds_of_tile(model, lr_size, ref_sizes):
    """The same of one tile, (height, width) with its surroundings, without the encoding."""
    own = model.flops(lr_size, ref_sizes) - model.flops((0, 0), ref_sizes)
    return own / _flops_per_second(model)


def allowed(memory_gb=None, model=None):
    """Bytes that the process may take: `memory_gb` GiB, or most of what is free, on a GPU too, and
    what the model's engine takes already.
    """
    if memory_gb is not None:
        return 2**30 * memory_gb
    costs, limits = _costs(model), [psutil.virtual_memory().available, containers.available()]
    if costs is TENSORFLOW:
        from ttsr_tf import devices

        limits.append(devices.gpu_memory())
    return costs.fixed + 0.8 * min(limit for limit in limits if limit is not None)


def _costs(model):
    return getattr(model, "costs", TENSORFLOW)  # networks of Keras have none of their own


def _flops_per_second(model):
    if _costs(model) is LITERT:
        return _EFFICIENCY * _of_numpy()
    from ttsr_tf import devices

    return _EFFICIENCY * devices.flops_per_second()


@functools.cache
def _of_numpy(side=1024):
    x = np.ones([side, side], np.float32)
    x @ x
    start = time.perf_counter()
    x @ x
    return 2 * side**3 / (time.perf_counter() - start)
