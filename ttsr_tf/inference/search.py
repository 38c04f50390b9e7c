"""The exact search of `ttsr_tf.layers` in NumPy, for where TensorFlow isn't.

As there (see layers/search.py), products of single vectors are added up at nine shifts, which are
offsets in one flat buffer; here part by part, each of which stays in the processor's cache.
"""

import itertools
import math

import numpy as np

from ttsr_tf import clusters
from ttsr_tf.inference import clustered

_EPSILON = 1e-24  # of a squared norm
_SIDE = 64  # of a tile, positions; smaller ones spend more on their surroundings
_PART = 2**17  # scores


def match(query, key, *, padding, fast=False):
    """Best match by normalised inner product of 3×3 patches: what `layers.Relevance` gives.

    Args:
        query: float32 [1, H, W, C].
        key: float32 [1, h, w, C].
        padding: "same" or "valid", as of `layers.Relevance`.
        fast: whether large maps are compared with likely places only, its "clustered".

    Returns:
        index: int32 [1, H, W], row-major positions in the key, the first one on a tie.
        confidence: float32 [1, H, W, 1].
    """
    query, key = query[0], key[0]
    if padding == "same":
        query, key = (np.pad(x, [(1, 1), (1, 1), (0, 0)]) for x in (query, key))
        index, confidence = _matched(query, key, fast)
        return index[None], confidence[None, ..., None]
    width = key.shape[1]
    patch, confidence = _matched(query, key, fast)
    confidence = np.pad(confidence, 1, "edge")
    index = (patch // (width - 2) + 1) * width + patch % (width - 2) + 1  # its centre
    return np.pad(index, 1, "edge")[None], confidence[None, ..., None]


def _matched(query, key, fast):
    """The number of the key's patch for every patch of the query, and the score: [H, W] twice."""
    patches = (math.prod(n - 2 for n in x.shape[:2]) for x in (query, key))
    if not fast or not clusters.used(*patches):
        index = best_match(query, key)
        return index, _confidence(query, key, index)
    first, second = np.moveaxis(clustered.good_matches(query, key), -1, 0)
    score, other = (_confidence(query, key, index) for index in (first, second))
    return np.where(other > score, second, first), np.maximum(score, other)


def best_match(query, key):
    """Where in the key the patch is that has the largest normalised inner product.

    Args:
        query: [H + 2, W + 2, C], with H·W patches.
        key: [h + 2, w + 2, C], with h·w patches.

    Returns:
        int32 [H, W], the row-major number of the key's patch, the first one on a tie.
    """
    size, key_width = np.subtract(query.shape[:2], 2), key.shape[1] - 2
    best, index = np.full(size, -np.inf, np.float32), np.zeros(size, np.int32)
    # Of all products, since a new array of this size costs as much as some additions.
    buffer = np.empty(((_SIDE + 2) ** 2 + 3) * (_SIDE + 2) ** 2, np.float32)
    for key_tile in _tiles(np.subtract(key.shape[:2], 2)):
        searched = _Searched(_with_border(key, key_tile), buffer)
        for tile in _tiles(size):
            score, row, column = searched.best(_with_border(query, tile))
            at = (key_tile[0].start + row) * key_width + key_tile[1].start + column
            better = (score > best[tile]) | ((score == best[tile]) & (at < index[tile]))
            best[tile] = np.where(better, score, best[tile])
            index[tile] = np.where(better, at, index[tile])
    return index


class _Searched:
    """A tile of the key with its border, [h + 2, w + 2, C], ready to be searched."""

    def __init__(self, tile, buffer):
        self._width, self._buffer = tile.shape[1], buffer
        self._vectors = np.ascontiguousarray(tile.reshape(-1, tile.shape[-1]).T)
        weights = np.zeros(tile.shape[:2], np.float32)
        weights[:-2, :-2] = 1 / np.sqrt(np.maximum(_squared_norms(tile), _EPSILON))
        self._weights = weights.ravel()
        # No patch starts in the last two rows and columns.
        self._bias = np.where(self._weights > 0, np.float32(0), np.float32(-np.inf))

    def best(self, tile):
        """The best of every patch of a query's tile [H + 2, W + 2, C]: score, row, column."""
        height, width, columns = tile.shape[0] - 2, tile.shape[1], self._weights.size
        vectors = np.pad(tile.reshape(-1, tile.shape[-1]), [(0, 3), (0, 0)])
        products = self._buffer[: len(vectors) * columns]
        np.matmul(vectors, self._vectors, out=products.reshape(len(vectors), columns))
        offsets = [
            dy * (width * columns + self._width) + dx * (columns + 1)
            for dy in range(3)
            for dx in range(3)
        ]
        rows = height * width
        score, at = np.empty(rows, np.float32), np.empty(rows, np.intp)
        step = max(_PART // columns, 1)
        for start in range(0, rows, step):
            part = slice(start, min(start + step, rows))
            first, last = part.start * columns, part.stop * columns
            scores = products[first + offsets[0] : last + offsets[0]].copy()
            for offset in offsets[1:]:
                scores += products[first + offset : last + offset]
            scores = scores.reshape(-1, columns)
            scores *= self._weights
            scores += self._bias
            at[part] = scores.argmax(-1)
            score[part] = scores.max(-1)
        inner = (x.reshape(height, width)[:, :-2] for x in (score, *divmod(at, self._width)))
        return tuple(inner)


def _confidence(query, key, index):
    """The score at the match: [H, W]."""
    norms = _squared_norms(query) * _squared_norms(key).ravel()[index]
    row, column = np.divmod(index, key.shape[1] - 2)
    product = np.zeros(index.shape, np.float32)
    width = index.shape[1]
    for y in range(len(index)):  # each in the processor's cache
        for dy, dx in itertools.product(range(3), repeat=2):
            match = key[row[y] + dy, column[y] + dx]
            product[y] += np.einsum("jk,jk->j", query[y + dy, dx : dx + width], match)
    return product / np.sqrt(np.maximum(norms, np.float32(_EPSILON)))


def _squared_norms(x):
    """Of the 3×3 patches: [h + 2, w + 2, C] → [h, w]."""
    x = np.einsum("ijk,ijk->ij", x, x)
    x = x[:-2] + x[1:-1] + x[2:]
    return x[:, :-2] + x[:, 1:-1] + x[:, 2:]


def _tiles(size):
    """Pairs of slices of about equally large tiles."""
    rows, columns = (np.linspace(0, n, math.ceil(n / _SIDE) + 1).astype(int) for n in size)
    for ends in itertools.pairwise(rows):
        for others in itertools.pairwise(columns):
            yield slice(*ends), slice(*others)


def _with_border(x, tile):
    rows, columns = tile
    return x[rows.start : rows.stop + 2, columns.start : columns.stop + 2]
