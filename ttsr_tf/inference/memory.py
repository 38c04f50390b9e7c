"""What enlarging a picture will take, before it is begun; the network is asked for its share."""

import functools
import math
import time
from typing import NamedTuple

import numpy as np
import psutil

from ttsr_tf import clusters
from ttsr_tf.inference import containers
from ttsr_tf.inference.bands import MOST

KEPT = 2**13  # pixels of LR up to which LiteRT keeps its memory for the next picture
_TENSORS = 2  # times the values: TensorFlow's allocator copies them, and gives nothing back
_HOLES = 1.25  # times a tile's memory: earlier ones leave holes in it
_ITSELF = 0.1 * 2**30  # bytes more, where LR's own maps are matched at every scale


class Costs(NamedTuple):
    """What an engine takes, as measured by benchmarks/memory.py.

    Attributes:
        fixed: bytes of the process with weights and the matching.
        encoding: bytes while a reference is encoded, beside what is made, for each of its pixels
            that are encoded at once.
        value: bytes of each value of a reference, holes in the allocator's memory among them.
        synthesis: how many times the network's `bytes_per_pixel`.
        held: up to how many of LR's pixels the last picture's memory is still held.
    """

    fixed: float
    encoding: float
    value: float
    synthesis: float
    held: int


TENSORFLOW = Costs(0.85 * 2**30, 1_450, 4.8, 1, held=0)
LITERT = Costs(0.075 * 2**30, 1_080, 4, 3.05, held=KEPT)

_EFFICIENCY = 0.7  # of a network, beside a matrix product


def needed(model, lr_size, ref_sizes, *, tile=None, encoded=False):
    """About the bytes that enlarging takes at its peak, all of the process.

    Args:
        model: a network (see `ttsr_tf.models`).
        lr_size: (height, width) in pixels.
        ref_sizes: list of them; empty: without a reference, where what is matched with LR instead
            is four times as large as LR.
        tile: (height, width) of the largest tile with its surroundings; default: one piece.
        encoded: whether all references are in memory, keys and values; else first the keys are,
            then the values.
    """
    costs, pixels = _costs(model), math.prod(lr_size)
    refs = [math.prod(size) for size in ref_sizes] or [16 * pixels]
    synthesis = 16 * costs.synthesis * model.bytes_per_pixel
    tile = tile or lr_size
    of_tile = synthesis * math.prod(tile)
    if costs is TENSORFLOW and math.prod(tile) < pixels:
        of_tile *= _HOLES
    held = of_tile if pixels <= costs.held else 0
    coarse, middle, fine = model.value_channels
    # Of a reference's pixel.
    of_key = 4 * model.query_channels / 16
    of_value = costs.value * (fine + middle / 4 + coarse / 16)
    halved = sum(ref for ref in refs if ref > MOST) / 2 if model.fast and costs is LITERT else 0
    band = min(max(refs), MOST)
    keys = of_key * (sum(refs) if encoded else max(refs))
    values = of_value * (sum(refs) - halved)
    searching = keys + 4 * model.query_channels * pixels
    searching += max(
        costs.encoding * band,
        of_key * max(refs) + _searching(model, pixels, max(refs) // 16),
    )
    evaluating = values + costs.encoding * band
    if costs is TENSORFLOW and max(refs) > MOST:
        evaluating += _TENSORS * values
    kept = values if encoded else 0
    synthesising = of_tile
    if encoded:
        synthesising += keys + values
    elif costs is TENSORFLOW or math.prod(tile) < pixels:  # else they are given back before
        synthesising += values
    phases = held + kept + searching, held + evaluating, synthesising
    fixed = costs.fixed if ref_sizes else costs.fixed + _ITSELF
    return fixed + max(phases)


def _searching(model, queries, keys):
    """Of a search, the bytes beside its padded key."""
    return clusters.memory(queries, keys) if model.fast and clusters.used(queries, keys) else 0


def seconds(model, lr_size, ref_sizes, *, tile_sizes=None):
    """About the time that enlarging takes here, from the speed of a matrix product.

    Args:
        model: a network (see `ttsr_tf.models`).
        lr_size: (height, width) in pixels.
        ref_sizes: list of them, of the references.
        tile_sizes: list of them, of every tile with its surroundings; default: one piece.
    """
    encoding = model.flops((0, 0), ref_sizes) / _flops_per_second(model)
    of_tiles = sum(seconds_of_tile(model, tile, ref_sizes) for tile in tile_sizes or [lr_size])
    return encoding + seconds_of_search(model, lr_size, ref_sizes) + of_tiles


def seconds_of_search(model, lr_size, ref_sizes):
    """The same of where the references are searched; 0 without any."""
    if not ref_sizes:
        return 0
    others = model.flops(lr_size, [(0, 0)]) + model.flops((0, 0), ref_sizes)
    return (model.flops(lr_size, ref_sizes) - others) / _flops_per_second(model)


def seconds_of_tile(model, lr_size, ref_sizes):
    """The same of one tile, (height, width) with its surroundings, when the search is done."""
    flops = model.flops(lr_size, [(0, 0)] if ref_sizes else [])
    return flops / _flops_per_second(model)


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
