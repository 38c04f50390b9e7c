"""Relevance: for every patch of the query, the best match among the key's.

The inner product of two 3×3 patches is the sum, over the nine shifts, of inner products of single
feature vectors. So the search multiplies every pair of vectors once, a row of the query against a
band of the key at a time, and adds up shifted products: nine times fewer multiplications than
with patches, and neither patches nor the whole similarity matrix ever exist.
"""

import keras
import tensorflow as tf

from ttsr_tf.errors import InputError

STREAMED, PATCHES = "streamed", "patches"

# Blocks of one query row × one key band that are alive at once, their copies included.
_BLOCKS = 9
_CACHED = 8 * 2**20  # bytes of a block that caches hold; larger ones took up to twice the time
_EPSILON = 1e-24  # of a squared norm: patches shorter than 1e-12 count as that long


class Relevance(keras.layers.Layer):
    """Best match by normalised inner product of 3×3 patches (paper, section 3.2, equations 2–4).

    No gradient flows through `index`; it flows through `confidence` into query and key. Always
    computes in float32.

    Args:
        matching: "streamed", or "patches" for the plain form: unfolded patches and one product,
            as the paper writes it, whose memory grows with the product of both sizes.
        matching_memory_mb: bound on what the streamed search allocates, MiB.

    Inputs: query [B, H, W, C] and key [B, h, w, C], sizes independent.
    Outputs: index, int32 [B, H, W]: the row-major position in the key, the first one on a tie;
    confidence, float32 [B, H, W, 1] in [-1, 1].

    Raises:
        InputError: an unknown `matching`.
        tf.errors.InvalidArgumentError: `matching_memory_mb` is too small for one row of the
            query against three of the key; the message says what is enough.
    """

    def __init__(self, matching=STREAMED, matching_memory_mb=256, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if matching not in (STREAMED, PATCHES):
            raise InputError(f"`matching` must be {STREAMED} or {PATCHES}, got {matching!r}.")
        self.matching = matching
        self.matching_memory_mb = matching_memory_mb

    def call(self, inputs):
        query, key = inputs
        if self.matching == PATCHES:
            return _match_patches(query, key)
        index = _search(tf.stop_gradient(query), tf.stop_gradient(key), self.matching_memory_mb)
        return index, _confidence(query, key, index)

    def compute_output_shape(self, input_shape):
        size = tuple(input_shape[0][:3])
        return size, (*size, 1)

    def get_config(self):
        return {
            **super().get_config(),
            "matching": self.matching,
            "matching_memory_mb": self.matching_memory_mb,
        }


def _match_patches(query, key):
    similarity = tf.matmul(_patches(query), _patches(key), transpose_b=True)  # [B, H·W, h·w]
    shape = tf.shape(query)[:3]
    index = tf.reshape(tf.argmax(similarity, -1, output_type=tf.int32), shape)
    return index, tf.reshape(tf.reduce_max(similarity, -1), shape)[..., None]


def _patches(x):
    """Unit 3×3 patches of a zero-padded map: [B, H, W, C] → [B, H·W, 9·C]."""
    x = tf.image.extract_patches(x, [1, 3, 3, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME")
    x = tf.reshape(x, [tf.shape(x)[0], -1, x.shape[-1]])
    return tf.math.l2_normalize(x, axis=-1, epsilon=_EPSILON)


@tf.function(
    input_signature=[
        tf.TensorSpec([None, None, None, None], tf.float32),
        tf.TensorSpec([None, None, None, None], tf.float32),
        tf.TensorSpec([], tf.int64),
    ]
)
def _search(query, key, memory_mb):
    """Index of the best match, int32 [B, H, W]."""
    shape = tf.shape(query)[:3]
    height, width = tf.shape(key)[1], tf.shape(key)[2]
    band = _band_height(shape[0], shape[2], height, width, memory_mb)
    scale = tf.math.rsqrt(tf.maximum(_squared_norms(key), _EPSILON))  # [B, h, w]
    query, key = _padded(query), _padded(key)

    def search_band(start, best, index):
        stop = tf.minimum(start + band, height)
        found, at = _search_band(query, key[:, start : stop + 2], scale[:, start:stop])
        better = found > best  # strictly: on a tie the earlier band stays
        at += start * width
        return stop, tf.where(better, found, best), tf.where(better, at, index)

    _, _, index = tf.while_loop(
        lambda start, *_: start < height,
        search_band,
        [0, tf.fill(shape, -float("inf")), tf.zeros(shape, tf.int32)],
        parallel_iterations=1,
    )
    return index


def _search_band(query, key, scale):
    """Best score (but for the query's norm) and index within a band of the key.

    Args:
        query: [B, H + 2, W + 2, C], zero-padded.
        key: [B, h + 2, w + 2, C], padded, or with its neighbouring rows.
        scale: [B, h, w], 1 / norm of the key's patches.

    Returns:
        float32 and int32 [B, H, W].
    """
    batch, rows, width = tf.unstack(tf.shape(query)[:3] - [0, 2, 2])
    key_height, key_width = tf.shape(scale)[1], tf.shape(scale)[2]
    vectors = (key_height + 2) * (key_width + 2)
    # Two more vectors, so that all three diagonals are equally long.
    key = tf.pad(tf.reshape(key, [batch, vectors, tf.shape(key)[-1]]), [[0, 0], [0, 2], [0, 0]])
    key = tf.transpose(key, [0, 2, 1])  # once, since the product would do it for every row

    def row_products(y):
        """Sums over the three columns of a patch: [B, W, h + 2, w + 2]."""
        p = tf.matmul(query[:, y], key)  # [B, W + 2, vectors + 2]
        p = tf.add_n([p[:, dx : dx + width, dx : dx + vectors] for dx in range(3)])
        return tf.reshape(p, [batch, width, key_height + 2, key_width + 2])

    def match_row(y, above, own, scores, indices):
        below = row_products(y + 2)
        patches = tf.add_n(
            [p[:, :, dy : dy + key_height, :key_width] for dy, p in enumerate((above, own, below))]
        )
        patches = tf.reshape(patches * scale[:, None], [batch, width, key_height * key_width])
        score, index = tf.math.top_k(patches, 1)  # the first on a tie
        return y + 1, own, below, scores.write(y, score[..., 0]), indices.write(y, index[..., 0])

    *_, scores, indices = tf.while_loop(
        lambda y, *_: y < rows,
        match_row,
        [
            0,
            row_products(0),
            row_products(1),
            tf.TensorArray(tf.float32, rows, element_shape=[None, None]),
            tf.TensorArray(tf.int32, rows, element_shape=[None, None]),
        ],
        parallel_iterations=1,
    )
    return tuple(tf.transpose(rows.stack(), [1, 0, 2]) for rows in (scores, indices))


def _confidence(query, key, index):
    """The score at the match, differentiable: [B, H, W, 1]."""
    shape, key_shape = tf.shape(query), tf.shape(key)
    norms = _squared_norms(query) * tf.gather(
        tf.reshape(_squared_norms(key), [shape[0], -1]), index, batch_dims=1
    )
    query, key = _padded(query), tf.reshape(_padded(key), [shape[0], -1, key.shape[-1]])
    corner = index // key_shape[2] * (key_shape[2] + 2) + index % key_shape[2]
    product = tf.zeros(shape[:3])
    for dy in range(3):
        for dx in range(3):
            own = query[:, dy : dy + shape[1], dx : dx + shape[2]]
            match = tf.gather(key, corner + dy * (key_shape[2] + 2) + dx, batch_dims=1)
            product += tf.reduce_sum(own * match, -1)
    return (product * tf.math.rsqrt(tf.maximum(norms, _EPSILON)))[..., None]


def _squared_norms(x):
    """Of the 3×3 patches of a zero-padded map: [B, H, W, C] → [B, H, W]."""
    x = _padded(tf.reduce_sum(x * x, -1, keepdims=True))[..., 0]
    x = x[:, :-2] + x[:, 1:-1] + x[:, 2:]
    return x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]


def _padded(x):
    return tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])


def _band_height(batch, query_width, key_height, key_width, memory_mb):
    values = batch * (query_width + 2) * (key_width + 2)
    row = tf.cast(values, tf.int64) * 4  # bytes of a block that a row of the key takes
    allowed = memory_mb * 2**20 // (_BLOCKS * row) - 2
    least = 3 * _BLOCKS * row // 2**20 + 1
    message = ["matching_memory_mb =", memory_mb, "is too small, give at least", least]
    enough = tf.debugging.Assert(allowed >= 1, message)
    with tf.control_dependencies([enough]):
        fitting = tf.maximum(_CACHED // row - 2, 1)
        return tf.minimum(tf.cast(tf.minimum(allowed, fitting), tf.int32), key_height)
