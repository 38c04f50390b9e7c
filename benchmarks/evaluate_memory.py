"""Resident memory while one process evaluates pictures of many sizes.

python benchmarks/evaluate_memory.py [--pictures=100] [--largest=256] [--small_network]

Random pictures; each of them and its reference have sides of their own.
"""

import contextlib
import dataclasses
import functools
import io
import os
import sys
import tempfile

import numpy as np
import PIL.Image
import psutil
from process_memory import peak

from ttsr_tf import cli
from ttsr_tf.configuration import Configuration, integer, switch
from ttsr_tf.data.sets import Case, Stored
from ttsr_tf.evaluation import references
from ttsr_tf.evaluation.results import FILE, Results


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is evaluated."""

    pictures: int = integer(100, "How many.", lower_bound=1)
    largest: int = integer(256, "Longest side of HR, pixels.", lower_bound=96)
    small_network: bool = switch(False, "Instead of one of the paper's size.")


SMALLEST = 48
EVERY = 10


def main(config):
    cli.start_tensorflow()
    from ttsr_tf import TTSR, Upscaler
    from ttsr_tf.evaluation.kept import Kept
    from ttsr_tf.evaluation.measuring import Method, Task, measure
    from ttsr_tf.images import metrics

    model = TTSR((1, 1, 1, 1), 8) if config.small_network else TTSR()
    model.build()
    pictures = [_random(i, config.largest) for i in range(2 * config.pictures)]
    cases = [Case(f"{i}", pictures[2 * i], (pictures[2 * i + 1],)) for i in range(config.pictures)]
    method = Method(Upscaler(model), metrics.Scores(), cases)
    tasks = [Task(case, references.named("match-1")) for case in cases]
    print("| pictures | resident, MiB | peak, MiB |\n|---|---|---|")
    print(f"| 0 | {_resident()} |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        results, kept = Results(os.path.join(folder, FILE), {}), Kept(os.path.join(folder, "kept"))
        for start in range(0, len(tasks), EVERY):
            with contextlib.redirect_stdout(sys.stderr):  # its progress is no part of the table
                failed = measure(method, tasks[start : start + EVERY], results, kept=kept)
            if failed:
                raise SystemExit(f"failed: {failed}")
            print(f"| {len(results.rows)} | {_resident()} |", flush=True)


def _random(seed, largest):
    return Stored(f"{seed}", functools.partial(_encoded, seed, largest))


def _encoded(seed, largest):
    rng = np.random.default_rng(seed)
    size = rng.integers(SMALLEST, largest + 1, 2)
    pixels = rng.integers(256, size=(*size, 3), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


def _resident():
    return f"{psutil.Process().memory_info().rss / 2**20:.0f} | {peak():.0f}"


if __name__ == "__main__":
    cli.run(Config, main)
