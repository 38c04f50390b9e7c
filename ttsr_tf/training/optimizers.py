"""Adam as PyTorch has it, one operation a variable; what keeps float16 gradients from vanishing."""

import dataclasses

import keras
import tensorflow as tf

from ttsr_tf import compat
from ttsr_tf.errors import InputError

# Where Keras 3 and 2 add up the replicas' gradients. Version 3 has no public switch for it.
_SUMS = "_all_reduce_sum_gradients", "aggregate_gradients"


@dataclasses.dataclass(frozen=True)
class _Step:
    """What all variables share in a step, float32 scalars, by the fused update's names."""

    lr: tf.Tensor
    beta1: tf.Tensor
    beta2: tf.Tensor
    beta1_power: tf.Tensor
    beta2_power: tf.Tensor
    epsilon: tf.Tensor


@keras.saving.register_keras_serializable("ttsr_tf")
class Adam(keras.optimizers.Adam):
    """Adds epsilon to the root of the corrected second moment (Kingma and Ba 2015, algorithm 1).

    Keras' own adds it to the uncorrected root (their section 2), as if it were 32 times larger at
    the first step: weights with small gradients would move less than in the released program.
    It also writes forty operations for every variable, half of a training step's graph; here
    TensorFlow's fused update is one. Averaged weights (`use_ema`) start at those of the first step.

    Under a strategy `apply_gradients` adds up the replicas' gradients, as Keras' does;
    `apply_alike` doesn't, which spares the second of two sums where they have been added up before.

    Variables and gradients must be float32, as under every policy of Keras.

    Raises:
        InputError: `amsgrad`, which the fused update has not.
    """

    _alike = False  # what is being applied is on all replicas

    def build(self, variables):
        if self.amsgrad:
            raise InputError("`amsgrad` must be False for this Adam.")
        super().build(variables)

    def apply_gradients(self, grads_and_vars, *args, **kwargs):
        rate, beta_1, beta_2 = (
            tf.cast(x, tf.float32) for x in (self.learning_rate, self.beta_1, self.beta_2)
        )
        step = tf.cast(self.iterations + 1, tf.float32)
        powers = beta_1**step, beta_2**step
        # Beside the uncorrected root, epsilon has to be as much smaller as that is.
        self._step = _Step(rate, beta_1, beta_2, *powers, self.epsilon * tf.sqrt(1 - powers[1]))
        try:
            return super().apply_gradients(grads_and_vars, *args, **kwargs)
        finally:
            self._step = None

    def apply_alike(self, grads_and_vars):
        """`apply_gradients` of gradients that are the same on all replicas."""
        if not any(hasattr(keras.optimizers.Adam, name) for name in _SUMS):
            count = tf.distribute.get_replica_context().num_replicas_in_sync
            return self.apply_gradients([(g / count, v) for g, v in grads_and_vars])
        self._alike = True
        try:
            return self.apply_gradients(grads_and_vars)
        finally:
            self._alike = False

    def _all_reduce_sum_gradients(self, grads_and_vars):
        pairs = list(grads_and_vars)
        return pairs if self._alike else super()._all_reduce_sum_gradients(pairs)

    def aggregate_gradients(self, grads_and_vars):
        pairs = list(grads_and_vars)
        return pairs if self._alike else super().aggregate_gradients(pairs)

    def update_step(self, gradient, variable, *learning_rate):
        del learning_rate  # as Keras 3 gives it, read anew for every variable
        place, step = compat.slot_index(self, variable), self._step
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=compat.tensorflow_variable(self._momentums[place]).handle,
            v=compat.tensorflow_variable(self._velocities[place]).handle,
            beta1_power=step.beta1_power,
            beta2_power=step.beta2_power,
            lr=step.lr,
            beta1=step.beta1,
            beta2=step.beta2,
            epsilon=step.epsilon,
            grad=gradient,
        )

    def _update_model_variables_moving_average(self, variables):
        with compat.averages_of_updates(self):
            super()._update_model_variables_moving_average(variables)


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
