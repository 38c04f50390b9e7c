"""How far a picture in tiles is from the picture in one piece, for several overlaps.

python benchmarks/tiles.py [--checkpoint=ttsr.weights.h5] [--side=50]

Without --checkpoint, a network of the paper's size with random weights.
"""

from unittest import mock

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import keras
import numpy as np
from absl import flags

from ttsr_tf import TTSR
from ttsr_tf.data import sample
from ttsr_tf.images import bicubic
from ttsr_tf.inference import tiles
from ttsr_tf.weights import checkpoints

_CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Weights (.weights.h5) or a run folder.")
_SIDE = flags.DEFINE_integer("side", 50, "Of the tiles, pixels of LR.", lower_bound=16)
_OVERLAPS = flags.DEFINE_list("overlaps", ["4", "8", "16", "24", "32"], "Pixels of LR.")


def main():
    model = _model()
    ref, hr = (picture[50:450, 70:670] for picture in sample.stereo_pair())
    lr = bicubic.downscale(hr).numpy()
    whole = model.upscale(lr, ref)
    print("| overlap | largest difference, levels | values within 1 level |")
    print("|---|---|---|")
    for overlap in map(int, _OVERLAPS.value):
        with (
            mock.patch.object(tiles, "OVERLAP", overlap),
            mock.patch.object(tiles, "cut", lambda size, *_: tiles.grid(size, _SIDE.value)),
        ):
            difference = np.abs(np.int32(model.upscale(lr, ref)) - whole)
        print(f"| {overlap} | {difference.max()} | {(difference <= 1).mean():.4%} |", flush=True)


def _model():
    if _CHECKPOINT.value:
        return checkpoints.load(_CHECKPOINT.value)
    keras.utils.set_random_seed(0)
    model = TTSR()
    model.build()
    return model


if __name__ == "__main__":
    cli.run(main)
