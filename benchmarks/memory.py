r"""Peak resident memory and time of a fresh process for every case.

python benchmarks/memory.py [--model=srntt] [--cases=125x83:500x332,40x40:160x160:160x160]
python benchmarks/memory.py --checkpoint=ttsr-mini --engine=litert --precision=fast \
    --memory_gb=6 --cases=750x1000:3000x4000

A case is LR[:REFERENCE…], HxW. "base" is a process that has the network, and TensorFlow if that
computes; "estimate" is what `ttsr_tf.upscale` reckons with for these tiles, whose number is told.
Without --checkpoint, a network of its paper's size, or of another, with random weights.
"""

import dataclasses
import subprocess
import sys
import time

import numpy as np
import picture_sizes
from process_memory import peak

from ttsr_tf import cli, configuration
from ttsr_tf.configuration import Configuration, choice, integer, integers, number, string
from ttsr_tf.inference import engines, memory, tiles
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
    checkpoint: str | None = string(None, "Weights, instead of random ones.")
    engine: str | None = engines.field()
    precision: str = engines.precision()
    memory_gb: float | None = number(None, "As of ttsr_tf.upscale.", lower_bound=0)
    num_residual_blocks: tuple[int, ...] = integers((16, 16, 8, 4), "Of the network.", length=4)
    num_features: int = integer(64, "Of the network.", lower_bound=2)
    measure: str | None = string(None, "One case, in this process.")


def main(config):
    if config.measure:
        _measure(config)
        return
    cases = config.cases.split(",")
    for case in cases:  # before the first is measured
        picture_sizes.case(case)
    print("| lr : references | base, MiB | peak, MiB | above base | estimate, MiB | tiles | s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for case in cases:
        print(f"| {case} | {' | '.join(measured(config, case))} |", flush=True)


def measured(config, case):
    """One row, but for its first cell: a list of texts."""
    flags = configuration.lines(dataclasses.replace(config, measure=case))
    command = [sys.executable, __file__, *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip().split(" | ")


def _measure(config):
    sizes = picture_sizes.case(config.measure)
    rng = np.random.default_rng(0)
    lr, *refs = (rng.integers(256, size=(*size, 3), dtype=np.uint8) for size in sizes)
    upscaler = _upscaler(config)
    base = peak()
    start = time.perf_counter()
    upscaler.upscale(lr, refs or None, config.memory_gb)
    seconds = time.perf_counter() - start
    cells = [
        base,
        most := peak(),
        most - base,
        *_planned(config, upscaler.model, sizes),
    ]
    print(" | ".join(f"{cell:.0f}" for cell in cells), "|", f"{seconds:.1f}")


def _upscaler(config):
    named = config.checkpoint
    engine = engines.of(named, config.engine) if named else engines.TENSORFLOW
    engines.start(engine)
    import ttsr_tf

    if named:
        return ttsr_tf.load(named, engine, precision=config.precision)
    model = model_class(config.model)(config.num_residual_blocks, config.num_features)
    model.build()
    return ttsr_tf.Upscaler(model)


def _planned(config, model, sizes):
    """The estimate, MiB, and how many tiles it is for."""
    lr_size, *ref_sizes = sizes
    cuts = tiles.cut(model, lr_size, ref_sizes, memory_gb=config.memory_gb)
    outers = [tiles.size(tiles.surrounded(tile, lr_size, model.tile_overlap)) for tile in cuts]
    largest = max(outers, key=np.prod)
    return memory.needed(model, lr_size, ref_sizes, tile=largest) / 2**20, len(cuts)


if __name__ == "__main__":
    cli.run(Config, main)
