"""What layers are traced as for other runtimes is what they are."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.layers import (
    Alignment,
    Relevance,
    ShiftedTransfer,
    Transfer,
    portable,
    resize_up,
)


def both(function, *inputs):
    """What a function gives by itself, and in a graph of free sizes for another runtime."""

    @tf.function(
        input_signature=[tf.TensorSpec([1, None, None, *x.shape[3:]], x.dtype) for x in inputs]
    )
    def graph(*inputs):
        with portable.traced(portable.LITERT):
            return function(*inputs)

    plain = function(*inputs)
    assert not portable.wanted()
    return plain, graph(*inputs)


def maps(rng, *shape):
    return tf.constant(rng.standard_normal((1, *shape)), tf.float32)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("size", [(1, 1), (2, 5), (6, 3)])
def test_enlargement(rng, factor, size):
    plain, portable_form = both(lambda x: resize_up(x, factor), maps(rng, *size, 3))
    np.testing.assert_allclose(portable_form, plain, atol=1e-6)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_matching(rng, padding):
    layer = Relevance(padding=padding)
    query, key = maps(rng, 6, 9, 5), maps(rng, 7, 5, 5)
    key = tf.concat([key, key[:, :, :2], tf.zeros([1, 7, 4, 5])], 2)  # patches twice, and of zeros
    (index, confidence), (other_index, other_confidence) = both(lambda *x: layer(x), query, key)
    np.testing.assert_array_equal(other_index, index)
    np.testing.assert_allclose(other_confidence, confidence, atol=1e-6)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_transfer(rng, scale, padding):
    layer = Transfer(scale, padding=padding)
    index = tf.constant(rng.integers(-1, 15, size=(1, 4, 7)), tf.int32)
    plain, other = both(lambda *x: layer(x), maps(rng, 5 * scale, 3 * scale, 6), index)
    np.testing.assert_allclose(other, plain, atol=1e-6)


def test_alignment(rng):
    layer, index = Alignment(), tf.constant(rng.integers(35, size=(1, 6, 9)), tf.int32)
    plain, other = both(lambda *x: layer(x), maps(rng, 6, 9, 48), maps(rng, 7, 5, 48), index)
    np.testing.assert_array_equal(other, plain)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_shifted_transfer(rng, scale):
    layer = ShiftedTransfer(scale)
    index = tf.constant(rng.integers(-1, 25 * 15, size=(1, 4, 7)), tf.int32)
    plain, other = both(lambda *x: layer(x), maps(rng, 5 * scale, 3 * scale, 6), index)
    np.testing.assert_allclose(other, plain, atol=1e-6)
