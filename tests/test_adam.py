"""Adam against PyTorch's formula, with gradients as small as its epsilon."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.training.optimizers import Adam


def _expected(weights, gradients, rate, betas, epsilon=1e-8):
    m = v = 0
    for step, g in enumerate(gradients, 1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        root = np.sqrt(v / (1 - betas[1] ** step)) + epsilon
        weights = weights - rate * m / (1 - betas[0] ** step) / root
    return weights


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.9)])
def test_steps(rng, betas):
    weights = rng.standard_normal((3, 5))
    gradients = rng.standard_normal((4, 3, 5)) * 10.0 ** rng.uniform(-10, 0, (3, 5))
    variable = tf.Variable(weights, dtype=tf.float32)
    optimizer = Adam(0.1, *betas, epsilon=1e-8)

    @tf.function
    def step(gradient):
        optimizer.apply_gradients([(gradient, variable)])

    for gradient in gradients:
        step(tf.constant(gradient, tf.float32))
    expected = _expected(weights, gradients, 0.1, betas)
    # float32 has 1 - 0.999 to four digits only. By Keras' formula it would be 0.05 apart.
    np.testing.assert_allclose(variable, expected, atol=1e-5)
    assert optimizer.get_config()["epsilon"] == 1e-8
