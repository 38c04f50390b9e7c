"""Adam as PyTorch has it, as one operation a variable."""

import dataclasses

import keras
import tensorflow as tf

from ttsr_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class _Step:
    """What all variables share in a step, scalars: powers of both betas, and epsilon."""

    beta_1_power: tf.Tensor
    beta_2_power: tf.Tensor
    epsilon: tf.Tensor


class Adam(keras.optimizers.Adam):
    """Adds epsilon to the root of the corrected second moment (Kingma and Ba 2015, algorithm 1).

    Keras' own adds it to the uncorrected root (their section 2), as if it were 32 times larger at
    the first step: weights with small gradients would move less than in the released program.
    It also writes forty operations for every variable, half of a training step's graph; here
    TensorFlow's fused update is one.

    Raises:
        InputError: `amsgrad`, which the fused update has not.
    """

    def build(self, variables):
        if self.amsgrad:
            raise InputError("`amsgrad` must be False for this Adam.")
        super().build(variables)

    def apply_gradients(self, grads_and_vars, *args, **kwargs):
        step = tf.cast(self.iterations + 1, tf.float32)
        beta_1_power, beta_2_power = (beta**step for beta in (self.beta_1, self.beta_2))
        # Beside the uncorrected root, epsilon has to be as much smaller as that is.
        self._step = _Step(beta_1_power, beta_2_power, self.epsilon * tf.sqrt(1 - beta_2_power))
        try:
            return super().apply_gradients(grads_and_vars, *args, **kwargs)
        finally:
            self._step = None

    def update_step(self, gradient, variable, *learning_rate):
        place, rate = (
            _place(self, variable),
            learning_rate[0] if learning_rate else self.learning_rate,
        )
        moments = (_plain(slots[place]) for slots in (self._momentums, self._velocities))
        m, v = (moment.handle for moment in moments)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=m,
            v=v,
            beta1_power=self._step.beta_1_power,
            beta2_power=self._step.beta_2_power,
            lr=tf.cast(rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self._step.epsilon,
            grad=tf.cast(gradient, variable.dtype),
        )


def _place(optimizer, variable):
    """The variable's place in the optimizer's lists of slots."""
    if hasattr(optimizer, "_get_variable_index"):
        return optimizer._get_variable_index(variable)
    return optimizer._index_dict[optimizer._var_key(variable)]  # Keras 2


def _plain(variable):
    """TensorFlow's variable in Keras' one, which Keras 2 doesn't have."""
    return variable if isinstance(variable, tf.Variable) else variable.value
