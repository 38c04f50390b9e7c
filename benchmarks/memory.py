"""Peak resident memory of a fresh process for every case.

python benchmarks/memory.py [--model=srntt] [--cases=125x83:500x332,40x40:160x160:160x160]

A case is LR[:REFERENCE…], HxW. "base" is a process that has imported TensorFlow and
built the network; "estimate" is what `ttsr_tf.upscale` reckons with.
"""

import dataclasses
import subprocess
import sys
import time

from ttsr_tf import cli

cli.start_tensorflow()  # before others import it loudly

# isort: split
import numpy as np
from process_memory import peak

from ttsr_tf import Upscaler, configuration
from ttsr_tf.configuration import Configuration, choice, integer, integers, number, string
from ttsr_tf.inference import memory
from ttsr_tf.models import MODELS, model_class

_CASES = (
    "40x40:160x160",
    "125x83:500x332",
    "125x83" + 5 * ":500x332",
    "160x160:640x640",
    "256x256:1024x1024",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is measured."""

    cases: str = string(",".join(_CASES), "LR[:REFERENCE…],…, each HxW.")
    model: str = choice("ttsr", "The network.", enum_values=list(MODELS))
    memory_gb: float | None = number(None, "As of ttsr_tf.upscale.", lower_bound=0)
    num_residual_blocks: tuple[int, ...] = integers((16, 16, 8, 4), "Of the network.", length=4)
    num_features: int = integer(64, "Of the network.", lower_bound=2)
    measure: str | None = string(None, "One case, in this process.")


def main(config):
    if config.measure:
        _measure(config)
        return
    print("| lr : references | base, MiB | peak, MiB | above base | estimate, MiB | s |")
    print("|---|---|---|---|---|---|", flush=True)
    for case in config.cases.split(","):
        flags = configuration.lines(dataclasses.replace(config, measure=case))
        command = [sys.executable, __file__, *flags]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(f"| {case} | {done.stdout.strip()} |", flush=True)


def _measure(config):
    lr_size, *ref_sizes = (tuple(map(int, s.split("x"))) for s in config.measure.split(":"))
    rng = np.random.default_rng(0)
    lr, *refs = (
        rng.integers(256, size=(*size, 3), dtype=np.uint8) for size in (lr_size, *ref_sizes)
    )
    model = model_class(config.model)(config.num_residual_blocks, config.num_features)
    model.build()
    base = peak()
    start = time.perf_counter()
    Upscaler(model).upscale(lr, refs or None, config.memory_gb)
    seconds = time.perf_counter() - start
    estimate = memory.needed(model, lr_size, ref_sizes) / 2**20
    most = peak()
    print(f"{base:.0f} | {most:.0f} | {most - base:.0f} | {estimate:.0f} | {seconds:.1f}")


if __name__ == "__main__":
    cli.run(Config, main)
