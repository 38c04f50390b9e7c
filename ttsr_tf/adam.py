"""Adam as PyTorch has it."""

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
