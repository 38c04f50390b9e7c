"""Everything that a training needs to go on, on disk."""

import contextlib
import os

import numpy as np
import tensorflow as tf

from ttsr_tf import compat
from ttsr_tf.errors import InputError
from ttsr_tf.training.run_folder import CHECKPOINTS
from ttsr_tf.training.summaries import Recent


class TrainingState:
    """Both networks, all optimizers, the step, the best score, the table's next row, and which
    Keras wrote them: the optimizers' variables are not the same.

    The step is the position in the data too, and the random state: all randomness follows from
    the seed and an example's number.

    Args:
        gan: a compiled `GAN`.
        run_dir: the run's folder.
        keep: number of checkpoints to keep.

    Attributes:
        step: int; steps done.
        best_psnr: float, dB.
        recent: a `Recent`.
    """

    def __init__(self, gan, run_dir, keep=3):
        self.step, self.best_psnr, self.recent = 0, -np.inf, Recent()
        self._saved = {
            "step": tf.Variable(0, dtype=tf.int64, trainable=False),
            "best_psnr": tf.Variable(-np.inf, dtype=tf.float64, trainable=False),
            "recent": tf.Variable(str(self.recent), trainable=False),
            "generation": tf.Variable(compat.GENERATION, trainable=False),
        }
        parts = {
            "generator": gan.generator,
            "backbone_optimizer": gan.backbone_optimizer,
            "extractor_optimizer": gan.extractor_optimizer,
            "pretrained_optimizer": gan.pretrained_optimizer,
            "critic": gan.critic,
            "critic_optimizer": gan.critic_optimizer,
            "loss_scale": gan.loss_scale,
        }
        self._parts = {name: part for name, part in parts.items() if part} | self._saved
        folder = os.path.join(run_dir, CHECKPOINTS)
        self._manager = tf.train.CheckpointManager(tf.train.Checkpoint(**self._parts), folder, keep)

    def restore(self, max_steps):
        """Goes back to the last checkpoint, if there is one.

        Raises:
            InputError: it is damaged, of another network, written by another generation of Keras,
                or beyond `max_steps`.
        """
        path = self._manager.latest_checkpoint
        if not path:
            return
        try:
            _check_generation(path)
            status = tf.train.Checkpoint(**self._in(path)).restore(path)
            # What it holds beside them is a critic's that this run doesn't need.
            status.assert_existing_objects_matched().expect_partial()
        except InputError:  # a ValueError too
            raise
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"{path} can't be restored ({reason}). Remove its files and its line in the file "
                f"`checkpoint` beside them to go on from the one before."
            ) from None
        self.step = int(self._saved["step"])
        self.best_psnr = float(self._saved["best_psnr"])
        self.recent = Recent(self._saved["recent"].numpy().decode())
        if self.step > max_steps:
            raise InputError(
                f"`max_steps`={max_steps}: this run has done {self.step} steps. Give more."
            )

    def _in(self, path):
        """The parts that a checkpoint has to hold."""
        saved = {name.split("/")[0] for name, _ in tf.train.list_variables(path)}
        # A run that was to end within its pretraining has no critic, and may be made longer.
        new = set() if "critic" in saved else {"critic", "critic_optimizer"}
        new |= {"recent", "generation"} - saved  # 0.1 didn't keep them
        return {name: part for name, part in self._parts.items() if name not in new}

    def save(self):
        """Writes a checkpoint; those before the last few are removed once it is whole."""
        self._saved["step"].assign(self.step)
        self._saved["best_psnr"].assign(self.best_psnr)
        self._saved["recent"].assign(str(self.recent))
        self._manager.save(checkpoint_number=self.step)

    @contextlib.contextmanager
    def writing(self):
        """Around whatever is written: if the disk is full, say, tells what is safe.

        Raises:
            InputError: it can't be written; the last checkpoint stays.
        """
        last = self.last
        try:
            yield
        except (tf.errors.OpError, OSError, InputError) as error:
            reason = str(error).splitlines()[0][:300]
            raise InputError(
                f"Step {self.step} can't be written ({reason}). The last checkpoint, {last}, is "
                "whole: free some space, then give the same command to go on from it."
            ) from None

    @property
    def last(self):
        """The last checkpoint's path, or "none"."""
        return self._manager.latest_checkpoint or "none"


def _check_generation(path):
    """Raises InputError unless this Keras wrote a checkpoint, as far as it says."""
    reader = tf.train.load_checkpoint(path)
    key = "generation/.ATTRIBUTES/VARIABLE_VALUE"
    if not reader.has_tensor(key):
        return
    wrote = reader.get_tensor(key).decode()
    if wrote != compat.GENERATION:
        raise InputError(
            f"{path} was written on {wrote}, and this is {compat.GENERATION}, whose optimizers "
            f"keep other variables. Go on where it was written, or start a run "
            "of its own here with `finetune_from`, which takes its weights."
        )
