"""Pairs of pictures to batches that the network trains on.

number ─ order, crop ─► hr, ref ─ degrade ─► lr, lr_up, ref, ref_down_up ─ flip, turn ─► batch

Everything follows from the seed and the example's number, so a training goes on anywhere.
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.images import degradation, inputs


class Stream(NamedTuple):
    """What decides which batches come.

    Attributes:
        crop_size: side of the crops, pixels, a multiple of 4.
        batch_size: int, of all workers and replicas together.
        seed: int.
        epsilons: how many random numbers in [0, 1) go with each example.
        degradation: how LR is made, one of `degradation.KINDS`.
    """

    crop_size: int
    batch_size: int
    seed: int = 0
    epsilons: int = 2
    degradation: str = degradation.BICUBIC


class Share(NamedTuple):
    """Which part of every batch is wanted: of which worker, and into how many replicas' batches
    in turn it is divided.
    """

    worker: int = 0
    workers: int = 1
    replicas: int = 1


WHOLE = Share()

# AutoGraph would read for a second what has nothing for it.
_as_it_is = tf.autograph.experimental.do_not_convert


def batches(pairs, stream, first_step=0, *, share=WHOLE):
    """An endless stream of augmented batches, in an order that only the seed decides.

    Args:
        pairs: a `Pairs`; no picture smaller than the crop, references may be.
        stream: a `Stream`; only its seed decides the order.
        first_step: int; from which batch on.
        share: a `Share`.

    Returns:
        A `tf.data.Dataset` of dicts of float32 [b, H, W, 3] in [-1, 1], the network's inputs and
        `hr`; and `epsilon`, float32 [b, epsilons].

    Raises:
        InputError: `pairs` is a `tf.data.Dataset`.
    """
    if isinstance(pairs, tf.data.Dataset):
        raise InputError(
            "`pairs` must be a `Pairs`, whose pictures are read by their place, not a `tf.data` "
            "set: give that to `fit`, as dicts of `ttsr_tf.network_inputs(lr, ref)` and `hr`."
        )
    crop_size, batch_size, seed, epsilons, kind = stream
    own = batch_size // share.workers
    first = share.worker * own

    @_as_it_is
    def numbers(step):
        start = step * batch_size + first
        return tf.data.Dataset.range(start, start + own)

    @_as_it_is
    def example(number):
        kinds = tf.uint8, tf.uint8
        hr, ref = tf.numpy_function(crops, [number], kinds, stateful=False)
        hr, ref = (tf.ensure_shape(x, [None, None, 3]) for x in (hr, ref))
        hr = tf.ensure_shape(hr, [crop_size, crop_size, 3])
        seeds = tf.stack([tf.cast(seed, tf.int64), number])
        epsilon = tf.random.stateless_uniform([epsilons], seeds + 2)
        lr = inputs.degraded(hr, kind, seeds)
        return {**augmented(network_example(hr, lr, ref), seeds), "epsilon": epsilon}

    def crops(number):
        return cropped(pairs, number, crop_size=crop_size, seed=seed)

    steps = tf.data.Dataset.range(first_step, 2**62)
    examples = steps.flat_map(numbers).map(
        example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    made = examples.batch(own // share.replicas, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    # So that `fit` can tell who gives no number of steps.
    return made.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def place(number, count, seed):
    """Which of `count` pairs the example of a number is: every epoch has its own order."""
    return int(_order(number // count, count, seed)[number % count])


@functools.lru_cache(maxsize=4)
def _order(epoch, count, seed):
    return np.random.default_rng([seed, 0, epoch]).permutation(count)


def cropped(pairs, number, *, crop_size, seed):
    """The pictures of an example, at the same place of both where they are larger than the crop.

    Returns:
        hr, uint8 [crop_size, crop_size, 3], and ref, uint8, smaller if the reference is.
    """
    where = np.random.default_rng([seed, 1, number]).uniform(size=2)
    pair = pairs[place(int(number), len(pairs), seed)]
    spare = [np.maximum(np.array(picture.shape[:2]) - crop_size, 0) for picture in pair]
    corners = [np.int64(where * (room + 1)) for room in spare]
    return tuple(
        np.ascontiguousarray(picture[row : row + crop_size, column : column + crop_size])
        for picture, (row, column) in zip(pair, corners, strict=True)
    )


def network_example(hr, lr, ref):
    """The network's inputs and its target from a pair.

    Args:
        hr: uint8 [crop_size, crop_size, 3].
        lr: uint8 [crop_size / 4, crop_size / 4, 3].
        ref: uint8 [h, w, 3], from 4×4; if smaller than the crop it is padded with black, after
            `ref_down_up` was made of it.

    Returns:
        A dict of float32 in [-1, 1].
    """
    crop_size = hr.shape[0]
    height, width = tf.unstack(tf.shape(ref)[:2])
    pad = [[0, crop_size - height], [0, crop_size - width], [0, 0]]

    def padded(picture):
        picture = tf.pad(picture, pad, constant_values=-1)
        return tf.ensure_shape(picture, [crop_size, crop_size, 3])

    made = inputs.network_inputs(lr, ref)
    refs = {name: padded(made[name]) for name in ("ref", "ref_down_up")}
    return {**made, **refs, "hr": inputs.to_float(hr)}


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
