"""What another point of view costs: PSNR above bicubic against the reference's angle, as a plot.

python -m ttsr_tf.evaluate --references=1 --reference_warp=0,5,10,20,40 --output_dir=results/NAME …
python benchmarks/reference_warp.py --results=results/NAME,results/OTHER --plot=reference_warp.png

Each folder holds what `ttsr_tf.evaluate` wrote for one network; the folder's name names the line.
"""

import dataclasses
import json
import os

import plots

from ttsr_tf import cli
from ttsr_tf.configuration import REQUIRED, Configuration, string
from ttsr_tf.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is drawn."""

    results: str = string(REQUIRED, "Folders of `ttsr_tf.evaluate`, separated by commas.")
    plot: str = string("reference_warp.png", "Where to write.")


def main(config):
    figure, axes = plots.pyplot().subplots(figsize=(5, 3.5), layout="constrained")
    for folder in config.results.split(","):
        angles, gains = zip(*_gains(folder), strict=True)
        axes.plot(angles, gains, "o-", label=os.path.basename(os.path.normpath(folder)))
    axes.set(xlabel="angle of the reference, °", ylabel="PSNR above bicubic, dB", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(config.plot, dpi=120)
    print(f"{config.plot} written.")


def _gains(folder):
    """Pairs of an angle and a gain."""
    path = os.path.join(folder, "results.json")
    try:
        with open(path) as file:
            results = json.load(file)["results"]
    except OSError:
        raise InputError(f"{path} is not there. Give a folder of `ttsr_tf.evaluate`.") from None
    for result in results:
        _, _, angle = result["references"].partition("@")
        yield int(angle or 0), result["psnr"] - result["bicubic_psnr"]


if __name__ == "__main__":
    cli.run(Config, main)
