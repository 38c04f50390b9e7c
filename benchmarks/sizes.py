"""Time and memory against the size of the picture, exact and fast, up to a phone's photograph.

python benchmarks/sizes.py [--plot=sizes.png] [--engine=tensorflow]

As benchmarks/memory.py has them, each in a fresh process that may take --memory_gb; exact up to
--exact_up_to megapixels, since at 12 the search alone takes more than half an hour.
"""

import dataclasses
import math

import picture_sizes
import plots
from memory import Config as Case
from memory import measured

from ttsr_tf import cli
from ttsr_tf.configuration import Configuration, number, string
from ttsr_tf.images import files
from ttsr_tf.inference import engines
from ttsr_tf.weights import naming

_CASES = "125x83:500x332,250x188:1000x752,500x375:2000x1500,1000x750:4000x3000"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is measured."""

    cases: str = string(_CASES, "LR:REFERENCE,…, each HxW.")
    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    engine: str | None = engines.field()
    memory_gb: float = number(6.0, "As of ttsr_tf.upscale.", lower_bound=0)
    exact_up_to: float = number(4.0, "Megapixels of the reference.", lower_bound=0)
    plot: str | None = string(None, "Picture to write.")


def main(config):
    cases = {case: picture_sizes.case(case) for case in config.cases.split(",")}
    if config.plot:
        plots.pyplot()
        files.check_output(config.plot)
    print("| lr : reference | precision | s | peak, MiB | estimate, MiB | tiles |")
    print("|---|---|---|---|---|---|", flush=True)
    found = {precision: [] for precision in engines.PRECISIONS}
    for case, (_, *refs) in cases.items():
        megapixels = sum(map(math.prod, refs)) / 1e6
        for precision, points in found.items():
            if precision == engines.EXACT and megapixels > config.exact_up_to:
                continue
            flags = {name: getattr(config, name) for name in ("checkpoint", "engine", "memory_gb")}
            _, peak, _, estimate, tiles, seconds = measured(
                Case(precision=precision, **flags), case
            )
            print(
                f"| {case} | {precision} | {seconds} | {peak} | {estimate} | {tiles} |", flush=True
            )
            points.append((megapixels, float(seconds), float(peak) / 2**10))
    if config.plot:
        _draw(config.plot, found, config.memory_gb)


def _draw(path, found, memory_gb):
    sizes = sorted({point[0] for points in found.values() for point in points})
    figure, axes = plots.pyplot().subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axis, label, at in zip(axes, ("seconds", "peak memory, GiB"), (1, 2), strict=True):
        for precision, points in found.items():
            axis.plot([p[0] for p in points], [p[at] for p in points], "o-", label=precision)
        axis.set(xscale="log", xlabel="megapixels of reference and result", ylabel=label)
        axis.minorticks_off()
        axis.set_xticks(sizes, [f"{size:.2g}" for size in sizes])
        axis.grid(alpha=0.3)
    seconds, memory = axes
    seconds.set(yscale="log")
    seconds.yaxis.set_major_formatter("{x:g}")
    memory.axhline(memory_gb, color="gray", linestyle="--", label="--memory_gb")
    memory.set_ylim(0)
    for axis in axes:
        axis.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    cli.run(Config, main)
