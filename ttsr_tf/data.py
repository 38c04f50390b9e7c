"""Pairs of pictures to batches that the network trains on."""

import os

import numpy as np
import tensorflow as tf

from ttsr_tf import degrade, images, sample
from ttsr_tf.errors import InputError

SAMPLE, FOLDER = "sample", "folder"
SAMPLE_PAIRS = 128
HELD_OUT = 8


def load(dataset, data_dir, size, seed):
    """The pairs of a data set.

    Args:
        dataset: "sample" or "folder".
        data_dir: for "folder": holds input/NAME and ref/NAME, or train/input and train/ref.
        size: side of the crops, pixels; a multiple of 4.
        seed: int.

    Returns:
        (hr, ref) to train on and (hr, ref) held out, uint8 arrays [N, size, size, 3].

    Raises:
        InputError: an unknown data set, or pairs that can't be used, by name.
    """
    if dataset == SAMPLE:
        return sample.training_pairs(SAMPLE_PAIRS, size, seed), sample.held_out_pairs(size)
    if dataset == FOLDER:
        hr, ref = _read_folder(data_dir, size)
        return (hr[HELD_OUT:], ref[HELD_OUT:]), (hr[:HELD_OUT], ref[:HELD_OUT])
    raise InputError(f"`dataset` must be {SAMPLE} or {FOLDER}, got {dataset!r}.")


def batches(hr, ref, batch_size, seed):
    """An endless stream of augmented batches, in an order that only `seed` decides.

    Args:
        hr, ref: uint8 [N, H, W, 3].
        batch_size: int.
        seed: int.

    Returns:
        A `tf.data.Dataset` of dicts of float32 [batch_size, H, W, 3] in [-1, 1]: the network's
        inputs and `hr`.
    """
    pairs = tf.data.Dataset.from_tensor_slices((hr, ref)).shuffle(len(hr), seed).repeat()
    seeds = tf.data.Dataset.counter().map(lambda n: tf.stack([tf.cast(seed, tf.int64), n]))
    examples = tf.data.Dataset.zip((pairs, seeds)).map(
        lambda pair, seed: augmented(example(*pair), seed), num_parallel_calls=tf.data.AUTOTUNE
    )
    return examples.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def example(hr, ref):
    """The network's inputs and its target from a pair of uint8 [..., H, W, 3]."""
    inputs = degrade.network_inputs(degrade.shrink(hr), ref)
    return {**inputs, "hr": images.to_float(hr)}


def augmented(example, seed):
    """Flips and turns by 90°: once for the input's pictures, once more for the reference's.

    Args:
        example: dict of float32 [H, W, 3]; its pictures must be square.
        seed: int [2].

    Returns:
        A dict of the same shapes.
    """
    flips, turns = (
        tf.random.stateless_uniform([2, 2], seed) < 0.5,
        tf.random.stateless_uniform([2], seed + 1, maxval=4, dtype=tf.int32),
    )

    def changed(name, picture):
        of = int(name.startswith("ref"))
        picture = tf.cond(flips[of, 0], lambda: picture[:, ::-1], lambda: picture)
        picture = tf.cond(flips[of, 1], lambda: picture[::-1], lambda: picture)
        return tf.ensure_shape(tf.image.rot90(picture, turns[of]), picture.shape)

    return {name: changed(name, picture) for name, picture in example.items()}


def _read_folder(data_dir, size):
    if not data_dir:
        raise InputError("--dataset=folder needs --data_dir, the pairs' folder.")
    if not os.path.isdir(data_dir):
        raise InputError(f"--data_dir={data_dir} is not a folder. Give the pairs' folder.")
    train = os.path.join(data_dir, "train")
    root = train if os.path.isdir(train) else data_dir
    names = {}
    for kind in ("input", "ref"):
        folder = os.path.join(root, kind)
        if not os.path.isdir(folder):
            raise InputError(f"{folder} is missing: pairs are input/NAME and ref/NAME.")
        names[kind] = {n for n in os.listdir(folder) if n.lower().endswith(images.EXTENSIONS)}
    unpaired = sorted(names["input"] ^ names["ref"])
    if unpaired:
        raise InputError(
            f"{root}: {len(unpaired)} pictures without a partner of the same name, "
            f"such as {', '.join(unpaired[:5])}. Add or remove them."
        )
    if len(unpaired := names["input"]) <= HELD_OUT:
        raise InputError(f"{root} has {len(unpaired)} pairs, at least {HELD_OUT + 1} are needed.")
    return tuple(
        np.stack([_corner(os.path.join(root, kind, name), size) for name in sorted(names[kind])])
        for kind in ("input", "ref")
    )


def _corner(path, size):
    picture = images.read(path).rgb
    if min(picture.shape[:2]) < size:
        height, width = picture.shape[:2]
        raise InputError(f"{path} is {width}×{height} pixels: no crop of {size}. See --crop_size.")
    return picture[:size, :size]
