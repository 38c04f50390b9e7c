"""A training step, and what of it are the matching and the transfer with their gradients.

python benchmarks/step.py [--batch_size=9] [--crop_size=160]

Medians of one run, in turns: a step of the paper's network (the gradient of every variable, no
optimiser), the matching alone in both forms, and the transfer of three scales.
"""

import statistics
import time

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import keras
import tensorflow as tf
from absl import flags

from ttsr_tf import TTSR, layers, losses

_BATCH_SIZE = flags.DEFINE_integer("batch_size", 9, "Pairs of a step.", lower_bound=1)
_CROP_SIZE = flags.DEFINE_integer("crop_size", 160, "Side of HR and of its reference, pixels.")
_RUNS = flags.DEFINE_integer("runs", 3, "Of each; the median counts.", lower_bound=1)


def main():
    keras.utils.set_random_seed(0)
    model = TTSR()
    model.build()
    batch, side = _BATCH_SIZE.value, _CROP_SIZE.value
    sizes = {"lr": side // 4, "lr_up": side, "ref": side, "ref_down_up": side, "hr": side}
    pictures = {name: tf.random.uniform([batch, n, n, 3], -1, 1) for name, n in sizes.items()}
    query, *_ = model.texture_extractor(pictures["lr_up"])
    key, *_ = model.texture_extractor(pictures["ref_down_up"])
    value = model.texture_extractor(pictures["ref"])
    index, _ = model.relevance([query, key])
    plain = layers.Relevance("patches")

    def step():
        with tf.GradientTape() as tape:
            loss = losses.reconstruction(pictures["hr"], model(pictures, training=True)["sr"])
        return tape.gradient(loss, model.trainable_variables)

    cases = {
        "step": step,
        "matching": lambda: _gradient(lambda *x: model.relevance(x)[1], query, key),
        "matching, patches": lambda: _gradient(lambda *x: plain(x)[1], query, key),
        "transfer": lambda: _gradient(lambda *x: model.transferred(x, index), *value),
    }
    seconds = _seconds(cases)
    print("| part | s | of the step |\n|---|---|---|")
    for name, time_taken in seconds.items():
        print(f"| {name} | {time_taken:.3f} | {time_taken / seconds['step']:.1%} |")


def _gradient(function, *inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(*inputs)
    return tape.gradient(outputs, inputs)


def _seconds(cases):
    functions = {name: tf.function(case) for name, case in cases.items()}
    seconds = {name: [] for name in cases}
    for run in range(_RUNS.value + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            tf.nest.map_structure(lambda x: tf.reshape(x, [-1])[0].numpy(), function())
            if run > 0:  # the first one traces
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


if __name__ == "__main__":
    cli.run(main)
