"""Alignment and the transfer by it, against NumPy loops from their docstrings."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import layers

B, H, W = 2, 3, 5
h, w = 6, 4


def _blocks(picture):
    return tf.nn.space_to_depth(tf.constant(picture, tf.float32), 4)


def _aligned(query, key, index):
    """The formula, a patch and a shift after the other."""
    border = [(0, 0), (8, 8), (8, 8), (0, 0)]
    query, key = (np.pad(x.astype(np.float64), border, "symmetric") for x in (query, key))
    result = np.empty_like(index)
    for b, y, x in np.ndindex(*index.shape):
        own = query[b, 4 * y + 4 : 4 * y + 16 : 2, 4 * x + 4 : 4 * x + 16 : 2].ravel()
        row, column = divmod(index[b, y, x], key.shape[2] // 4 - 4)
        scores = []
        for dy, dx in np.ndindex(5, 5):
            top, left = 4 * row + 2 + dy, 4 * column + 2 + dx
            near = key[b, top : top + 12 : 2, left : left + 12 : 2].ravel()
            scores.append(np.corrcoef(own, near)[0, 1])
        result[b, y, x] = 25 * index[b, y, x] + np.argmax(scores)
    return result


@pytest.fixture
def pictures(rng):
    return (rng.uniform(-1, 1, (B, 4 * n, 4 * m, 3)) for n, m in ((H, W), (h, w)))


def test_alignment_finds_the_largest_correlation(rng, pictures):
    query, key = pictures
    index = rng.integers(h * w, size=(B, H, W), dtype=np.int32)
    result = layers.Alignment()([_blocks(query), _blocks(key), index])
    np.testing.assert_array_equal(result, _aligned(query, key, index))
    assert len(np.unique(result % 25)) > 10


def test_a_moved_picture_is_found_where_it_went(rng):
    noise = rng.uniform(-1, 1, (1, 40, 48, 3))
    for dy, dx in ((0, 0), (2, -1), (-2, 2), (1, 0)):
        key = noise[:, :32, :40]
        moved = np.roll(key, (-dy, -dx), (1, 2))
        positions = np.arange(8 * 10, dtype=np.int32).reshape(1, 8, 10)
        shift = layers.Alignment()([_blocks(moved), _blocks(key), positions]) % 25
        np.testing.assert_array_equal(shift[:, 2:-2, 2:-2], 5 * (2 + dy) + 2 + dx)


def test_nothing_to_go_by_is_no_shift(pictures):
    _, key = pictures
    flat = np.full((B, 4 * H, 4 * W, 3), 0.25)
    index = np.arange(B * H * W, dtype=np.int32).reshape(B, H, W) % (h * w)
    result = layers.Alignment()([_blocks(flat), _blocks(key), index])
    np.testing.assert_array_equal(result, 25 * index + 12)


def _transferred(value, index, scale):
    size = np.array(value.shape[1:3]) // scale * scale
    border = 3 * scale
    value = np.pad(value[:, : size[0], : size[1]], [(0, 0), (border,) * 2, (border,) * 2, (0, 0)])
    batch, height, width = index.shape
    result = np.zeros((batch, scale * (height + 2), scale * (width + 2), value.shape[-1]))
    for b, y, x in np.ndindex(*index.shape):
        if index[b, y, x] < 0:
            continue
        place, shift = divmod(index[b, y, x], 25)
        dy, dx = (int((n - 2) * scale / 4) for n in divmod(shift, 5))
        row, column = divmod(place, size[1] // scale)
        top, left = (scale * (n - 1) + border + d for n, d in ((row, dy), (column, dx)))
        side = 3 * scale
        patch = value[b, top : top + side, left : left + side]
        result[b, scale * y : scale * y + side, scale * x : scale * x + side] += patch / 9
    return result[:, scale:-scale, scale:-scale]


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("beyond", [0, 1])
def test_shifted_transfer_pastes_patches(rng, scale, beyond):
    value = rng.uniform(-1, 1, (B, scale * h + min(beyond, scale - 1), scale * w, 3))
    index = rng.integers(-1, 25 * h * w, size=(B, H, W), dtype=np.int32)
    index[0, 0, 0] = -1
    result = layers.ShiftedTransfer(scale)([tf.constant(value, tf.float32), index])
    np.testing.assert_allclose(result, _transferred(value, index, scale), atol=1e-6)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_without_a_shift_it_is_the_paper_s_transfer(rng, scale):
    value = tf.constant(rng.uniform(-1, 1, (B, scale * h, scale * w, 3)), tf.float32)
    index = rng.integers(h * w, size=(B, H, W), dtype=np.int32)
    result = layers.ShiftedTransfer(scale)([value, 25 * index + 12])
    np.testing.assert_allclose(result, layers.Transfer(scale)([value, index]), atol=1e-6)
