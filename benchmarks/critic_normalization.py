"""A small training without and with spectral normalization of the critic, and its curves.

python benchmarks/critic_normalization.py [--output_dir=runs/critic] [--plot=docs/critic.png]

Run on both TensorFlows with one --output_dir, the plot shows all runs that are there.
"""

import csv
import dataclasses
import pathlib
import time

from ttsr_tf import cli

cli.start_tensorflow()  # before others import it loudly

# isort: split
import plots

from ttsr_tf import compat
from ttsr_tf.configuration import Configuration, integer, string
from ttsr_tf.models import NORMALIZATIONS
from ttsr_tf.training import TrainingConfig, train

_SHOWN = "critic", "gradient_penalty", "adversarial", "reconstruction"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is trained, and drawn."""

    output_dir: str = string("runs/critic", "Where the runs are, or will be.")
    max_steps: int = integer(300, "Steps.", lower_bound=20)
    plot: str | None = string(None, "Picture of the curves, to write.")


def main(config):
    folder = pathlib.Path(config.output_dir)
    for normalization in NORMALIZATIONS:
        start = time.monotonic()
        train(
            TrainingConfig(
                run_dir=folder / f"{compat.GENERATION}, {normalization}",
                dataset="sample",
                vgg19_weights="random",
                perceptual_weight=0,
                adversarial_weight=1e-2,
                critic_normalization=normalization,
                batch_size=2,
                micro_batch_size=2,
                crop_size=32,
                max_steps=config.max_steps,
                pretrain_steps=20,
                learning_rate=1e-3,
                critic_learning_rate=1e-3,
                num_residual_blocks=(1, 1, 1, 1),
                num_features=8,
                summary_every=10,
                validate_every=100,
            )
        )
        print(f"{normalization}: {time.monotonic() - start:.0f} s", flush=True)
    curves = {path.parent.name: _read(path) for path in sorted(folder.glob("*/scalars.csv"))}
    print(f"| last ten rows' mean | {' | '.join(_SHOWN)} |\n|---{'|---' * len(_SHOWN)}|")
    for name, rows in curves.items():
        means = [sum(row[key] for row in rows[-10:]) / len(rows[-10:]) for key in _SHOWN]
        print(f"| {name} | {' | '.join(f'{mean:.4f}' for mean in means)} |")
    if config.plot:
        _draw(curves, config.plot)


def _read(path):
    """The table's rows of full steps, as dicts of floats."""
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["critic"]]
    return [{name: float(row[name]) for name in ("step", *_SHOWN)} for row in rows]


def _draw(curves, path):
    generations = sorted({name.split(", ")[0] for name in curves})
    figure, axes = plots.pyplot().subplots(2, 2, figsize=(8, 5), layout="constrained")
    for shown, axis in zip(_SHOWN, axes.flat, strict=True):
        for name, rows in curves.items():
            generation, normalization = name.split(", ")
            style = ("-", "--")[generations.index(generation)]
            colour = f"C{NORMALIZATIONS.index(normalization)}"
            steps, values = ([row[key] for row in rows] for key in ("step", shown))
            axis.plot(steps, values, style, color=colour, label=name, linewidth=1.2)
        axis.set(title=shown, xlabel="step")
    axes.flat[0].legend(fontsize="small")
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    cli.run(Config, main)
