"""Relevance: for every patch of the query, the best match among the key's.

Found by streaming (see search.py), by the plain form, as the paper writes it, or among likely ones
(see clustered_search.py).
"""

import keras
import tensorflow as tf

from ttsr_tf import clusters
from ttsr_tf.errors import InputError
from ttsr_tf.layers import portable
from ttsr_tf.layers.clustered_search import good_matches
from ttsr_tf.layers.padding import SAME, check_padding
from ttsr_tf.layers.products import float32_product
from ttsr_tf.layers.search import EPSILON, best_match

STREAMED, PATCHES, CLUSTERED = "streamed", "patches", "clustered"


@keras.saving.register_keras_serializable("ttsr_tf")
class Relevance(keras.layers.Layer):
    """Best match by normalised inner product of 3×3 patches (paper, section 3.2, equations 2–4).

    No gradient flows through `index`; it flows through `confidence` into query and key. Always
    computes in float32.

    Args:
        matching: "streamed", or "patches" for the plain form: unfolded patches and one product,
            as the paper writes it, whose memory grows with the product of both sizes; or
            "clustered", which compares large maps with likely places only: nearly the best match,
            in a fraction of the time.
        matching_memory_mb: bound on what the streamed search allocates, MiB.
        padding: "same" matches a patch around every position, zeros beyond the border; "valid" only
            the patches that lie within the maps, as SRNTT does: positions at the query's border
            then have what their neighbour inside has.

    Inputs: query [B, H, W, C] and key [B, h, w, C], sizes independent, "valid" ones from 3×3.
    Outputs: index, int32 [B, H, W]: the row-major position in the key, the first one on a tie;
    confidence, float32 [B, H, W, 1] in [-1, 1], 0 for a patch of zeros.

    Raises:
        InputError: an unknown `matching` or `padding`.
        tf.errors.InvalidArgumentError: `matching_memory_mb` is too small for one row of the
            query against three of the key; the message says what is enough.
    """

    def __init__(self, matching=STREAMED, matching_memory_mb=256, padding=SAME, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.supports_jit = False  # XLA would want every size known
        self.input_spec = [keras.layers.InputSpec(ndim=n) for n in (4, 4)]
        if matching not in (STREAMED, PATCHES, CLUSTERED):
            raise InputError(
                f"`matching` must be {STREAMED}, {PATCHES} or {CLUSTERED}, got {matching!r}."
            )
        check_padding(padding)
        self.matching = matching
        self.matching_memory_mb = matching_memory_mb
        self.padding = padding

    def call(self, inputs):
        query, key = inputs
        if self.padding == SAME:
            return self._matched(_padded(query), _padded(key))
        width = tf.shape(key)[2]
        index, confidence = self._matched(query, key)
        index = (index // (width - 2) + 1) * width + index % (width - 2) + 1  # its centre
        border = [[0, 0], [1, 1], [1, 1]]
        confidence = tf.pad(confidence, [*border, [0, 0]], "SYMMETRIC")
        return tf.pad(index, border, "SYMMETRIC"), confidence

    def _matched(self, query, key):
        """The key's patch, by its number, for every patch of the query; and the confidence."""
        if self.matching == PATCHES:
            return _match_patches(query, key)
        if self.matching == CLUSTERED and not portable.wanted():
            large = clusters.used(_patches_of(query), _patches_of(key))
            return tf.cond(large, lambda: _good(query, key), lambda: self._best(query, key))
        return self._best(query, key)

    def _best(self, query, key):
        if portable.wanted():
            index = portable.best_match(query, key, EPSILON)
        else:
            query_alone, key_alone = tf.stop_gradient(query), tf.stop_gradient(key)
            index = best_match(query_alone, key_alone, self.matching_memory_mb)
        return index, _confidence(query, key, index)

    def compute_output_shape(self, input_shape):
        size = tuple(input_shape[0][:3])
        return size, (*size, 1)

    def get_config(self):
        return {
            **super().get_config(),
            "matching": self.matching,
            "matching_memory_mb": self.matching_memory_mb,
            "padding": self.padding,
        }


def _patches_of(x):
    return tf.reduce_prod(tf.shape(x, tf.int64)[1:3] - 2)


def _good(query, key):
    """The better one of two good matches, and its confidence."""
    found = good_matches(tf.stop_gradient(query), tf.stop_gradient(key))
    candidates = tf.unstack(found, axis=-1)

    def products_of(row):
        own, at = query[:, row : row + 3], slice(row, row + 1)
        return tf.concat([_product(own, key, index[:, at]) for index in candidates], 1)

    # Row by row, which stays in the processor's cache.
    products = tf.map_fn(
        products_of,
        tf.range(tf.shape(found)[1]),
        parallel_iterations=1,
        fn_output_signature=tf.TensorSpec([None, 2, None], tf.float32),
    )  # [H, B, 2, W]
    first, second = (
        tf.transpose(product, [1, 0, 2]) * _inverse_norms(query, key, index)
        for product, index in zip(tf.unstack(products, axis=2), candidates, strict=True)
    )
    index = tf.where(second > first, *candidates[::-1])
    return index, tf.expand_dims(tf.maximum(first, second), -1)


def _match_patches(query, key):
    similarity = float32_product(_patches(query), _patches(key), transpose_b=True)  # [B, H·W, h·w]
    batch, height, width = tf.unstack(tf.shape(query)[:3])
    shape = [batch, height - 2, width - 2]
    index = tf.reshape(tf.argmax(similarity, -1, output_type=tf.int32), shape)
    return index, tf.reshape(tf.reduce_max(similarity, -1), [*shape, 1])


def _patches(x):
    """Unit 3×3 patches: [B, H + 2, W + 2, C] → [B, H·W, 9·C]."""
    x = tf.image.extract_patches(x, [1, 3, 3, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID")
    x = tf.reshape(x, [tf.shape(x)[0], -1, x.shape[-1]])
    return tf.math.l2_normalize(x, axis=-1, epsilon=EPSILON)


def _confidence(query, key, index):
    """The score at the match, differentiable: [B, H, W, 1]."""
    product = _product(query, key, index)
    return tf.expand_dims(product * _inverse_norms(query, key, index), -1)


def _product(query, key, index):
    """The inner product of each patch with its match: [B, H, W]."""
    shape, key_width = tf.shape(index), tf.shape(key)[2]
    key = tf.reshape(key, [shape[0], -1, key.shape[-1]])
    corner = index // (key_width - 2) * key_width + index % (key_width - 2)
    product = tf.zeros(shape)
    for dy in range(3):
        for dx in range(3):
            # One after the other: all nine at once would take nine times the memory.
            with tf.control_dependencies([product]):
                own = query[:, dy : dy + shape[1], dx : dx + shape[2]]
                match = tf.gather(key, corner + dy * key_width + dx, batch_dims=1)
                product += tf.reduce_sum(own * match, -1)
    return product


def _inverse_norms(query, key, index):
    """One by the product of each patch's norm with its match's: [B, H, W]."""
    norms = _squared_norms(query) * tf.gather(
        tf.reshape(_squared_norms(key), [tf.shape(index)[0], -1]), index, batch_dims=1
    )
    return tf.math.rsqrt(tf.maximum(norms, EPSILON))


def _squared_norms(x):
    """Of the 3×3 patches: [B, H + 2, W + 2, C] → [B, H, W]."""
    x = tf.reduce_sum(x * x, -1)
    x = x[:, :-2] + x[:, 1:-1] + x[:, 2:]
    return x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]


def _padded(x):
    return tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
