"""Matching and transfer: the plain form, the streamed form and the bare matrix product.

python benchmarks/matching.py [--sizes=40x40,125x83]

Medians of one run. The plain form unfolds patches for the transfer too, as the paper writes it; it
is left out where its memory would exceed what is free. "product" multiplies the same vectors once,
in blocks: the least that an exact search could take.
"""

import math
import statistics
import time

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import numpy as np
import psutil
import tensorflow as tf
from absl import flags

from ttsr_tf import layers

_SIZES = flags.DEFINE_list(
    "sizes", ["40x40", "80x80", "125x83", "160x160", "256x256"], "Of query and key: HxW."
)
_RUNS = flags.DEFINE_integer("runs", 3, "Of each; the median counts.", lower_bound=1)
_CHANNELS = (256, 128, 64)


def main():
    print(
        "| query, key | plain, s | streamed, s | product, s | plain/streamed | streamed/product |"
    )
    print("|---|---|---|---|---|---|")
    measured = []
    for size in _SIZES.value:
        height, width = map(int, size.split("x"))
        plain, streamed, product = _measure(height, width)
        ratio = f"{plain / streamed:.1f}" if plain else "–"
        print(
            f"| {height}×{width} | {f'{plain:.3f}' if plain else 'too large'} | {streamed:.3f} | "
            f"{product:.3f} | {ratio} | {streamed / product:.1f} |",
            flush=True,
        )
        measured.append((height * width, streamed, product))
    if len(measured) > 1:
        positions, streamed, product = np.log(np.array(measured)).T
        for name, seconds in (("streamed", streamed), ("product", product)):
            power = np.polyfit(positions, seconds, 1)[0]
            print(f"{name}: time grows as positions to the power {power:.2f}")


def _measure(height, width):
    rng = tf.random.Generator.from_seed(0)
    query, key = (tf.nn.relu(rng.normal([1, height, width, 256])) for _ in range(2))
    value = [
        rng.normal([1, s * height, s * width, c]) for s, c in zip((1, 2, 4), _CHANNELS, strict=True)
    ]
    positions = height * width
    needed = 4 * positions**2 + 83_000 * 2 * positions
    plain = None
    if 2 * needed < psutil.virtual_memory().available:
        plain = _seconds(tf.function(_plain), query, key, value)
    return (
        plain,
        _seconds(tf.function(_streamed), query, key, value),
        _seconds(tf.function(_product), query, key),
    )


def _seconds(function, *inputs):
    function(*inputs)
    seconds = []
    for _ in range(_RUNS.value):
        start = time.perf_counter()
        tf.nest.map_structure(lambda x: x.numpy(), function(*inputs))
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _streamed(query, key, value):
    index, confidence = layers.Relevance()([query, key])
    return confidence, [
        layers.Transfer(s)([x, index]) for s, x in zip((1, 2, 4), value, strict=True)
    ]


def _plain(query, key, value):
    index, confidence = layers.Relevance("patches")([query, key])
    return confidence, [_fold(x, index, s) for s, x in zip((1, 2, 4), value, strict=True)]


def _fold(value, index, scale):
    """Unfolds the value's patches, gathers them and adds them up."""
    side, channels = 3 * scale, value.shape[-1]
    height, width = index.shape[1:]
    padded = tf.pad(value, [[0, 0], [scale, scale], [scale, scale], [0, 0]])
    patches = tf.image.extract_patches(
        padded, [1, side, side, 1], [1, scale, scale, 1], [1, 1, 1, 1], "VALID"
    )
    patches = tf.reshape(patches, [1, -1, side * side * channels])
    patches = tf.gather(patches, index, batch_dims=1)
    patches = tf.reshape(patches, [height, width, 3, scale, 3, scale, channels])
    total = tf.zeros([height + 2, scale, width + 2, scale, channels])
    for dy in range(3):
        for dx in range(3):
            part = tf.transpose(patches[:, :, dy, :, dx], [0, 2, 1, 3, 4])
            margins = [[dy, 2 - dy], [0, 0], [dx, 2 - dx], [0, 0], [0, 0]]
            total += tf.pad(part, margins)
    return tf.reshape(total[1:-1, :, 1:-1], [1, scale * height, scale * width, channels]) / 9


def _product(query, key, block=4096):
    query, key = (tf.reshape(x, [-1, 256]) for x in (query, key))
    count = math.ceil(query.shape[0] / block)
    best = [
        tf.reduce_sum(tf.matmul(query[i * block : (i + 1) * block], key, transpose_b=True)[:, 0])
        for i in range(count)
    ]
    return tf.add_n(best)


if __name__ == "__main__":
    cli.run(main)
