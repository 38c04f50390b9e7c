"""Adam as PyTorch has it, and what keeps float16 gradients from vanishing."""

import keras
import tensorflow as tf


class Adam(keras.optimizers.Adam):
    """Adds epsilon to the root of the corrected second moment (Kingma and Ba 2015, algorithm 1).

    Keras' own adds it to the uncorrected root (their section 2), as if it were 32 times larger at
    the first step: weights with small gradients would move less than in the released program.
    """

    def update_step(self, gradient, variable, *learning_rate):
        given, step = self.epsilon, tf.cast(self.iterations + 1, tf.float32)
        self.epsilon = given * tf.sqrt(1 - self.beta_2**step)
        super().update_step(gradient, variable, *learning_rate)
        self.epsilon = given


class LossScale(tf.Module):
    """A factor for the loss that halves when gradients overflow and doubles after a while without.

    Keras' own `LossScaleOptimizer` decides in a conditional whether to apply a step, which fails
    under a distribution strategy; here a step with overflowing gradients is taken with zeros.

    Args:
        initial: the first factor.
        patience: steps without overflow after which it doubles.
    """

    def __init__(self, initial=2.0**15, patience=2000):
        super().__init__()
        self._patience = patience
        options = {"trainable": False, "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        self.factor = tf.Variable(initial, **options)
        self.steps_without_overflow = tf.Variable(0, **options)

    def unscaled(self, gradients):
        """The gradients of a loss that was multiplied by `factor`, divided by it, zeros if any
        isn't finite; and adapts the factor. All replicas must give the same gradients.
        """
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
        unscaled = [tf.where(finite, g / self.factor, tf.zeros_like(g)) for g in gradients]
        steps = tf.where(finite, self.steps_without_overflow + 1, 0)
        grows = steps == self._patience
        change = tf.where(finite, tf.where(grows, 2.0, 1.0), 0.5)
        self.factor.assign(tf.maximum(self.factor * change, 1.0))
        self.steps_without_overflow.assign(tf.where(grows, 0, steps))
        return unscaled
