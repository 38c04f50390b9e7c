"""A step of the critic."""

import tensorflow as tf

from ttsr_tf.training import distribution, losses
from ttsr_tf.training.gradients import clipped

REPORTED = "critic", "gradient_penalty", "norm/critic"


def train_critic(critic, optimizer, *, hr, sr, epsilon, global_clipnorm=None):
    """Lowers the Wasserstein loss with its gradient penalty.

    Of a critic with spectral normalization the singular vectors are updated, and its kernels
    divided, once, at the end. So what judges the generator is normalized, too.

    Args:
        critic: a built `Critic`.
        optimizer: its own.
        hr, sr: float [B, H, W, 3].
        epsilon: float32 [B], which mixes them for the penalty.
        global_clipnorm: bound on the gradient's norm, or None.

    Returns:
        This replica's numbers, those of `REPORTED`, a dict.
    """
    sr = tf.stop_gradient(tf.cast(sr, tf.float32))
    variables = critic.trainable_variables
    with tf.GradientTape() as tape:
        found = {
            "critic": losses.critic(critic(hr), critic(sr)),
            "gradient_penalty": losses.gradient_penalty(critic, hr, sr, epsilon=epsilon),
        }
        loss = found["critic"] + losses.PENALTY_WEIGHT * found["gradient_penalty"]
    gradients = distribution.averaged(tape.gradient(loss, variables))
    gradients = clipped(gradients, global_clipnorm)
    distribution.apply(optimizer, gradients, variables)
    if critic.non_trainable_variables:  # the vectors
        critic(hr[:1], training=True)  # any picture will do
    return {**found, "norm/critic": tf.linalg.global_norm(gradients)}
