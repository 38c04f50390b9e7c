"""What is searched and pasted without TensorFlow is what its layers give."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.inference import pasting, search, shifting
from ttsr_tf.layers import Alignment, Relevance, ShiftedTransfer, Transfer

PADDINGS = "same", "valid"


def maps(rng, *shape):
    return rng.standard_normal((1, *shape)).astype(np.float32)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("sizes", [(6, 9, 7, 5), (53, 61, 50, 99), (3, 3, 3, 4)])
def test_the_search_is_the_layers(rng, padding, sizes):
    query, key = maps(rng, *sizes[:2], 5), maps(rng, *sizes[2:], 5)
    key[0, :, -1] = 0
    expected = Relevance(padding=padding)([tf.constant(query), tf.constant(key)])
    index, confidence = search.match(query, key, padding=padding)
    assert (index.dtype, confidence.dtype) == (np.int32, np.float32)
    np.testing.assert_array_equal(index, expected[0])
    np.testing.assert_allclose(confidence, expected[1], atol=1e-6)


@pytest.mark.parametrize("tiles", [4, 64])
def test_of_equal_patches_the_first_is_found(rng, monkeypatch, tiles):
    monkeypatch.setattr(search, "_SIDE", tiles)
    key = np.tile(rng.integers(-3, 4, size=(1, 5, 3, 4)), [1, 1, 3, 1]).astype(np.float32)
    index, _ = search.match(key, key, padding="valid")
    expected = np.pad(np.arange(1, 4)[:, None] * 9 + np.arange(7) % 3 + 1, 1, "edge")
    np.testing.assert_array_equal(index[0], expected)


def test_a_patch_of_zeros_has_no_confidence(rng):
    key = maps(rng, 5, 6, 4)
    index, confidence = search.match(np.zeros_like(key), key, padding="same")
    np.testing.assert_array_equal(index, 0)
    np.testing.assert_array_equal(confidence, 0)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("scale", "beyond"), [(1, 0), (2, 0), (2, 1), (4, 0), (4, 3)])
def test_what_is_pasted_is_the_layers(rng, scale, beyond, padding):
    value = maps(rng, 5 * scale + beyond, 3 * scale + beyond, 6)
    index = rng.integers(-1, 15, size=(1, 4, 7)).astype(np.int32)
    expected = Transfer(scale, padding=padding)([tf.constant(value), tf.constant(index)])
    found = pasting.transfer(value, index, scale, padding=padding)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("sizes", [(6, 9, 7, 5), (3, 4, 3, 3)])
def test_the_alignment_is_the_layers(rng, sizes):
    query, key = maps(rng, *sizes[:2], 48), maps(rng, *sizes[2:], 48)
    index = rng.integers(sizes[2] * sizes[3], size=(1, *sizes[:2])).astype(np.int32)
    found = shifting.align(query, key, index)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, Alignment()([query, key, index]))
    query[:] = 0.5  # nothing to go by
    np.testing.assert_array_equal(shifting.align(query, key, index), 25 * index + 12)


@pytest.mark.parametrize(("scale", "beyond"), [(1, 0), (2, 0), (2, 1), (4, 0), (4, 3)])
def test_what_is_shifted_and_pasted_is_the_layers(rng, scale, beyond):
    value = maps(rng, 5 * scale + beyond, 3 * scale + beyond, 6)
    index = rng.integers(-1, 25 * 15, size=(1, 4, 7)).astype(np.int32)
    found = shifting.transfer(value, index, scale)
    assert found.dtype == np.float32
    expected = ShiftedTransfer(scale)([tf.constant(value), tf.constant(index)])
    np.testing.assert_allclose(found, expected, atol=1e-6)
