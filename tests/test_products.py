"""Products of matrices where TensorFloat-32 rounds the factors, which is imitated."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import devices
from ttsr_tf.layers import search
from ttsr_tf.layers.products import float32_product

MATMUL = tf.matmul


def _rounded(x):
    """To ten bits of fraction, to the nearest, as tensor cores do."""
    bits = np.asarray(x).view(np.int32).astype(np.int64)
    return tf.constant(((bits + 2**12) & ~(2**13 - 1)).astype(np.int32).view(np.float32))


@pytest.fixture
def tensor_float_32(monkeypatch):
    def matmul(a, b, transpose_b=False):
        return MATMUL(_rounded(a), _rounded(b), transpose_b=transpose_b)

    monkeypatch.setattr(tf, "matmul", matmul)
    monkeypatch.setattr(devices, "has_tensor_float_32", lambda: True)


@pytest.mark.parametrize("transpose_b", [False, True])
def test_factors_are_not_rounded(tensor_float_32, transpose_b):
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=size).astype(np.float32) for size in ((3, 5, 70), (3, 70, 4)))
    exact = a.astype(np.float64) @ b
    b = b.swapaxes(1, 2).copy() if transpose_b else b
    rough = tf.matmul(a, b, transpose_b=transpose_b)
    found = float32_product(tf.constant(a), tf.constant(b), transpose_b=transpose_b)
    assert np.abs(rough - exact).max() > 1e-3
    assert np.abs(found - exact).max() < 1e-5


def test_a_search_finds_what_it_finds_elsewhere(tensor_float_32, monkeypatch):
    """Among patches that differ by less than TensorFloat-32 holds."""
    rng = np.random.default_rng(1)
    query = rng.normal(size=(1, 6, 8, 4)).astype(np.float32)
    key = np.tile(query[:, :5, :5], (1, 3, 4, 1))
    key *= 1 + 1e-2 * rng.normal(size=key.shape).astype(np.float32)

    def found():
        return search.best_match.python_function(tf.constant(query), tf.constant(key), 64).numpy()

    split = found()
    monkeypatch.setattr(devices, "has_tensor_float_32", lambda: False)
    rounded = found()
    monkeypatch.setattr(tf, "matmul", MATMUL)
    expected = found()
    np.testing.assert_array_equal(split, expected)
    assert (rounded != expected).any()
