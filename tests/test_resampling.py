import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.layers import Upsample, resize_up

# The taps that the released program was seen to use, from far left to far right.
TAPS = {
    2: [[-0.03515625, 0.26171875, 0.87890625, -0.10546875]],
    4: [
        [-0.06591797, 0.42626953, 0.74951172, -0.10986328],
        [-0.01025391, 0.11474609, 0.96728516, -0.07177734],
    ],
}


def resized(line, factor):
    taps = TAPS[factor] + [row[::-1] for row in reversed(TAPS[factor])]
    padded = np.pad(line, 2, mode="edge")
    out = []
    for i in range(len(line)):
        for phase, weights in enumerate(taps):
            first = i if phase < factor / 2 else i + 1
            out.append(padded[first : first + 4] @ weights)
    return np.array(out)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (6, 3), (16, 17), (35, 32)])
def test_equals_the_taps(rng, factor, size):
    x = rng.standard_normal((2, *size, 3))
    expected = np.apply_along_axis(resized, 2, np.apply_along_axis(resized, 1, x, factor), factor)
    # taps are given to eight digits
    np.testing.assert_allclose(resize_up(tf.constant(x, tf.float32), factor), expected, atol=1e-6)


@pytest.mark.parametrize("factor", [2, 4])
def test_the_gradient_is_the_transpose(rng, factor):
    x, dy = (
        tf.constant(rng.standard_normal((2, s * 5, s * 19, 3)), tf.float32) for s in (1, factor)
    )

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = resize_up(x, factor)
        return tape.gradient(y, x, dy)

    other = tf.constant(rng.standard_normal(x.shape), tf.float32)
    forth = tf.reduce_sum(resize_up(other, factor) * dy)
    np.testing.assert_allclose(forth, tf.reduce_sum(other * gradient(x)), rtol=1e-4)


def test_convolving_first_changes_nothing(rng):
    x = tf.constant(rng.standard_normal((1, 5, 4, 7)), tf.float32)
    layer = Upsample(6, 4)
    late = tf.nn.relu(layer(x) * 0 + layer.conv(resize_up(x, 4)))
    np.testing.assert_allclose(layer(x), late, atol=1e-5)
