"""How fast training data comes, beside how fast a step takes it.

python benchmarks/pipeline.py [--dataset=folder --data_dir=PAIRS] [--batch_size=9] [--nostep]

Batches a second from the embedded sample, a folder or the TFDS set: decoded pictures in memory and
not; and steps a second of the paper's network with the reconstruction loss, which takes the least.
"""

import statistics
import time

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import keras
import tensorflow as tf
from absl import flags

from ttsr_tf import TTSR
from ttsr_tf.data import batches, pairs
from ttsr_tf.training.gan import GAN

_DATASET = flags.DEFINE_enum(
    "dataset", pairs.SAMPLE, [pairs.CUFED5, pairs.FOLDER, pairs.SAMPLE], "As of ttsr_tf.train."
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "As of ttsr_tf.train.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 9, "Pairs of a batch.", lower_bound=1)
_CROP_SIZE = flags.DEFINE_integer("crop_size", 160, "Side of HR, pixels.", lower_bound=32)
_BATCHES = flags.DEFINE_integer("batches", 20, "To time.", lower_bound=1)
_STEP = flags.DEFINE_bool("step", True, "Whether to time a step too.")


def main():
    print("| what | a second |\n|---|---|", flush=True)
    for name, cache_gb in (("batches, pictures in memory", 64), ("batches, read anew", 0)):
        train, _ = pairs.load(_DATASET.value, _DATA_DIR.value, _CROP_SIZE.value, cache_gb=cache_gb)
        batches = iter(batches.batches(train, _CROP_SIZE.value, _BATCH_SIZE.value, seed=0))
        print(f"| {name} | {1 / _seconds(lambda: next(batches), _BATCHES.value):.2f} |", flush=True)  # noqa: B023
    if _STEP.value:
        batch = next(batches)
        print(f"| steps | {1 / _seconds(_step(batch), 2):.2f} |")


def _step(batch):
    generator = TTSR()
    generator.build()
    gan = GAN(generator)
    gan.compile(keras.optimizers.Adam(), keras.optimizers.Adam())
    step = tf.function(gan.warm_up_step, autograph=False)
    return lambda: step(batch)["reconstruction"].numpy()


def _seconds(function, runs):
    function()  # starts threads, traces
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.mean(seconds)


if __name__ == "__main__":
    cli.run(main)
