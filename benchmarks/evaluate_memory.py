"""Resident memory while one process evaluates pictures of many sizes.

python benchmarks/evaluate_memory.py [--pictures=100] [--largest=256] [--small_network]

Random pictures; each of them and its reference have sides of their own.
"""

import contextlib
import os
import sys
import tempfile

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import numpy as np
import psutil
from absl import flags
from process_memory import peak

from ttsr_tf import TTSR
from ttsr_tf.data.sets import Case, Stored
from ttsr_tf.evaluation import references
from ttsr_tf.evaluation.measuring import Task, measure
from ttsr_tf.evaluation.results import Results
from ttsr_tf.images.files import metrics

_PICTURES = flags.DEFINE_integer("pictures", 100, "How many.", lower_bound=1)
_LARGEST = flags.DEFINE_integer("largest", 256, "Longest side of HR, pixels.", lower_bound=96)
_SMALL_NETWORK = flags.DEFINE_bool("small_network", False, "Instead of one of the paper's size.")

SMALLEST = 48
EVERY = 10


def main():
    model = TTSR((1, 1, 1, 1), 8) if _SMALL_NETWORK.value else TTSR()
    model.build()
    cases = [Case(str(i), _random(2 * i), (_random(2 * i + 1),)) for i in range(_PICTURES.value)]
    tasks = [Task(case, references.named("match-1")) for case in cases]
    scores = metrics.Scores()
    print("| pictures | resident, MiB | peak, MiB |\n|---|---|---|")
    print(f"| 0 | {_resident()} |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        results = Results(os.path.join(folder, "results.csv"), {})
        for start in range(0, len(tasks), EVERY):
            with contextlib.redirect_stdout(sys.stderr):  # its progress is no part of the table
                failed = measure(model, tasks[start : start + EVERY], cases, results, scores)
            if failed:
                raise SystemExit(f"failed: {failed}")
            print(f"| {len(results.rows)} | {_resident()} |", flush=True)


def _random(seed):
    def read():
        rng = np.random.default_rng(seed)
        size = rng.integers(SMALLEST, _LARGEST.value + 1, 2)
        return rng.integers(256, size=(*size, 3), dtype=np.uint8)

    return Stored(str(seed), read)


def _resident():
    return f"{psutil.Process().memory_info().rss / 2**20:.0f} | {peak():.0f}"


if __name__ == "__main__":
    cli.run(main)
