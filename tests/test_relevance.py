import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.layers import Relevance

FORMS = ("streamed", "patches")


def unit_patches(x):
    """From the definition: [H, W, C] → [H·W, 9·C]."""
    height, width, _ = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    patches = np.stack(
        [padded[y : y + 3, x : x + 3].ravel() for y in range(height) for x in range(width)]
    )
    return patches / np.maximum(np.linalg.norm(patches, axis=1, keepdims=True), 1e-12)


@pytest.fixture
def pictures(rng):
    query, key = rng.standard_normal((2, 5, 9, 12)), rng.standard_normal((2, 11, 6, 12))
    return tf.constant(query, tf.float32), tf.constant(key, tf.float32)


@pytest.mark.parametrize("matching", FORMS)
def test_equals_the_definition(pictures, matching):
    index, confidence = Relevance(matching)(pictures)
    for i, (query, key) in enumerate(zip(*map(np.float64, pictures), strict=True)):
        similarity = unit_patches(query) @ unit_patches(key).T
        np.testing.assert_array_equal(np.ravel(index[i]), similarity.argmax(1))
        # float32 sums of 108 products of unit vectors
        np.testing.assert_allclose(np.ravel(confidence[i]), similarity.max(1), atol=1e-6)


@pytest.mark.parametrize("matching", FORMS)
def test_first_of_equals_wins(matching):
    # The key repeats with period 4, so that every match is found several times: also across tiles.
    tile = np.random.default_rng(0).standard_normal((1, 4, 4, 1024))
    key = tf.constant(np.tile(tile, (1, 9, 9, 1)), tf.float32)  # 36×36
    index, _ = Relevance(matching, matching_memory_mb=1)([key[:, 12:22], key])
    rows, columns = np.divmod(np.array(index)[0, 1:-1, 1:-1], 36)
    assert rows.max() <= 4 and columns.max() <= 4  # the first whole period, off the border


def test_tiles_change_nothing(rng):
    query = tf.constant(rng.standard_normal((2, 30, 40, 16)), tf.float32)
    key = tf.constant(rng.standard_normal((2, 44, 52, 16)), tf.float32)
    whole = Relevance(matching_memory_mb=1024)([query, key])
    tiled = Relevance(matching_memory_mb=1)([query, key])
    np.testing.assert_array_equal(whole[0], tiled[0])
    np.testing.assert_array_equal(whole[1], tiled[1])


@pytest.mark.parametrize("width", [20, 43, 50, 100])
def test_several_tiles_equal_the_plain_form(rng, width):
    query = tf.constant(rng.standard_normal((2, 53, width, 16)), tf.float32)
    key = tf.constant(rng.standard_normal((2, 60, 82, 16)), tf.float32)  # tiles of 30×41
    (index, score), (plain, plain_score) = (Relevance(form)([query, key]) for form in FORMS)
    np.testing.assert_array_equal(index, plain)
    np.testing.assert_allclose(score, plain_score, atol=1e-6)


def test_negative_scores_are_found(rng):
    key = tf.constant(np.abs(rng.standard_normal((1, 7, 5, 4))), tf.float32)
    (index, score), (plain, plain_score) = (Relevance(form)([-key, key]) for form in FORMS)
    assert np.array(plain_score).max() < 0
    np.testing.assert_array_equal(index, plain)
    np.testing.assert_allclose(score, plain_score, atol=1e-6)


@pytest.mark.parametrize("matching", FORMS)
def test_empty_patches_score_nothing(matching):
    index, confidence = Relevance(matching)([tf.zeros([1, 5, 6, 8]), tf.ones([1, 4, 7, 8])])
    np.testing.assert_array_equal(confidence, np.zeros([1, 5, 6, 1]))
    np.testing.assert_array_equal(index, np.zeros([1, 5, 6]))


def test_gradient_of_confidence_is_the_plain_forms(pictures, rng):
    weights = tf.constant(rng.standard_normal((2, 5, 9, 1)), tf.float32)
    gradients = []
    for form in FORMS:
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            loss = tf.reduce_sum(Relevance(form)(pictures)[1] * weights)
        gradients.append(tape.gradient(loss, pictures))
    for streamed, plain in zip(*gradients, strict=True):
        np.testing.assert_allclose(streamed, plain, atol=1e-6)


def test_too_little_memory_says_how_much_is_enough():
    query, key = tf.ones([1, 3, 20, 8000]), tf.ones([1, 5, 30, 8000])
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"is too small, give at least\] \[2\]"
    ):
        Relevance(matching_memory_mb=1)([query, key])
    Relevance(matching_memory_mb=2)([query, key])


def test_unknown_matching():
    with pytest.raises(InputError, match="must be streamed, patches or clustered, got 'fast'"):
        Relevance("fast")
