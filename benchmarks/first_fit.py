"""What one waits for before Keras' `fit` makes steps: processor seconds, with a tiny network.

python benchmarks/first_fit.py [--runs=3]

Nearly all of a tiny network's first step is making its graph. "step" is `GAN`'s whole step as a
`tf.function`, made and run once; the `fit`s are of one batch: "other batch size" a second one on
another number of pairs, "third" one on yet another. Of the functional model, as of docs/keras.md,
Keras' own Adam and ours, and the optimizer built before `fit` or in it. The median of some runs.
"""

import dataclasses
import statistics
import time

from ttsr_tf import cli

cli.start_tensorflow()  # before others import it loudly

# isort: split
import keras
import tensorflow as tf

import ttsr_tf
from ttsr_tf.configuration import Configuration, integer
from ttsr_tf.training import Adam, Schedule


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is measured."""

    runs: int = integer(3, "Of each; the median counts.", lower_bound=1)


def main(config):
    found = [_once() for _ in range(config.runs)]
    print("| what | processor, s | of the step's |\n|---|---|---|")
    step = statistics.median(one["step"] for one in found)
    for name in found[0]:
        seconds = statistics.median(one[name] for one in found)
        print(f"| {name} | {seconds:.1f} | {seconds / step:.2f} |")


def _once():
    found, gan = {}, _gan(Adam(1e-3))
    step = tf.function(gan.full_step, autograph=False)
    found["step"] = _seconds(lambda: step(_batch(4)))
    for name, make in (("training.Adam", Adam), ("keras.optimizers.Adam", keras.optimizers.Adam)):
        gan = _gan(make(1e-3))
        for what, count in (("first", 4), ("again", 4), ("other batch size", 2), ("third", 3)):
            found[f"GAN.fit, {name}: {what}"] = _fit(gan, _batch(count))
        for built in (True, False):
            model = _functional(make(1e-3), built)
            batch = _batch(4)
            pair = [tf.cast(batch[name] * 127.5 + 127.5, tf.uint8) for name in ("lr", "ref")]
            when = "before" if built else "in fit"
            found[f"functional, {name}, built {when}"] = _fit(model, (tuple(pair), batch["hr"]))
    return found


def _gan(optimizer):
    generator, critic = ttsr_tf.TTSR((1, 1, 1, 1), 4), ttsr_tf.Critic(32)
    generator.build(), critic.build()
    gan = ttsr_tf.GAN(generator, critic, schedule=Schedule(pretrain_steps=0))
    gan.compile(optimizer)
    return gan


def _functional(optimizer, built):
    inputs = [keras.Input((None, None, 3), dtype="uint8") for _ in range(2)]
    ttsr = ttsr_tf.TTSR((1, 1, 1, 1), 4)
    ttsr.build()
    model = keras.Model(inputs, ttsr(ttsr_tf.network_inputs(*inputs))["sr"])
    model.compile(optimizer, loss="mae")
    if built:
        optimizer.build(model.trainable_variables)
    return model


def _batch(count):
    sizes = {"lr": 8, "lr_up": 32, "ref": 32, "ref_down_up": 32, "hr": 32}
    made = {name: tf.random.uniform([count, n, n, 3], -1, 1) for name, n in sizes.items()}
    return {**made, "epsilon": tf.random.uniform([count, 2])}


def _fit(model, batch):
    data = tf.data.Dataset.from_tensors(batch)
    return _seconds(lambda: model.fit(data, verbose=0, shuffle=False))


def _seconds(call):
    start = time.process_time()
    call()
    return time.process_time() - start


if __name__ == "__main__":
    cli.run(Config, main)
