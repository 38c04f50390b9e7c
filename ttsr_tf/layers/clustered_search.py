"""The search of likely patches (see ttsr_tf.clusters).

It is an inverted file (Jégou et al., Product Quantization for Nearest Neighbor Search, 2011,
section IV) without the quantization.
"""

import tensorflow as tf

from ttsr_tf.clusters import BLOCK, CANDIDATES, COMPONENTS, SAMPLE, SEARCHED, Clusters

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
    components = _components(key)
    theirs = tf.math.l2_normalize(_described(key, components), -1, _EPSILON)
    own = _described(query, components)
    centres = _centres(theirs)
    home = _nearest(theirs, centres)
    order = tf.argsort(home, stable=True)
    counts = tf.math.bincount(home, minlength=_len(centres), maxlength=_len(centres))
    clusters = Clusters(tf.gather(theirs, order), centres, tf.cumsum(counts))
    found = _in_blocks(lambda part: _search_block(part, clusters), own, _len(centres))
    return tf.reshape(tf.gather(order, found), [*tf.unstack(size), CANDIDATES])


def _search_block(own, clusters):
    """The best of the clusters near each of `own` [n, D]: int32 [n, 2], places in their vectors."""
    vectors, centres, ends = clusters
    affinity = tf.matmul(own, centres, transpose_b=True)
    least = tf.math.top_k(affinity, -(-_len(centres) // SEARCHED)).values[:, -1:]
    searched = tf.transpose(affinity >= least)

    def search_cluster(c, score, index):
        # An empty one has the first key after it.
        start = tf.minimum(tf.where(c > 0, ends[c - 1], 0), _len(vectors) - 1)
        keys = vectors[start : tf.maximum(ends[c], start + 1)]
        rows = tf.where(searched[c])
        similarity = tf.matmul(tf.gather(own, rows[:, 0]), keys, transpose_b=True)
        at = tf.argmax(similarity, -1, output_type=tf.int32)[:, None]
        best = tf.gather(similarity, at, batch_dims=1)
        scores = tf.concat([tf.gather(score, rows[:, 0]), best], -1)
        places = tf.concat([tf.gather(index, rows[:, 0]), start + at], -1)
        scores, order = tf.math.top_k(scores, CANDIDATES)
        places = tf.gather(places, order, batch_dims=1)
        return (
            c + 1,
            tf.tensor_scatter_nd_update(score, rows, scores),
            tf.tensor_scatter_nd_update(index, rows, places),
        )

    shape = [_len(own), CANDIDATES]
    _, _, index = tf.while_loop(
        lambda c, *_: c < _len(centres),
        search_cluster,
        [0, tf.fill(shape, -float("inf")), tf.zeros(shape, tf.int32)],
        parallel_iterations=1,
    )
    return index


def _components(key):
    """The principal components of the key's unit patches, as a kernel [3, 3, C, D]."""
    height, width = tf.unstack(tf.cast(tf.shape(key)[:2] - 2, tf.int64))
    places = tf.range(SAMPLE, dtype=tf.int64) * (height * width - 1) // (SAMPLE - 1)
    row, column = places // width, places % width
    vectors = [
        tf.gather_nd(key, tf.stack([row + dy, column + dx], -1))
        for dy in range(3)
        for dx in range(3)
    ]
    sample = tf.math.l2_normalize(tf.concat(vectors, -1), -1, _EPSILON)
    # The Gram matrix has the covariance's values, of which there are fewer here.
    values, coefficients = tf.linalg.eigh(tf.matmul(sample, sample, transpose_b=True))
    values, coefficients = values[-COMPONENTS:], coefficients[:, -COMPONENTS:]
    scaled = coefficients * tf.math.rsqrt(tf.maximum(values, _EPSILON))
    return tf.reshape(tf.matmul(sample, scaled, transpose_a=True), [3, 3, -1, COMPONENTS])


def _described(x, components):
    """[H + 2, W + 2, C] → [H·W, D]."""
    return tf.reshape(tf.nn.conv2d(x[None], components, 1, "VALID"), [-1, COMPONENTS])


def _centres(theirs):
    """Of 3·√n clusters of n unit vectors: one step of Lloyd's, from places far apart."""
    n = tf.cast(_len(theirs), tf.float64)
    clusters = tf.cast(tf.math.ceil(3 * tf.sqrt(n)), tf.int64)
    first = tf.range(clusters) * tf.cast(n - 1, tf.int64) // tf.maximum(clusters - 1, 1)
    centres = tf.gather(theirs, first)
    sums = tf.math.unsorted_segment_sum(theirs, _nearest(theirs, centres), _len(centres))
    return tf.math.l2_normalize(sums, -1, _EPSILON)


def _nearest(x, centres):
    def nearest(part):
        similarity = tf.matmul(part, centres, transpose_b=True)
        return tf.argmax(similarity, -1, output_type=tf.int32)[:, None]

    return _in_blocks(nearest, x, _len(centres))[:, 0]


def _in_blocks(function, x, similarities):
    """Calls `function` with parts of rows [., D] → int32 [., n], so that memory is bounded.

    Args:
        similarities: of each row, floats.
    """
    rows = _len(x)
    blocks = -(-rows // tf.maximum(BLOCK // similarities, 1))
    size = -(-rows // blocks)
    x = tf.reshape(tf.pad(x, [[0, blocks * size - rows], [0, 0]]), [blocks, size, COMPONENTS])
    signature = tf.TensorSpec([None, None], tf.int32)
    found = tf.map_fn(function, x, parallel_iterations=1, fn_output_signature=signature)
    return tf.reshape(found, [-1, tf.shape(found)[-1]])[:rows]


def _len(x):
    return tf.shape(x)[0]
