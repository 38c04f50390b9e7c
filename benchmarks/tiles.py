"""How far a picture in tiles is from the picture in one piece, for several overlaps.

python benchmarks/tiles.py [--model=srntt | --checkpoint=ttsr.safetensors] [--side=50]

Without --checkpoint, a network of its paper's size with random weights.
"""

import dataclasses
from unittest import mock

from ttsr_tf import cli

cli.start_tensorflow()  # before others import it loudly

# isort: split
import numpy as np

from ttsr_tf import Upscaler
from ttsr_tf.configuration import Configuration, choice, integer, string
from ttsr_tf.data import sample
from ttsr_tf.images import bicubic
from ttsr_tf.inference import tiles
from ttsr_tf.models import MODELS, model_class
from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.initial import initialise


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is compared."""

    model: str = choice("ttsr", "The network.", enum_values=list(MODELS))
    checkpoint: str | None = string(None, "Weights (.safetensors) or a run's folder.")
    side: int = integer(50, "Of the tiles, pixels of LR.", lower_bound=16)
    overlaps: str = string("4,8,16,24,32", "Pixels of LR.")


def main(config):
    upscaler = Upscaler(_model(config))
    ref, hr = (picture[50:450, 70:670] for picture in sample.stereo_pair())
    lr = bicubic.downscale(hr).numpy()
    side = config.side
    whole = upscaler.upscale(lr, ref)
    print("| overlap | largest difference, levels | values within 1 level |")
    print("|---|---|---|")
    for overlap in map(int, config.overlaps.split(",")):
        with (
            mock.patch.object(type(upscaler.model), "tile_overlap", overlap),
            mock.patch.object(tiles, "cut", lambda _, size, *__, **___: tiles.grid(size, side)),
        ):
            difference = np.abs(np.int32(upscaler.upscale(lr, ref)) - whole)
        print(f"| {overlap} | {difference.max()} | {(difference <= 1).mean():.4%} |", flush=True)


def _model(config):
    if config.checkpoint:
        return checkpoints.load(config.checkpoint)
    model = model_class(config.model)()
    model.build()
    initialise(model, 0)
    return model


if __name__ == "__main__":
    cli.run(Config, main)
