"""Matching and transfer: the plain form, the streamed form and the bare matrix product.

python benchmarks/matching.py [--sizes=40x40,125x83] [--plot=matching.png]

Medians of one run, the forms in turns; and the peak memory of a fresh process above its inputs.
The plain form unfolds patches for the transfer too, as the paper writes it; it is left out where
its memory would exceed what is free. "product" multiplies the same vectors once, in blocks: the
least that an exact search could take.
"""

import dataclasses
import math
import statistics
import subprocess
import sys
import time

from ttsr_tf import cli

cli.start_tensorflow()  # before others import it loudly

# isort: split
import numpy as np
import picture_sizes
import plots
import psutil
import tensorflow as tf
from process_memory import peak

from ttsr_tf import layers
from ttsr_tf.configuration import Configuration, integer, string
from ttsr_tf.images import files

_CHANNELS = (256, 128, 64)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is measured."""

    sizes: str = string("40x40,80x80,125x83,160x160,256x256", "Of query and key: HxW,HxW,…")
    runs: int = integer(5, "Of each; the median counts.", lower_bound=1)
    plot: str | None = string(None, "Picture of time and memory against size, to write.")
    measure: str | None = string(None, "FORM:HxW, whose memory to measure here.")


def main(config):
    sizes = config.sizes.split(",")
    for size in sizes:
        picture_sizes.parsed("sizes", size)
    if config.measure:
        form, size = config.measure.split(":")
        inputs = _inputs(size)
        before = peak()
        tf.function(_FORMS[form])(*inputs)
        print(peak() - before)
        return
    if config.plot:
        files.check_output(config.plot)
    pyplot = plots.pyplot() if config.plot else None
    columns = ["plain, s", "streamed, s", "product, s", "plain/streamed", "streamed/product"]
    columns += ["plain, MiB", "streamed, MiB"]
    print(f"| query, key | {' | '.join(columns)} |\n{'|---' * (len(columns) + 1)}|", flush=True)
    rows = [_row(size, config.runs) for size in sizes]
    if len(rows) > 1:
        for name in ("streamed, s", "product, s", "streamed, MiB"):
            known = np.log([(row["positions"], row[name]) for row in rows])
            power = np.polyfit(*known.T, 1)[0]
            print(f"{name}: grows as the positions to the power {power:.2f}")
    if pyplot:
        _plot(pyplot, rows, sizes).savefig(config.plot, dpi=100)


def _row(size, runs):
    """Measures and prints one size: a dict from what to a number, nan where too large."""
    height, width = picture_sizes.parsed("sizes", size)
    positions = height * width
    fits = 8 * positions**2 + 166_000 * positions < psutil.virtual_memory().available
    forms = [form for form in _FORMS if fits or form != "plain"]
    row = {"positions": positions, "plain, s": math.nan, "plain, MiB": math.nan}
    row.update({f"{form}, s": s for form, s in _seconds(forms, _inputs(size), runs).items()})
    row.update({f"{form}, MiB": _memory(form, size) for form in forms if form != "product"})
    cells = [f"{row[f'{form}, s']:.3f}" for form in _FORMS]
    cells.append(f"{row['plain, s'] / row['streamed, s']:.1f}")
    cells.append(f"{row['streamed, s'] / row['product, s']:.1f}")
    cells += [f"{row[f'{form}, MiB']:.0f}" for form in ("plain", "streamed")]
    print(f"| {size} | {' | '.join(cells)} |".replace("nan", "–"), flush=True)
    return row


def _inputs(size):
    height, width = picture_sizes.parsed("sizes", size)
    rng = tf.random.Generator.from_seed(0)
    query, key = (tf.nn.relu(rng.normal([1, height, width, 256])) for _ in range(2))
    value = [
        rng.normal([1, s * height, s * width, c]) for s, c in zip((1, 2, 4), _CHANNELS, strict=True)
    ]
    return query, key, value


def _seconds(forms, inputs, runs):
    """Medians: a dict by form. In turns, since a machine's speed changes."""
    functions = {form: tf.function(_FORMS[form]) for form in forms}
    seconds = {form: [] for form in forms}
    for run in range(runs + 1):
        for form, function in functions.items():
            start = time.perf_counter()
            tf.nest.map_structure(lambda x: x.numpy(), function(*inputs))
            if run > 0:  # the first one traces
                seconds[form].append(time.perf_counter() - start)
    return {form: statistics.median(values) for form, values in seconds.items()}


def _memory(form, size):
    command = [sys.executable, __file__, f"--measure={form}:{size}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def _plot(pyplot, rows, sizes):
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 4), layout="constrained")
    positions = [row["positions"] for row in rows]
    for panel, unit in zip(axes, ("s", "MiB"), strict=True):
        for form in _FORMS:
            if f"{form}, {unit}" in rows[0]:
                panel.loglog(positions, [row[f"{form}, {unit}"] for row in rows], "o-", label=form)
        panel.set(xlabel="query and key", ylabel=unit)
        panel.minorticks_off()
        panel.set_xticks(positions, [size.replace("x", "×") for size in sizes])
        panel.grid(alpha=0.3)
        panel.legend()
    return figure


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


def _product(query, key, value, *, block=4096):
    del value
    query, key = (tf.reshape(x, [-1, 256]) for x in (query, key))
    count = math.ceil(query.shape[0] / block)
    best = [
        tf.reduce_sum(tf.matmul(query[i * block : (i + 1) * block], key, transpose_b=True)[:, 0])
        for i in range(count)
    ]
    return tf.add_n(best)


_FORMS = {"plain": _plain, "streamed": _streamed, "product": _product}

if __name__ == "__main__":
    cli.run(Config, main)
