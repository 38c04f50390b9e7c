"""SRNTT's swapping against loops written from its definition: patches within the maps, divided by
how many overlap.
"""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.inference.encoding import Reference
from ttsr_tf.inference.upscaler import Upscaler
from ttsr_tf.inference.ways import References
from ttsr_tf.layers import Relevance, Transfer
from ttsr_tf.models.srntt import SRNTT

B, H, W = 2, 6, 9  # of the query
SIZES = (5, 8), (7, 4)  # of two keys
C = 12
SCALES = 1, 2, 4


def patches(x, scale=1):
    """[scale·h, scale·w, C] → h - 2 rows of w - 2 patches of 3·scale pixels."""
    rows, columns = (n // scale - 2 for n in x.shape[:2])
    return [
        x[scale * y : scale * (y + 3), scale * x_ : scale * (x_ + 3)]
        for y in range(rows)
        for x_ in range(columns)
    ]


def swapped(query, keys, values, scales=SCALES):
    """For every patch of the query the best of all references': its number, the earliest on a tie;
    the similarity; and the maps, for each scale from coarse to fine.
    """
    candidates = [patch.ravel() for key in keys for patch in patches(key)]
    norms = np.linalg.norm(candidates, axis=1)
    unit = np.array(candidates) / np.where(norms > 0, norms, 1)[:, None]
    scores = np.array([unit @ patch.ravel() for patch in patches(query)])
    best = scores.argmax(1)
    length = np.array([np.linalg.norm(patch) for patch in patches(query)])
    similarity = scores.max(1) / np.where(length > 0, length, 1)
    maps = []
    height, width = query.shape[:2]
    for i, scale in enumerate(scales):
        pieces = [patch for value in values for patch in patches(value[i], scale)]
        total = np.zeros((scale * height, scale * width, values[0][i].shape[-1]))
        count = np.zeros((scale * height, scale * width, 1))
        for number, place in enumerate(best):
            y, x = divmod(number, width - 2)
            where = (
                slice(scale * y, scale * (y + 3)),
                slice(scale * x, scale * (x + 3)),
            )
            total[where] += pieces[place]
            count[where] += 1
        maps.append(total / count)
    return best, similarity, maps


@pytest.fixture
def maps(rng):
    """query; keys and values of two references of different sizes, with patches of zeros in them;
    the second begins with what the first has, so that there are ties between references too.
    """
    query = np.maximum(rng.standard_normal((B, H, W, C)), 0)
    keys = [np.maximum(rng.standard_normal((B, *size, C)), 0) for size in SIZES]
    keys[1][:, :4, :4] = keys[0][:, :4, :4]
    query[:, :4, :4] = keys[0][:, :4, :4]
    keys[0][:, -3:, -3:] = keys[1][:, -3:, :3] = query[:, -3:, -3:] = 0
    values = [[rng.standard_normal((B, s * h, s * w, 3)) for s in SCALES] for h, w in SIZES]
    return tf.nest.map_structure(np.float32, (query, keys, values))


class Stages:
    """SRNTT's matching and transfer, without the networks around them."""

    shifts = 1

    def __init__(self, query):
        self._model, self._query = SRNTT((0, 0, 0, 0), 2), query
        self.match, self.transfer = self._model.match, self._model.transfer

    def query(self, lr):
        return self._query

    def synthesise(self, pictures, textures, confidence):
        self.textures = textures
        return 0


def test_two_references_of_different_sizes(maps):
    query, keys, values = maps
    references = [Reference(key, tuple(value), ()) for key, value in zip(keys, values, strict=True)]
    stages = Stages(query)
    way, whole = References(stages, references), (slice(0, H), slice(0, W))
    bands = [slice(0, 3), slice(3, H)]
    assert len(list(way.search(np.zeros((H, W, 3), np.uint8), [whole], bands))) == 4
    found = way.enlarge(np.zeros((B, H, W, 3), np.uint8), whole, last=True)
    widths, areas = np.array([w for _, w in SIZES]), [(h - 2) * (w - 2) for h, w in SIZES]
    source, index = (np.array(found[name])[:, 1:-1, 1:-1] for name in ("source", "index"))
    row, column = np.divmod(index, widths[source])
    number = (row - 1) * (widths[source] - 2) + column - 1 + source * areas[0]
    assert set(source.ravel()) == {0, 1}
    for b in range(B):
        best, similarity, expected = swapped(
            query[b], [key[b] for key in keys], [[x[b] for x in value] for value in values]
        )
        np.testing.assert_array_equal(number[b].ravel(), best)
        assert number[b][0, 0] == 0 and number[b][-1, -1] == 0  # ties: the same patch, and zeros
        padded = np.pad(similarity.reshape(H - 2, W - 2), 1, "edge")
        assert similarity.min() == 0 and np.isfinite(similarity).all()
        np.testing.assert_allclose(found["confidence"][b, ..., 0], padded, atol=1e-6)
        for ours, theirs in zip(stages.textures, expected, strict=True):
            np.testing.assert_allclose(ours[b], theirs, atol=1e-6)


@pytest.mark.parametrize("matching", ["streamed", "patches"])
def test_tiles_and_the_plain_form_are_the_same(rng, matching):
    query = tf.constant(rng.standard_normal((1, 30, 41, 16)), tf.float32)
    key = tf.constant(rng.standard_normal((1, 47, 60, 16)), tf.float32)
    index, confidence = Relevance(matching, 1, padding="valid")([query, key])
    wide, _ = Relevance(matching_memory_mb=1024, padding="valid")([query, key])
    np.testing.assert_array_equal(index, wide)
    rows, columns = np.divmod(index, 60)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (1, 45, 1, 58)
    np.testing.assert_array_equal(np.pad(index[0, 1:-1, 1:-1], 1, "edge"), index[0])
    assert confidence.shape == (1, 30, 41, 1)


def test_the_smallest_maps(rng):
    """One patch, which is all of the key."""
    query, key = (tf.constant(rng.standard_normal((1, 3, 3, 4)), tf.float32) for _ in range(2))
    index, _ = Relevance(padding="valid")([query, key])
    np.testing.assert_array_equal(index, np.full((1, 3, 3), 4))
    value = tf.constant(rng.standard_normal((1, 6, 6, 2)), tf.float32)
    np.testing.assert_allclose(Transfer(2, padding="valid")([value, index]), value, atol=1e-6)


def test_unknown_padding():
    for layer in (Relevance, lambda **options: Transfer(2, **options)):
        with pytest.raises(InputError, match="`padding` must be same or valid, got 'full'"):
            layer(padding="full")


def test_without_a_reference_every_scale_is_matched_by_itself(rng):
    model = SRNTT((1, 1, 1, 1), 4)
    model.build()
    lr = rng.integers(256, size=(14, 19, 3), dtype=np.uint8)
    result = Upscaler(model).upscale_with_attention(lr)
    small = tf.constant(lr[None] / 127.5 - 1, tf.float32)
    query = model.texture_extractor(model.single_image({"lr": small}))
    value = model.texture_extractor(small[:, :12, :16])
    textures = []
    for scale, (own, other) in enumerate(zip(query, value, strict=True)):
        own, other = own[0].numpy(), other[0].numpy()
        best, similarity, (pasted,) = swapped(own, [other], [[other]], scales=[1])
        textures.append(pasted[None])
        if scale == 0:
            row, column = np.divmod(best, 2)  # of a map of 3×4
            index = np.pad(((row + 1) * 4 + column + 1).reshape(12, 17), 1, "edge")
            np.testing.assert_array_equal(result["index"], index)
            padded = np.pad(similarity.reshape(12, 17), 1, "edge")
            np.testing.assert_allclose(result["confidence"], padded, atol=1e-5)
    sr = model.synthesise({"lr": small}, [np.float32(x) for x in textures], None)
    expected = np.rint((np.array(sr[0], np.float64) + 1) * 127.5)
    assert np.ptp(expected) > 10
    np.testing.assert_allclose(result["sr"], expected, atol=1)
    assert not result["source"].any()
