"""A training step of the paper's network: seconds and peak memory, each case in a fresh process.

python benchmarks/train_step.py [--batch_sizes=1,9] [--crop_size=160] [--parts]

"reconstruction" and "full" are the two kinds of step, with their optimizers; "full" has random
VGG19 weights, which take as long. With RELEASED in the environment the authors' program is beside
ours (see cold_start.py). --parts tells what of a reconstruction step are the forward
pass, the texture extractor, the matching and the transfer, with their gradients.
"""

import dataclasses
import os
import re
import statistics
import subprocess
import sys
import time

from ttsr_tf import cli

cli.start_tensorflow()  # before others import it loudly

# isort: split
import released_program
import tensorflow as tf
from process_memory import peak

from ttsr_tf import TTSR, configuration, layers
from ttsr_tf.configuration import Configuration, integer, string, switch
from ttsr_tf.errors import InputError
from ttsr_tf.models.critic import Critic
from ttsr_tf.training.gan import GAN
from ttsr_tf.training.optimizers import Adam
from ttsr_tf.training.schedule import Schedule


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is measured."""

    batch_sizes: str = string("1,9", "Pairs of a step.")
    crop_size: int = integer(160, "Side of HR and of its reference, pixels.", lower_bound=32)
    runs: int = integer(3, "Of each; the median counts.", lower_bound=1)
    parts: bool = switch(False, "Whether to time a step's parts.")
    measure: str | None = string(None, "KIND:BATCH_SIZE, in this process.")
    micro_batch_size: int = integer(1, "As of ttsr_tf.train.", lower_bound=1)
    policy: str = string("float32", "Of Keras, such as mixed_bfloat16.")


def main(config):
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", config.batch_sizes):
        raise InputError(f"`batch_sizes`={config.batch_sizes} must be such as 1,9.")
    if config.measure:
        _measure(config)
        return
    print("| step | batch | s | peak, MiB | first call, s |\n|---|---|---|---|---|", flush=True)
    for batch_size in config.batch_sizes.split(","):
        for kind in ("reconstruction", "full"):
            case = dataclasses.replace(config, measure=f"{kind}:{batch_size}")
            _print_case(kind, batch_size, [__file__, *configuration.lines(case)])
            if os.environ.get("RELEASED"):
                numbers = config.crop_size, batch_size, config.runs + 1
                theirs = ["-Wignore", released_program.__file__, kind, *map(str, numbers)]
                _print_case(f"released {kind}", batch_size, theirs)
    if config.parts:
        _print_parts(config)


def _print_case(name, batch_size, script):
    done = subprocess.run([sys.executable, *script], stdout=subprocess.PIPE, text=True, check=True)
    print(f"| {name} | {batch_size} | {done.stdout.splitlines()[-1]} |", flush=True)


def _measure(config):
    kind, batch_size = config.measure.split(":")
    gan, batch = _gan(config, full=kind == "full"), _batch(config, int(batch_size))
    step = tf.function(gan.full_step if kind == "full" else gan.pretrain_step, autograph=False)
    seconds = [_seconds(lambda: step(batch)) for _ in range(config.runs + 1)]
    print(f"{statistics.median(seconds[1:]):.2f} | {peak():.0f} | {seconds[0]:.1f}")


def _gan(config, full):
    generator = TTSR(dtype=config.policy)
    generator.build()
    critic = Critic(config.crop_size) if full else None
    features = layers.VGG19(["relu5_1"], trainable=False, dtype=config.policy) if full else None
    for network in filter(None, (critic, features)):
        network.build((None, None, None, 3))
    schedule = Schedule(micro_batch_size=config.micro_batch_size)
    gan = GAN(generator, critic, features, schedule=schedule)
    gan.compile(*(Adam(1e-4, epsilon=1e-8) for _ in range(3)))
    return gan


def _batch(config, batch_size):
    side = config.crop_size
    sizes = {"lr": side // 4, "lr_up": side, "ref": side, "ref_down_up": side, "hr": side}
    batch = {name: tf.random.uniform([batch_size, n, n, 3], -1, 1) for name, n in sizes.items()}
    return {**batch, "epsilon": tf.random.uniform([batch_size, 2])}


def _print_parts(config):
    batch_size = int(config.batch_sizes.split(",")[-1])
    gan, batch = _gan(config, full=False), _batch(config, batch_size)
    model, plain = gan.generator, layers.Relevance("patches")
    extractor = model.texture_extractor
    query, *_ = extractor(batch["lr_up"])
    key, *_ = extractor(batch["ref_down_up"])
    value = extractor(batch["ref"])
    index, confidence = model.relevance([query, key])
    textures = model.transfer(value, index)
    pictures = [batch[name] for name in ("lr_up", "ref_down_up", "ref")]
    cases = {
        "step": lambda: gan.pretrain_step(batch),
        "forward": lambda: model(batch)["sr"],
        "texture extractor": lambda: _gradient(
            lambda a, b, c: [extractor(a)[0], extractor(b)[0], extractor(c)],
            pictures,
            extractor.trainable_variables,
        ),
        "matching": lambda: _gradient(lambda *x: model.relevance(x)[1], [query, key]),
        "matching, patches": lambda: _gradient(lambda *x: plain(x)[1], [query, key]),
        "transfer": lambda: _gradient(lambda *x: model.transfer(x, index), value),
        "backbone": lambda: _gradient(
            lambda x, *textures: model.synthesise(batch, textures, x),
            [confidence, *textures],
            gan.generator.trainable_variables,
        ),
    }
    functions = {name: tf.function(case, autograph=False) for name, case in cases.items()}
    seconds = {name: [] for name in cases}
    for _ in range(config.runs + 1):  # the first one traces
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
    cli.run(Config, main)
