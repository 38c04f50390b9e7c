"""The search of likely patches (see ttsr_tf.clusters).

It is an inverted file (Jégou et al., Product Quantization for Nearest Neighbor Search, 2011,
section IV) without the quantization.
"""

import tensorflow as tf

from ttsr_tf.clusters import (
    BLOCK,
    CANDIDATES,
    CHANNELS,
    COMPONENTS,
    PER_ROOT,
    SAMPLE,
    SEARCHED,
    Clusters,
    largest,
)

_EPSILON = 1e-12


@tf.function(
    input_signature=[tf.TensorSpec([None, None, None, None], tf.float32)] * 2,
    autograph=False,  # whose reading of Python takes longer than all of the trace
)
def good_matches(query, key):
    """Where in the key the patches are that have nearly the largest normalised inner products.

    Args:
        query: [B, H + 2, W + 2, C], with H·W patches.
        key: [B, h + 2, w + 2, C], with h·w patches.

    Returns:
        int32 [B, H, W, 2], row-major numbers of the key's patches.
    """
    return tf.map_fn(
        lambda b: _search(query[b], key[b]),
        tf.range(tf.shape(query)[0]),
        parallel_iterations=1,
        fn_output_signature=tf.TensorSpec([None, None, CANDIDATES], tf.int32),
    )


def _search(query, key):
    size = tf.shape(query)[:2] - 2
    channels = _components(_sampled(tf.reshape(key, [-1, tf.shape(key)[-1]])), CHANNELS)
    query, key = (tf.tensordot(x, channels, 1) for x in (query, key))
    components = _components(_sampled_patches(key), COMPONENTS)
    theirs = tf.math.l2_normalize(_described(key, components), -1, _EPSILON)
    own = _described(query, components)
    order, clusters = _clusters(theirs)
    found = _in_blocks(lambda part: _search_block(part, clusters), own, _len(clusters.centres))
    return tf.reshape(tf.gather(order, found), [*tf.unstack(size), CANDIDATES])


