"""Adam against PyTorch's formula, with gradients as small as its epsilon."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.errors import InputError
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


def test_a_schedule_and_an_average(rng):
    """The rate is that of the step; the average takes in the weights after every step."""
    weights = rng.standard_normal(6)
    gradients = rng.standard_normal((3, 6))
    variable = tf.Variable(weights, dtype=tf.float32)
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.0])  # two steps of three
    optimizer = Adam(rate, epsilon=1e-8, use_ema=True, ema_momentum=0.75)
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient, tf.float32), variable)])
    first, second = (_expected(weights, gradients[:n], 0.1, (0.9, 0.999)) for n in (1, 2))
    np.testing.assert_allclose(variable, second, atol=1e-6)
    optimizer.finalize_variable_values([variable])
    average = 0.75 * (0.75 * first + 0.25 * second) + 0.25 * second
    np.testing.assert_allclose(variable, average, atol=1e-6)


def test_a_variable_adds_few_operations(rng):
    def nodes(count):
        variables = [tf.Variable(rng.standard_normal(3), dtype=tf.float32) for _ in range(count)]
        optimizer = Adam(0.1)
        optimizer.build(variables)
        step = tf.function(
            lambda *gradients: optimizer.apply_gradients(zip(gradients, variables, strict=True)),
            autograph=False,
        )
        graph = step.get_concrete_function(*[tf.TensorSpec([3])] * count).graph
        return len(graph.get_operations())

    # Three inputs of the graph, the gradient, the update with its betas; Keras' own is 44.
    assert (nodes(5) - nodes(2)) / 3 <= 10


def test_amsgrad_is_refused():
    with pytest.raises(InputError, match="`amsgrad` must be False"):
        Adam(amsgrad=True).build([tf.Variable(1.0)])
