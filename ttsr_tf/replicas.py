"""What a step does so that many replicas are as one. Call these in a replica's context."""

import tensorflow as tf


def averaged(gradients):
    """The gradients' mean over the replicas: what a norm of is that of the whole batch."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:  # two operations a variable fewer
        return gradients
    total = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    return [g / context.num_replicas_in_sync for g in total]


def apply(optimizer, gradients, variables):
    """Optimizers add the gradients of all replicas, which are alike here."""
    count = tf.distribute.get_replica_context().num_replicas_in_sync
    shares = gradients if count == 1 else [g / count for g in gradients]
    optimizer.apply_gradients(zip(shares, variables, strict=True))


def shares(numbers):
    """What, added over the replicas, is the mean."""
    count = tf.distribute.get_replica_context().num_replicas_in_sync
    return {name: tf.cast(value, tf.float32) / count for name, value in numbers.items()}