def _clusters(theirs):
    """The order of vectors [n, D] in clusters, and the `Clusters`."""
    centres = _centres(theirs)
    home = _nearest(theirs, centres)
    order = tf.argsort(home, stable=True)
    counts = tf.math.bincount(home, minlength=_len(centres), maxlength=_len(centres))
    # Large ones in parts, with the same centre.
    most = largest(_len(theirs), _len(centres))
    parts = tf.maximum(-(-counts // most), 1)
    stops = tf.repeat(tf.cumsum(counts), parts)
    before = tf.repeat(tf.cumsum(parts, exclusive=True), parts)
    firsts = stops - tf.repeat(counts, parts)
    ends = tf.minimum(firsts + (tf.range(_len(stops)) - before + 1) * most, stops)
    return order, Clusters(tf.gather(theirs, order), tf.repeat(centres, parts, axis=0), ends)


def _search_block(own, clusters):
    """The best of the clusters near each of `own` [n, D]: int32 [n, 2], places in their vectors."""
    vectors, centres, ends = clusters
    affinity = tf.matmul(own, centres, transpose_b=True)
    near = tf.math.top_k(affinity, _searched(_len(centres)), sorted=False).indices
    # Row by row of the query, and the same sorted by cluster.
    flat = tf.reshape(near, [-1])
    order = tf.argsort(flat, stable=True)
    rows = order // tf.shape(near)[1]
    stops = tf.cumsum(tf.math.bincount(flat, minlength=_len(centres), maxlength=_len(centres)))

    def search_cluster(c, scores, places):
        before = tf.maximum(c - 1, 0)
        start, first = (tf.where(c > 0, x[before], 0) for x in (stops, ends))
        first = tf.minimum(first, _len(vectors) - 1)  # of an empty one, the next one's
        keys = vectors[first : tf.maximum(ends[c], first + 1)]
        similarity = tf.matmul(tf.gather(own, rows[start : stops[c]]), keys, transpose_b=True)
        at = tf.argmax(similarity, -1, output_type=tf.int32)
        score = tf.gather(similarity, at, batch_dims=1)
        return c + 1, scores.write(c, score), places.write(c, first + at)

    arrays = [
        tf.TensorArray(dtype, _len(centres), infer_shape=False, element_shape=[None])
        for dtype in (tf.float32, tf.int32)
    ]
    _, *found = tf.while_loop(
        lambda c, *_: c < _len(centres), search_cluster, [0, *arrays], parallel_iterations=1
    )
    score, place = (
        tf.reshape(tf.scatter_nd(order[:, None], x.concat(), tf.shape(flat)), tf.shape(near))
        for x in found
    )
    return tf.gather(place, tf.math.top_k(score, CANDIDATES).indices, batch_dims=1)


def _components(sample, number):
    """Principal components of vectors [n, D], most first: [D, number]."""
    _, components = tf.linalg.eigh(tf.matmul(sample, sample, transpose_a=True))
    return tf.reverse(components, [1])[:, :number]


def _sampled(vectors):
    last = tf.cast(_len(vectors) - 1, tf.int64)
    return tf.gather(vectors, tf.range(SAMPLE, dtype=tf.int64) * last // (SAMPLE - 1))


def _sampled_patches(key):
    """Unit ones: [n, 9·C]."""
    height, width = tf.unstack(tf.shape(key)[:2] - 2)
    place = _sampled(tf.range(height * width))
    row, column = place // width, place % width
    vectors = [
        tf.gather_nd(key, tf.stack([row + dy, column + dx], -1))
        for dy in range(3)
        for dx in range(3)
    ]
    return tf.math.l2_normalize(tf.concat(vectors, -1), -1, _EPSILON)


def _described(x, components):
    """[H + 2, W + 2, C] → [H·W, D]."""
    kernel = tf.reshape(components, [3, 3, -1, COMPONENTS])
    return tf.reshape(tf.nn.conv2d(x[None], kernel, 1, "VALID"), [-1, COMPONENTS])


def _centres(theirs):
    """Of the clusters of unit vectors: one step of Lloyd's, from places far apart."""
    n = tf.cast(_len(theirs), tf.float64)
    # As `clusters.number`, of a tensor.
    clusters = tf.cast(tf.math.ceil(PER_ROOT * tf.sqrt(n)), tf.int64) + 1
    first = tf.range(clusters) * tf.cast(n - 1, tf.int64) // tf.maximum(clusters - 1, 1)
    centres = tf.gather(theirs, first)
    sums = tf.math.unsorted_segment_sum(theirs, _nearest(theirs, centres), _len(centres))
    return tf.math.l2_normalize(sums, -1, _EPSILON)


def _nearest(x, centres):
    def nearest(part):
        similarity = tf.matmul(part, centres, transpose_b=True)
        return tf.argmax(similarity, -1, output_type=tf.int32)[:, None]

    return _in_blocks(nearest, x, _len(centres))[:, 0]


def _searched(number):
    """As `clusters.searched`, of a tensor."""
    return tf.cast(tf.math.ceil(SEARCHED * tf.sqrt(tf.cast(number, tf.float64))), tf.int32)


def _in_blocks(function, x, number):
    """Calls `function` with parts of rows [., D] → int32 [., n], to be compared with so many
    clusters."""
    rows = _len(x)
    blocks = -(-rows // tf.maximum(BLOCK // _searched(number), 1))
    size = -(-rows // blocks)
    x = tf.reshape(tf.pad(x, [[0, blocks * size - rows], [0, 0]]), [blocks, size, COMPONENTS])
    signature = tf.TensorSpec([None, None], tf.int32)
    found = tf.map_fn(function, x, parallel_iterations=1, fn_output_signature=signature)
    return tf.reshape(found, [-1, tf.shape(found)[-1]])[:rows]


def _len(x):
    return tf.shape(x)[0]
