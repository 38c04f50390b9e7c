"""Trains a network and leaves a run folder that `ttsr_tf.upscale --checkpoint` takes.

python -m ttsr_tf.train --flagfile=configs/quickstart.flags
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import os
import sys

import keras
from absl import flags

from ttsr_tf import checkpoints, data, images, loop, vgg
from ttsr_tf.errors import InputError
from ttsr_tf.model import TTSR

_RUN_DIR = flags.DEFINE_string("run_dir", None, "Where the run's files go.", required=True)
_DATASET = flags.DEFINE_enum(
    "dataset", data.SAMPLE, [data.SAMPLE, data.FOLDER], "What to train on."
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "For --dataset=folder: holds input/NAME and ref/NAME."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 9, "Pairs a step.", lower_bound=1)
_CROP_SIZE = flags.DEFINE_integer("crop_size", 160, "Side of the pictures.", lower_bound=32)
_MAX_STEPS = flags.DEFINE_integer("max_steps", None, "Steps.", lower_bound=1, required=True)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", 1e-4, "Of the backbone; the texture extractor's is a tenth.", lower_bound=0
)
_DECAY = flags.DEFINE_enum(
    "learning_rate_decay", loop.CONSTANT, [loop.CONSTANT, loop.COSINE], "Over the whole run."
)
_SEED = flags.DEFINE_integer("seed", 0, "Of weights, order and augmentation.", lower_bound=0)
_VGG19_WEIGHTS = flags.DEFINE_string(
    "vgg19_weights",
    None,
    "What the texture extractor starts from: imagenet (Keras fetches it), a path, or random.",
    required=True,
)
_NUM_RESIDUAL_BLOCKS = flags.DEFINE_multi_integer(
    "num_residual_blocks",
    [16, 16, 8, 4],
    "Given four times: shallow features, ×1, ×2, ×4.",
    lower_bound=0,
)
_NUM_FEATURES = flags.DEFINE_integer("num_features", 64, "Channels.", lower_bound=2)


def main():
    _check_flags()
    keras.utils.set_random_seed(_SEED.value)
    train, held_out = data.load(_DATASET.value, _DATA_DIR.value, _CROP_SIZE.value, _SEED.value)
    model = TTSR(_NUM_RESIDUAL_BLOCKS.value, _NUM_FEATURES.value)
    model.build()
    vgg.initialise(model, _VGG19_WEIGHTS.value)
    _make_run_folder()  # only now: bad input must not change the flags of a run that is there
    print(f"{len(train[0])} pairs, {model.count_params():,} parameters, {_MAX_STEPS.value} steps.")

    batches = data.batches(*train, _BATCH_SIZE.value, _SEED.value)
    loop.fit(model, batches, _MAX_STEPS.value, _LEARNING_RATE.value, _DECAY.value)
    checkpoints.save(model, os.path.join(_RUN_DIR.value, checkpoints.IN_RUN_FOLDER))

    ours, bicubic = loop.score(model, *held_out)
    print(f"Held-out crops: PSNR {ours:.2f} dB, bicubic {bicubic:.2f} dB.")
    print(f"Now: python -m ttsr_tf.upscale --checkpoint={_RUN_DIR.value} --lr=… --ref=… --output=…")


def _check_flags():
    if _CROP_SIZE.value % 4:
        raise InputError(f"--crop_size={_CROP_SIZE.value} must be a multiple of 4.")
    if len(_NUM_RESIDUAL_BLOCKS.value) != 4:
        raise InputError(
            f"--num_residual_blocks={_NUM_RESIDUAL_BLOCKS.value} must be given four times."
        )
    if _DATASET.value == data.SAMPLE and _DATA_DIR.value:
        raise InputError("--data_dir goes with --dataset=folder.")


def _make_run_folder():
    try:
        os.makedirs(_RUN_DIR.value, exist_ok=True)
    except OSError as error:
        raise InputError(f"Can't make --run_dir={_RUN_DIR.value} ({error.strerror}).") from None
    images.check_folder(_RUN_DIR.value)
    ours = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
    path = os.path.join(_RUN_DIR.value, "run.flags")
    with images.written_aside(path) as aside, open(aside, "w") as file:
        file.writelines(f"{flag.serialize()}\n" for flag in ours if flag.value is not None)


if __name__ == "__main__":
    cli.run(main)
