"""A 3×3 convolution and its gradients in every form that `ttsr_tf.layers.convolved` chooses from.

python benchmarks/convolutions.py [--pictures=1] [--channels=64:64,128:64] [--sizes=160,40]

Billions of operations a second, the best of several runs: a product of matrices of the same number
of operations; the convolution as a picture's and as a volume's; its gradient by the input,
TensorFlow's and as a convolution with the turned kernel; that by the kernel, TensorFlow's and as
products. TF_ENABLE_ONEDNN_OPTS=0 or 1 in the environment sets the kernels.
"""

import dataclasses
import re
import time

from ttsr_tf import cli

cli.start_tensorflow()  # before others import it loudly

# isort: split
import tensorflow as tf

from ttsr_tf import processor
from ttsr_tf.configuration import Configuration, integer, string
from ttsr_tf.errors import InputError
from ttsr_tf.layers import convolved


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is timed."""

    pictures: int = integer(1, "Of a batch.", lower_bound=1)
    sizes: str = string("160,80,40", "Sides of the maps.")
    channels: str = string("64:64,128:64,256:256", "In and out.")
    runs: int = integer(9, "Of each; the best counts.", lower_bound=1)


def main(config):
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", config.sizes):
        raise InputError(f"`sizes`={config.sizes} must be such as 160,40.")
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*(,[1-9]\d*:[1-9]\d*)*", config.channels):
        raise InputError(f"`channels`={config.channels} must be such as 64:64,128:64.")
    print(f"oneDNN: {processor.uses_onednn()}, with AVX-512: {processor.has_avx512()}\n")
    names = "product", "2D", "3D", "by input", "turned", "by kernel", "products"
    print(f"| side, channels | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    for size in map(int, config.sizes.split(",")):
        for pair in config.channels.split(","):
            channels, filters = map(int, pair.split(":"))
            rates = _rates([config.pictures, size, size], channels, filters, runs=config.runs)
            print(f"| {size}, {pair} | {' | '.join(f'{rate:.0f}' for rate in rates)} |", flush=True)


def _rates(shape, channels, filters, *, runs):
    x, slope = (tf.random.normal([*shape, n]) for n in (channels, filters))
    kernel = tf.Variable(tf.random.normal([3, 3, channels, filters]))
    options = {"out_backprop": slope, "strides": [1] * 4, "padding": "SAME"}
    volume = tf.expand_dims(x, 1)
    rows = tf.random.normal([tf.size(x) // channels, 9 * channels])
    forms = (
        lambda: tf.matmul(rows, tf.reshape(kernel, [-1, filters])),
        lambda: tf.nn.conv2d(x, kernel, 1, "SAME"),
        lambda: tf.nn.conv3d(volume, tf.expand_dims(kernel, 0), [1] * 5, "SAME"),
        lambda: tf.raw_ops.Conv2DBackpropInput(input_sizes=tf.shape(x), filter=kernel, **options),
        lambda: tf.nn.conv2d(slope, convolved.turned(kernel), 1, "SAME"),
        lambda: tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=kernel.shape, **options),
        lambda: convolved.by_kernel(3, x, slope),
    )
    flops = 2 * 9 * int(tf.size(x)) * filters
    return [flops / _seconds(tf.function(form), runs) / 1e9 for form in forms]


def _seconds(function, runs):
    """The least of a call; the first one traces."""
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        function()[..., 0].numpy()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


if __name__ == "__main__":
    cli.run(Config, main)
