"""Where training runs: one device, all of this machine's, or several machines'."""

import contextlib
import json
import os

import tensorflow as tf

from ttsr_tf.errors import InputError


def choose():
    """The strategy for the devices at hand; call it before any other operation.

    With TF_CONFIG set, this process is one of several workers; with several GPUs, all are used;
    otherwise the one GPU or the CPU.

    Raises:
        InputError: TF_CONFIG can't be used.
    """
    if "TF_CONFIG" in os.environ:
        _check(os.environ["TF_CONFIG"])
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def is_chief(strategy):
    """Whether this process is the one that writes."""
    cluster = strategy.cluster_resolver
    if not cluster or not cluster.cluster_spec().jobs:
        return True
    has_chief = "chief" in cluster.cluster_spec().jobs
    return cluster.task_type == "chief" or (not has_chief and cluster.task_id == 0)


def check_batch_size(strategy, batch_size):
    """Raises InputError unless the replicas divide the global batch."""
    count = strategy.num_replicas_in_sync
    if batch_size % count:
        raise InputError(
            f"--batch_size={batch_size} can't be divided among {count} devices. It counts the "
            f"pairs of all devices together: give a multiple of {count}."
        )


def pairs_at_once():
    """How many pairs of a batch a device takes at once: GPUs all, None; CPUs are faster with 1."""
    return None if tf.config.list_physical_devices("GPU") else 1


@contextlib.contextmanager
def lost_workers_reported(last_checkpoint):
    """Turns what TensorFlow raises when another worker is gone into one line.

    Args:
        last_checkpoint: function to the path of the last one.
    """
    try:
        yield
    except (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.DeadlineExceededError,
    ) as error:
        if "TF_CONFIG" not in os.environ:
            raise
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"Another worker is gone ({reason}). Start all workers again with the same command: "
            f"they go on from the last checkpoint, {last_checkpoint()}."
        ) from None


def _check(config):
    try:
        parsed = json.loads(config)
        workers, task = parsed["cluster"], parsed["task"]
        workers[task["type"]][task["index"]]
    except (ValueError, KeyError, IndexError, TypeError):
        raise InputError(
            f"TF_CONFIG={config!r} must be JSON such as "
            '{"cluster": {"worker": ["host1:9000", "host2:9000"]}, '
            '"task": {"type": "worker", "index": 0}}.'
        ) from None
