"""The search of likely patches finds nearly the best ones, in TensorFlow and in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import clusters
from ttsr_tf.inference import clustered, search
from ttsr_tf.layers import Relevance, clustered_search

BOTH = "tensorflow", "numpy"


@pytest.fixture(autouse=True)
def of_any_size(monkeypatch):
    """Also small maps are searched so."""
    monkeypatch.setattr(clusters, "LEAST_PAIRS", 0)


def matched(query, key, *, by, padding="same"):
    if by == "numpy":
        return search.match(query, key, padding=padding, fast=True)
    layer = Relevance("clustered", padding=padding)
    return [x.numpy() for x in layer([tf.constant(query), tf.constant(key)])]


def maps(rng, height, width):
    """Like an extractor's: smooth, from 0, of fewer dimensions than channels."""
    hidden = rng.standard_normal((height + 4, width + 4, 6))
    return sum(hidden[y : y + height, x : x + width] for y in range(5) for x in range(5))


def of_photographs(rng, query_size, key_size):
    mixed = rng.standard_normal((6, 64))
    key = maps(rng, *key_size)
    query = maps(rng, *query_size)
    height, width = (min(sizes) // 2 for sizes in zip(query_size, key_size, strict=True))
    query[:height, :width] = key[-height:, -width:]  # a part that both show
    query += 0.1 * rng.standard_normal(query.shape)
    return (np.maximum(x @ mixed, 0).astype(np.float32)[None] for x in (query, key))


@pytest.mark.parametrize("by", BOTH)
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_nearly_the_best_matches(rng, by, padding):
    query, key = of_photographs(rng, (43, 61), (52, 47))
    index, confidence = matched(query, key, by=by, padding=padding)
    _, best = search.match(query, key, padding=padding)
    assert (index.dtype, confidence.dtype) == (np.int32, np.float32)
    assert np.mean(best - confidence <= 0.01) >= 0.95
    assert confidence.max() <= 1 + 1e-5 and (confidence <= best + 1e-5).all()


@pytest.mark.parametrize("by", BOTH)
def test_confidence_is_of_what_was_found(rng, by):
    query, key = of_photographs(rng, (20, 31), (33, 26))
    index, confidence = matched(query, key, by=by)
    query, key = (np.pad(x[0], [(1, 1), (1, 1), (0, 0)]) for x in (query, key))
    for y, x in np.ndindex(20, 31):
        row, column = divmod(index[0, y, x], 26)
        a, b = query[y : y + 3, x : x + 3], key[row : row + 3, column : column + 3]
        expected = (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)
        np.testing.assert_allclose(confidence[0, y, x, 0], expected, rtol=1e-4)


@pytest.mark.parametrize("by", BOTH)
def test_a_picture_finds_itself(rng, by):
    _, key = of_photographs(rng, (9, 9), (37, 52))
    index, confidence = matched(key, key, by=by)
    assert np.mean(index[0] == np.arange(37 * 52).reshape(37, 52)) > 0.999
    assert confidence.min() > 0.999


@pytest.mark.parametrize("by", BOTH)
@pytest.mark.parametrize("sizes", [(3, 3, 3, 3), (3, 70, 3, 4), (5, 4, 3, 90)])
def test_maps_smaller_than_what_is_looked_for(rng, by, sizes):
    query, key = of_photographs(rng, sizes[:2], sizes[2:])
    index, confidence = matched(query, key, by=by)
    _, best = search.match(query, key, padding="same")
    assert index.min() >= 0 and index.max() < sizes[2] * sizes[3]
    assert np.mean(best - confidence) < 0.02


@pytest.mark.parametrize("by", BOTH)
def test_plain_areas(rng, by):
    query, key = of_photographs(rng, (20, 20), (24, 22))
    query[:, :8], key[:, :9] = 0, 0
    index, confidence = matched(query, key, by=by)
    assert np.isfinite(confidence).all() and index.max() < 24 * 22
    np.testing.assert_array_equal(confidence[0, :6], 0)


@pytest.mark.parametrize("cluster", [clustered_search._clusters, clustered._clusters])
def test_no_cluster_is_large(rng, cluster):
    vectors = rng.standard_normal((500, clusters.COMPONENTS)).astype(np.float32)
    vectors[rng.permutation(500)[:300]] = vectors[0]  # a plain area
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    order, found = cluster(vectors)
    order, vectors_of, centres, ends = map(np.asarray, (order, *found))
    np.testing.assert_array_equal(np.sort(order), np.arange(500))
    np.testing.assert_array_equal(vectors_of, vectors[order])
    assert len(centres) == len(ends) and ends[-1] == 500
    sizes = np.diff(ends, prepend=0)
    assert sizes.min() >= 0 and sizes.max() < 100
    # The parts are of their clusters: nothing is nearer to another's centre.
    own = np.einsum("nd,nd->n", vectors_of, np.repeat(centres, sizes, 0))
    np.testing.assert_allclose(own, (vectors_of @ centres.T).max(-1), atol=1e-5)


@pytest.mark.parametrize("by", BOTH)
def test_small_blocks_change_nothing(rng, monkeypatch, by):
    query, key = of_photographs(rng, (21, 34), (30, 25))
    expected = matched(query, key, by=by)
    if by == "tensorflow":
        monkeypatch.setattr(clustered_search, "BLOCK", 3000)
        traced = clustered_search.good_matches.python_function
        monkeypatch.setattr("ttsr_tf.layers.relevance.good_matches", traced)
    else:
        monkeypatch.setattr(clusters, "BLOCK", 3000)
    found = matched(query, key, by=by)
    assert np.mean(found[0] == expected[0]) > 0.99
    np.testing.assert_allclose(found[1], expected[1], atol=0.02)


def test_of_few_pairs_all_are_compared(rng, monkeypatch):
    monkeypatch.setattr(clusters, "LEAST_PAIRS", 20 * 30 * 20 * 30 + 1)
    query, key = of_photographs(rng, (20, 30), (20, 30))
    index, _ = search.match(query, key, padding="same")
    for by in BOTH:
        np.testing.assert_array_equal(matched(query, key, by=by)[0], index)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_both_find_the_same(rng, padding):
    query, key = of_photographs(rng, (30, 41), (43, 36))
    (index, confidence), (other, score) = (
        matched(query, key, by=by, padding=padding) for by in BOTH
    )
    assert np.mean(index == other) > 0.99
    np.testing.assert_allclose(confidence[index == other], score[index == other], atol=1e-5)


def test_batches(rng):
    pairs = [[*of_photographs(rng, (20, 31), (33, 26))] for _ in range(2)]
    query, key = (np.concatenate(x) for x in zip(*pairs, strict=True))
    index, _ = matched(query, key, by="tensorflow")
    for i, pair in enumerate(pairs):
        assert np.mean(matched(*pair, by="tensorflow")[0] == index[i]) > 0.99


def test_gradient_flows_through_the_confidence(rng):
    query, key = map(tf.constant, of_photographs(rng, (9, 12), (14, 11)))
    layer = Relevance("clustered")
    with tf.GradientTape() as tape:
        tape.watch(query)
        _, confidence = layer([query, key])
        loss = tf.reduce_sum(confidence)
    gradient = tape.gradient(loss, query)
    step = 1e-3 * np.sign(gradient)  # small, so that other clusters are not nearer then
    more, less = (np.float64(layer([query + s, key])[1]) for s in (step, -step))
    np.testing.assert_allclose(np.sum(more - less), 2 * np.sum(gradient * step), rtol=0.05)


def test_it_is_saved_for_any_size(rng, tmp_path):
    layer = Relevance("clustered")
    signature = [tf.TensorSpec([None, None, None, 64], tf.float32)] * 2
    module = tf.Module()
    module.match = tf.function(lambda *maps: layer(maps), input_signature=signature)
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    for sizes in [(20, 31), (33, 26)], [(12, 9), (21, 22)]:
        query, key = of_photographs(rng, *sizes)
        index, confidence = loaded.match(query, key)
        expected = matched(query, key, by="tensorflow")
        assert np.mean(index == expected[0]) > 0.99
        np.testing.assert_allclose(np.mean(confidence), np.mean(expected[1]), atol=1e-4)
