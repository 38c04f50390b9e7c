"""The search of likely patches (see ttsr_tf.clusters) in NumPy."""

import numpy as np

from ttsr_tf import clusters
from ttsr_tf.clusters import CANDIDATES, CHANNELS, COMPONENTS, SAMPLE

_EPSILON = np.float32(1e-12)
_SHIFTS = [*np.ndindex(3, 3)]
_ROWS = 4


def good_matches(query, key):
    """Where in the key the patches are that have nearly the largest normalised inner products.

    Args:
        query: float32 [H + 2, W + 2, C], with H·W patches.
        key: float32 [h + 2, w + 2, C], with h·w patches.

    Returns:
        int32 [H, W, 2], row-major numbers of the key's patches.
    """
    channels = _components(_sampled(key.reshape(-1, key.shape[-1])), CHANNELS)
    query, key = query @ channels, key @ channels
    components = _components(_unit(_sampled_patches(key)), COMPONENTS)
    theirs = _unit(_described(key, components))
    order, those = _clusters(theirs)
    own = _described(query, components)
    found = [_search(part, those) for part in _blocks(own, len(those.centres))]
    size = np.subtract(query.shape[:2], 2)
    return order[np.concatenate(found)].reshape(*size, CANDIDATES).astype(np.int32)


def _clusters(theirs):
    """The order of vectors [n, D] in clusters, and the `Clusters`."""
    centres = _centres(theirs)
    home = _nearest(theirs, centres)
    order = np.argsort(home, kind="stable")
    counts = np.bincount(home, minlength=len(centres))
    # Large ones in parts, with the same centre.
    most = clusters.largest(len(theirs), len(centres))
    parts = np.maximum(-(-counts // most), 1)
    stops = np.repeat(np.cumsum(counts), parts)
    before = np.repeat(np.cumsum(parts) - parts, parts)
    firsts = stops - np.repeat(counts, parts)
    ends = np.minimum(firsts + (np.arange(len(stops)) - before + 1) * most, stops)
    return order, clusters.Clusters(theirs[order], np.repeat(centres, parts, 0), ends)


def _search(own, those):
    """The best of the clusters near each of `own` [n, D]: int [n, 2], places in their vectors."""
    affinity = own @ those.centres.T
    searched = clusters.searched(len(those.centres))
    near = np.argpartition(affinity, -searched, -1)[:, -searched:].astype(np.int16)
    # Row by row of the query, and the same sorted by cluster.
    order = np.argsort(near, None, kind="stable")
    counts = np.bincount(near.ravel(), minlength=affinity.shape[-1])
    score = np.full(near.size, -np.inf, np.float32)
    index = np.zeros(near.size, np.int32)
    start = end = 0
    for last, count in zip(those.ends, counts, strict=True):
        first, start = start, last
        places, end = order[end : end + count], end + count
        if first == last or not count:
            continue
        similarity = own[places // searched] @ those.vectors[first:last].T
        at = similarity.argmax(-1)
        score[places] = np.take_along_axis(similarity, at[:, None], -1)[:, 0]
        index[places] = first + at
    best = np.argpartition(score.reshape(near.shape), -CANDIDATES, -1)[:, -CANDIDATES:]
    return np.take_along_axis(index.reshape(near.shape), best, -1)


def _components(sample, number):
    """Principal components of vectors [n, D], most first: [D, number]."""
    _, components = np.linalg.eigh(sample.T @ sample)
    return components[:, : -number - 1 : -1]


def _sampled(vectors):
    return vectors[np.linspace(0, len(vectors) - 1, SAMPLE).astype(int)]


def _sampled_patches(key):
    height, width = np.subtract(key.shape[:2], 2)
    row, column = np.divmod(_sampled(np.arange(height * width)), width)
    vectors = [key[row + dy, column + dx] for dy, dx in _SHIFTS]
    return np.concatenate(vectors, -1)


def _described(x, components):
    """[H + 2, W + 2, C] → [H·W, D]."""
    height, width = np.subtract(x.shape[:2], 2)
    parts = []
    for y in range(0, height, _ROWS):  # whose patches stay in the processor's cache
        rows = x[y : y + _ROWS + 2]
        shifted = [rows[dy : len(rows) - 2 + dy, dx : dx + width] for dy, dx in _SHIFTS]
        parts.append(np.concatenate(shifted, -1).reshape(-1, len(components)) @ components)
    return np.concatenate(parts)


def _centres(theirs):
    """Of the clusters of unit vectors: one step of Lloyd's, from places far apart."""
    number = clusters.number(len(theirs))
    centres = theirs[np.arange(number) * (len(theirs) - 1) // max(number - 1, 1)]
    sums = np.zeros_like(centres)
    np.add.at(sums, _nearest(theirs, centres), theirs)
    return _unit(sums)


def _nearest(x, centres):
    return np.concatenate([(part @ centres.T).argmax(-1) for part in _blocks(x, len(centres))])


def _blocks(x, number):
    """Parts of the rows, to be compared with so many clusters."""
    return np.array_split(x, -(-len(x) // clusters.rows(number)))


def _unit(x):
    return x / np.sqrt(np.maximum((x * x).sum(-1, keepdims=True), _EPSILON))
