"""Where training runs: one device, all of this machine's, or several machines'; many as one."""

import contextlib
import json
import time
from typing import NamedTuple

import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.training.optimizers import Adam

STOP = "stop"  # what a step reports of a wish to stop
_FEATURES_AT_ONCE = 160**2 * 64  # of one pair as published


def choose(tf_config=None):
    """The strategy for the devices at hand; call it before any other operation.

    Args:
        tf_config: text of the environment variable TF_CONFIG, where this process is one of several
            workers. Without it several GPUs are all used, otherwise the one GPU or the CPU.

    Raises:
        InputError: `tf_config` can't be used.
    """
    if tf_config is not None:
        return tf.distribute.MultiWorkerMirroredStrategy(_resolver(tf_config))
    if len(tf.config.get_visible_devices("GPU")) > 1:
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
            f"`batch_size`={batch_size} can't be divided among {count} devices. It counts the "
            f"pairs of all devices together: give a multiple of {count}."
        )


def micro_batch_size(crop_size, num_features):
    """How many pairs of a batch a device takes at once: GPUs all, None; CPUs as many as hold no
    more features than one pair as published, with which they are as fast as with more.

    Args:
        crop_size: HR's side, pixels.
        num_features: the backbone's channels.
    """
    if tf.config.get_visible_devices("GPU"):
        return None
    return max(_FEATURES_AT_ONCE // (crop_size**2 * num_features), 1)


@contextlib.contextmanager
def lost_workers_reported(strategy, last_checkpoint):
    """Turns what TensorFlow raises when another worker is gone into one line.

    Args:
        strategy: the workers'; of one process alone nothing is turned.
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
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"Another worker is gone ({reason}). Start all workers again with the same command: "
            f"they go on from the last checkpoint, {last_checkpoint()}."
        ) from None


def read_every():
    """After how many steps what they report is read. On GPUs a reading waits for all that was
    begun, after which they have nothing to do; on CPUs a step is done when its call returns.
    """
    return 10 if tf.config.get_visible_devices("GPU") else 1


class Report(NamedTuple):
    """What a step reports, on the device still: its names, and float32 [number of names]."""

    names: list
    numbers: tf.Tensor

    def read(self):
        """A dict of floats."""
        return dict(zip(self.names, map(float, self.numbers.numpy()), strict=True))


def step(strategy, method):
    """A replica's step made one of all replicas, in a graph that is built at the first call.

    Args:
        strategy: where.
        method: function from a batch to a dict of scalars, this replica's numbers.

    Returns:
        A function from a batch and a wish to stop to a `Report`: the means, and `STOP`, which is 0
        if no worker has the wish.
    """
    names = []

    def of_replica(batch, stop):
        report = {**method(batch), STOP: stop}
        names[:] = report
        # One vector, so that workers meet once; here, since `strategy.reduce` would fetch it.
        return averaged([tf.stack(list(report.values()))])[0]

    @tf.function(autograph=False)
    def of_all(batch, stop):
        means = strategy.run(of_replica, (batch, stop))
        return strategy.experimental_local_results(means)[0]

    def call(batch, stop):
        first, start = not names, time.monotonic()
        if first:
            print("Building the step's graph …", flush=True)
        numbers = of_all(batch, tf.constant(float(stop)))
        if first:
            numbers.numpy()
            print(
                f"… built, and the first step done, in {time.monotonic() - start:.0f} s.",
                flush=True,
            )
        return Report(names, numbers)

    return call


def number(variable):
    """A scalar's value as Python has it, on one device or mirrored on several."""
    return tf.convert_to_tensor(variable).numpy().item()


def averaged(gradients):
    """The gradients' mean over the replicas: what a norm of is that of the whole batch."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:  # two operations a variable fewer
        return gradients
    total = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    return [g / context.num_replicas_in_sync for g in total]


def apply(optimizer, gradients, variables):
    """Applies gradients that are alike on all replicas."""
    count = tf.distribute.get_replica_context().num_replicas_in_sync
    if isinstance(optimizer, Adam) and count > 1:
        optimizer.apply_alike(list(zip(gradients, variables, strict=True)))
        return
    # Other optimizers add them up once more.
    shares = gradients if count == 1 else [g / count for g in gradients]
    optimizer.apply_gradients(zip(shares, variables, strict=True))


def _resolver(config):
    try:
        parsed = json.loads(config)
        workers, task = parsed["cluster"], parsed["task"]
        workers[task["type"]][task["index"]]
        return tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(workers),
            task_type=task["type"],
            task_id=task["index"],
            rpc_layer="grpc",
        )
    except (ValueError, KeyError, IndexError, TypeError):
        raise InputError(
            f"TF_CONFIG={config!r} must be JSON such as "
            '{"cluster": {"worker": ["host1:9000", "host2:9000"]}, '
            '"task": {"type": "worker", "index": 0}}.'
        ) from None
