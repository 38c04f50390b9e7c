"""Small trainings of a network of one convolution, and what they leave."""

import csv

import numpy as np
import tensorflow as tf

from ttsr_tf.training import TrainingConfig

SMALL = {
    "dataset": "sample",
    "vgg19_weights": "random",
    "perceptual_weight": 0,
    "crop_size": 32,
    "batch_size": 2,
    "pretrain_steps": 4,
    "summary_every": 3,
    "validate_every": 5,
    "learning_rate": 1e-3,
}


def config(run_dir, **changed):
    return TrainingConfig(run_dir=str(run_dir), **{**SMALL, "max_steps": 10, **changed})


class StopAfter:
    """Somebody wants to stop after a number of steps; `then` is called before that."""

    def __init__(self, steps, then=None):
        self._left, self._then = steps, then

    @property
    def requested(self):
        self._left -= 1
        if self._left == 0 and self._then:
            self._then()
        return self._left == 0 and not self._then


def everything(run_dir):
    """All that the last checkpoint holds, but for the time that steps took."""
    reader = tf.train.load_checkpoint(str(run_dir / "checkpoints"))
    names = sorted(reader.get_variable_to_shape_map())
    left_out = "_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter", "recent"
    return {name: reader.get_tensor(name) for name in names if not name.startswith(left_out)}


def assert_same(a, b):
    a, b = everything(a), everything(b)
    assert list(a) == list(b)
    assert any("optimizer" in name for name in a)
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name], err_msg=name)


def rows(run_dir):
    """The table without the time."""
    with open(run_dir / "scalars.csv", newline="") as file:
        found = list(csv.DictReader(file))
    assert all(float(row.pop("steps_per_second") or 1) > 0 for row in found)
    return {int(row["step"]): row for row in found}
