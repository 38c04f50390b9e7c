import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.layers import Transfer


def pasted(value, index, scale, height, width):
    """From the definition: patches of 3·scale, added in place, over 9; none for index -1."""
    key_height, key_width = value.shape[0] // scale, value.shape[1] // scale
    padded = np.pad(value, ((scale, 2 * scale), (scale, 2 * scale), (0, 0)))
    canvas = np.zeros((scale * (height + 2), scale * (width + 2), value.shape[2]))
    for y in range(height):
        for x in range(width):
            if index[y, x] < 0:
                continue
            row, column = divmod(index[y, x], key_width)
            assert row < key_height
            patch = padded[scale * row :, scale * column :][: 3 * scale, : 3 * scale]
            canvas[scale * y :, scale * x :][: 3 * scale, : 3 * scale] += patch
    return canvas[scale:-scale, scale:-scale] / 9


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("beyond", [0, 1])  # pixels over the last whole block
def test_equals_the_definition(rng, scale, beyond):
    beyond = min(beyond, scale - 1)
    value = rng.standard_normal((2, 5 * scale + beyond, 3 * scale + beyond, 6))
    index = rng.integers(-1, 15, size=(2, 4, 7))
    textures = Transfer(scale)([tf.constant(value, tf.float32), tf.constant(index, tf.int32)])
    expected = [pasted(v, i, scale, 4, 7) for v, i in zip(value, index, strict=True)]
    np.testing.assert_allclose(textures, expected, atol=1e-6)


def test_gradient_counts_how_often_a_pixel_was_pasted():
    value = tf.Variable(np.zeros((1, 4, 6, 1), np.float32))
    index = tf.zeros([1, 2, 5], tf.int32)  # only the top left patch
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(Transfer(2)([value, index]))
    gradient = np.array(tape.gradient(loss, value))[0, ..., 0]
    # Blocks of 2×2: the patch's centre, right, lower and lower right block; how many of the ten
    # pastes keep that block within the picture, over 9.
    expected = np.kron([[10, 8, 0], [5, 4, 0]], np.ones((2, 2))) / 9
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)
