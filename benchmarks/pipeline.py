"""How fast training data comes, beside how fast a step takes it.

python benchmarks/pipeline.py [--dataset=folder --data_dir=PAIRS] [--batch_size=9] [--nostep]
    [--degradation=realistic]

Batches a second from the embedded sample, a folder or the TFDS set: decoded pictures in memory and
not; and steps a second of the paper's network with the reconstruction loss, which takes the least.
"""

import dataclasses
import statistics
import time

from ttsr_tf import cli
from ttsr_tf.configuration import Configuration, choice, integer, string, switch
from ttsr_tf.data import pairs
from ttsr_tf.images import degradation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is timed; names as of `TrainingConfig`."""

    dataset: str = choice(
        pairs.SAMPLE,
        "As of ttsr_tf.train.",
        enum_values=[pairs.CUFED5, pairs.FOLDER, pairs.SAMPLE],
    )
    data_dir: str | None = string(None, "As of ttsr_tf.train.")
    batch_size: int = integer(9, "Pairs of a batch.", lower_bound=1)
    crop_size: int = integer(160, "Side of HR, pixels.", lower_bound=32)
    degradation: str = choice(
        degradation.BICUBIC, "As of ttsr_tf.train.", enum_values=degradation.KINDS
    )
    batches: int = integer(20, "To time.", lower_bound=1)
    step: bool = switch(True, "Whether to time a step too.")


def main(config):
    pairs.check(config.dataset, config.data_dir)
    cli.start_tensorflow()
    from ttsr_tf.data.batches import Stream, batches

    stream = Stream(config.crop_size, config.batch_size, degradation=config.degradation)
    print("| what | a second |\n|---|---|", flush=True)
    for name, cache_gb in (("batches, pictures in memory", 64), ("batches, read anew", 0)):
        train, _ = pairs.load(
            config.dataset, config.data_dir, crop_size=config.crop_size, cache_gb=cache_gb
        )
        coming = iter(batches(train, stream))
        seconds = _seconds(coming.__next__, config.batches)
        print(f"| {name} | {1 / seconds:.2f} |", flush=True)
    if config.step:
        print(f"| steps | {1 / _seconds(_step(next(coming)), 2):.2f} |")


def _step(batch):
    import tensorflow as tf

    from ttsr_tf import TTSR
    from ttsr_tf.training.gan import GAN
    from ttsr_tf.training.optimizers import Adam

    generator = TTSR()
    generator.build()
    gan = GAN(generator)
    gan.compile(Adam(1e-4, epsilon=1e-8), Adam(1e-5, epsilon=1e-8))
    step = tf.function(gan.pretrain_step, autograph=False)
    return lambda: step(batch)["reconstruction"].numpy()


def _seconds(function, runs):
    """Mean time of a call."""
    function()  # starts threads, traces
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.mean(seconds)


if __name__ == "__main__":
    cli.run(Config, main)
