"""Peak resident memory of a fresh process for every case.

python benchmarks/memory.py [--cases=125x83:500x332,40x40:160x160:160x160]

A case is LR:REFERENCE[:REFERENCE…], HxW. "base" is a process that has imported TensorFlow and
built the network; "estimate" is what `ttsr_tf.upscale` reckons with.
"""

import subprocess
import sys
import time

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import numpy as np
from absl import flags
from process_memory import peak

from ttsr_tf import TTSR
from ttsr_tf.inference import memory

_CASES = flags.DEFINE_list(
    "cases",
    [
        "40x40:160x160",
        "125x83:500x332",
        "125x83" + 5 * ":500x332",
        "160x160:640x640",
        "256x256:1024x1024",
    ],
    "LR:REFERENCE[:REFERENCE…], each HxW.",
)
_MEMORY_GB = flags.DEFINE_float("memory_gb", None, "As of ttsr_tf.upscale.", lower_bound=0)
_MEASURE = flags.DEFINE_string("measure", None, "One case, in this process.")


def main():
    if _MEASURE.value:
        _measure(*(tuple(map(int, size.split("x"))) for size in _MEASURE.value.split(":")))
        return
    print("| lr : references | base, MiB | peak, MiB | above base | estimate, MiB | s |")
    print("|---|---|---|---|---|---|", flush=True)
    for case in _CASES.value:
        command = [sys.executable, __file__, f"--measure={case}"]
        if _MEMORY_GB.value:
            command.append(f"--memory_gb={_MEMORY_GB.value}")
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(f"| {case} | {done.stdout.strip()} |", flush=True)


def _measure(lr_size, *ref_sizes):
    rng = np.random.default_rng(0)
    lr, *refs = (
        rng.integers(256, size=(*size, 3), dtype=np.uint8) for size in (lr_size, *ref_sizes)
    )
    model = TTSR()
    model.build()
    base = peak()
    start = time.perf_counter()
    model.upscale(lr, refs, _MEMORY_GB.value)
    seconds = time.perf_counter() - start
    estimate = memory.memory(lr_size, ref_sizes) / 2**20
    most = peak()
    print(f"{base:.0f} | {most:.0f} | {most - base:.0f} | {estimate:.0f} | {seconds:.1f}")


if __name__ == "__main__":
    cli.run(main)
