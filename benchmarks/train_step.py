"""A training step of the paper's network: seconds and peak memory, each case in a fresh process.

python benchmarks/train_step.py [--batch_sizes=1,9] [--crop_size=160] [--parts]

"reconstruction" and "full" are the two kinds of step, with their optimizers; "full" has random
VGG19 weights, which take as long. --parts tells what of a reconstruction step are the forward
pass, the texture extractor, the matching and the transfer, with their gradients.
"""

import re
import statistics
import subprocess
import sys
import time

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import keras
import tensorflow as tf
from absl import flags
from process_memory import peak

from ttsr_tf import TTSR, layers
from ttsr_tf.models.critic import Critic
from ttsr_tf.training.gan import GAN
from ttsr_tf.training.optimizers import Adam
from ttsr_tf.weights import vgg19

_BATCH_SIZES = flags.DEFINE_list("batch_sizes", ["1", "9"], "Pairs of a step.")
_CROP_SIZE = flags.DEFINE_integer("crop_size", 160, "Side of HR and of its reference, pixels.")
_RUNS = flags.DEFINE_integer("runs", 3, "Of each; the median counts.", lower_bound=1)
_PARTS = flags.DEFINE_bool("parts", False, "Whether to time a step's parts.")
_MEASURE = flags.DEFINE_string("measure", None, "KIND:BATCH_SIZE, in this process.")
_PAIRS_AT_ONCE = flags.DEFINE_integer("pairs_at_once", 1, "As of ttsr_tf.train.", lower_bound=1)
_POLICY = flags.DEFINE_string("policy", "float32", "Of Keras, such as mixed_bfloat16.")
flags.register_validator(
    "batch_sizes", lambda sizes: all(re.fullmatch(r"[1-9]\d*", n) for n in sizes), "Such as 1,9."
)


def main():
    if _MEASURE.value:
        kind, batch_size = _MEASURE.value.split(":")
        _measure(kind, int(batch_size))
        return
    print("| step | batch | s | peak, MiB | first call, s |\n|---|---|---|---|---|", flush=True)
    for batch_size in _BATCH_SIZES.value:
        for kind in ("reconstruction", "full"):
            options = (
                f"--{flag.name}={flag.value}"
                for flag in (_CROP_SIZE, _RUNS, _PAIRS_AT_ONCE, _POLICY)
            )
            command = [sys.executable, __file__, f"--measure={kind}:{batch_size}", *options]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            print(f"| {kind} | {batch_size} | {done.stdout.strip()} |", flush=True)
    if _PARTS.value:
        _print_parts(int(_BATCH_SIZES.value[-1]))


def _measure(kind, batch_size):
    keras.mixed_precision.set_global_policy(_POLICY.value)
    gan, batch = _gan(full=kind == "full"), _batch(batch_size)
    step = tf.function(gan.full_step if kind == "full" else gan.warm_up_step, autograph=False)
    seconds = [_seconds(lambda: step(batch)) for _ in range(_RUNS.value + 1)]
    print(f"{statistics.median(seconds[1:]):.2f} | {peak():.0f} | {seconds[0]:.1f}")


def _gan(full):
    generator = TTSR()
    generator.build()
    critic, features = (Critic(_CROP_SIZE.value), vgg19.Features()) if full else (None, None)
    for network in filter(None, (critic, features)):
        network.build((None, None, None, 3))
    gan = GAN(generator, critic, features, pairs_at_once=_PAIRS_AT_ONCE.value)
    gan.compile(*(Adam(1e-4, epsilon=1e-8) for _ in range(3)))
    return gan


def _batch(batch_size):
    side = _CROP_SIZE.value
    sizes = {"lr": side // 4, "lr_up": side, "ref": side, "ref_down_up": side, "hr": side}
    batch = {name: tf.random.uniform([batch_size, n, n, 3], -1, 1) for name, n in sizes.items()}
    return {**batch, "epsilon": tf.random.uniform([batch_size, 2])}


def _print_parts(batch_size):
    gan, batch = _gan(full=False), _batch(batch_size)
    model, plain = gan.generator, layers.Relevance("patches")
    extractor = model.texture_extractor
    query, *_ = extractor(batch["lr_up"])
    key, *_ = extractor(batch["ref_down_up"])
    value = extractor(batch["ref"])
    index, confidence = model.relevance([query, key])
    textures = model.transferred(value, index)
    pictures = [batch[name] for name in ("lr_up", "ref_down_up", "ref")]
    cases = {
        "step": lambda: gan.warm_up_step(batch),
        "forward": lambda: model(batch)["sr"],
        "texture extractor": lambda: _gradient(
            lambda a, b, c: [extractor(a)[0], extractor(b)[0], extractor(c)],
            pictures,
            extractor.trainable_variables,
        ),
        "matching": lambda: _gradient(lambda *x: model.relevance(x)[1], [query, key]),
        "matching, patches": lambda: _gradient(lambda *x: plain(x)[1], [query, key]),
        "transfer": lambda: _gradient(lambda *x: model.transferred(x, index), value),
        "backbone": lambda: _gradient(
            lambda x, *textures: model.synthesised(batch["lr"], textures, x),
            [confidence, *textures],
            gan.generator.trainable_variables,
        ),
    }
    functions = {name: tf.function(case, autograph=False) for name, case in cases.items()}
    seconds = {name: [] for name in cases}
    for _ in range(_RUNS.value + 1):  # the first one traces
        for name, function in functions.items():
            seconds[name].append(_seconds(function))
    seconds = {name: statistics.median(values[1:]) for name, values in seconds.items()}
    print("\n| part, with its gradient | s | of the step |\n|---|---|---|")
    for name, taken in seconds.items():
        print(f"| {name} | {taken:.3f} | {taken / seconds['step']:.1%} |")


def _gradient(function, inputs, variables=()):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(*inputs)
    return [g for g in tape.gradient(outputs, [*inputs, *variables]) if g is not None]


def _seconds(function):
    start = time.perf_counter()
    tf.nest.map_structure(lambda x: tf.reshape(x, [-1])[0].numpy(), function())
    return time.perf_counter() - start


if __name__ == "__main__":
    cli.run(main)
