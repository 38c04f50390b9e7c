"""The search of likely patches (see ttsr_tf.clusters) in NumPy."""

import numpy as np

from ttsr_tf import clusters
from ttsr_tf.clusters import CANDIDATES, COMPONENTS, SAMPLE, SEARCHED

_EPSILON = np.float32(1e-12)


def good_matches(query, key):
    """Where in the key the patches are that have nearly the largest normalised inner products.

    Args:
        query: float32 [H + 2, W + 2, C], with H·W patches.
        key: float32 [h + 2, w + 2, C], with h·w patches.

    Returns:
        int32 [H, W, 2], row-major numbers of the key's patches.
    """
    components = _components(key)
    theirs = _unit(_described(key, components))
    centres = _centres(theirs)
    home = _nearest(theirs, centres)
    order = np.argsort(home, kind="stable")
    ends = np.cumsum(np.bincount(home, minlength=len(centres)))
    those = clusters.Clusters(theirs[order], centres, ends)
    own = _described(query, components)
    found = [_search(part, those) for part in _blocks(own, len(centres))]
    size = np.subtract(query.shape[:2], 2)
    return order[np.concatenate(found)].reshape(*size, CANDIDATES).astype(np.int32)


def _search(own, those):
    """The best of the clusters near each of `own` [n, D]: int [n, 2], places in their vectors."""
    affinity = own @ those.centres.T
    wanted = -(-affinity.shape[-1] // SEARCHED)
    least = np.partition(affinity, -wanted, -1)[:, -wanted, None]
    searched = np.ascontiguousarray((affinity >= least).T)
    score = np.full((len(own), CANDIDATES), -np.inf, np.float32)
    index = np.zeros((len(own), CANDIDATES), int)
    for start, end, rows in zip([0, *those.ends], those.ends, searched, strict=False):
        rows = np.flatnonzero(rows)
        if start == end or not len(rows):
            continue
        similarity = own[rows] @ those.vectors[start:end].T
        at = similarity.argmax(-1)[:, None]
        best = np.take_along_axis(similarity, at, -1)
        scores = np.concatenate([score[rows], best], -1)
        places = np.concatenate([index[rows], start + at], -1)
        order = np.argsort(-scores, -1, kind="stable")[:, :CANDIDATES]
        score[rows] = np.take_along_axis(scores, order, -1)
        index[rows] = np.take_along_axis(places, order, -1)
    return index


def _components(key):
    """The principal components of the key's unit patches: [3, 3, C, D]."""
    height, width = np.subtract(key.shape[:2], 2)
    row, column = np.divmod(np.arange(SAMPLE) * (height * width - 1) // (SAMPLE - 1), width)
    vectors = [key[row + dy, column + dx] for dy in range(3) for dx in range(3)]
    sample = _unit(np.concatenate(vectors, -1))
    # The Gram matrix has the covariance's values, of which there are fewer here.
    values, coefficients = np.linalg.eigh(sample @ sample.T)
    values, coefficients = values[-COMPONENTS:], coefficients[:, -COMPONENTS:]
    scaled = coefficients / np.sqrt(np.maximum(values, _EPSILON))
    return (sample.T @ scaled).reshape(3, 3, -1, COMPONENTS)


def _described(x, components):
    """[H + 2, W + 2, C] → [H·W, D]."""
    height, width = np.subtract(x.shape[:2], 2)
    described = np.zeros((height, width, COMPONENTS), np.float32)
    for dy in range(3):
        for dx in range(3):
            described += x[dy : dy + height, dx : dx + width] @ components[dy, dx]
    return described.reshape(-1, COMPONENTS)


def _centres(theirs):
    """Of the clusters of unit vectors: one step of Lloyd's, from places far apart."""
    number = clusters.number(len(theirs))
    centres = theirs[np.arange(number) * (len(theirs) - 1) // max(number - 1, 1)]
    sums = np.zeros_like(centres)
    np.add.at(sums, _nearest(theirs, centres), theirs)
    return _unit(sums)


def _nearest(x, centres):
    return np.concatenate([(part @ centres.T).argmax(-1) for part in _blocks(x, len(centres))])


def _blocks(x, similarities):
    """Parts of the rows, of which each has so many similarities, so that memory is bounded."""
    return np.array_split(x, -(-len(x) * similarities // clusters.BLOCK))


def _unit(x):
    return x / np.sqrt(np.maximum((x * x).sum(-1, keepdims=True), _EPSILON))
