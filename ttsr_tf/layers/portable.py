"""Graphs for elsewhere: within `traced()` they have no form that is for this machine's processor.

Within `traced(LITERT)`, three parts of the layers have forms for LiteRT: its converter refuses some
operations, and a map whose size is computed in the graph isn't planned before the run, which takes
time and memory. The results are equal, but for sums in another order.
"""

import contextlib
import contextvars
import math

import numpy as np
import tensorflow as tf

TENSORFLOW, LITERT = "tensorflow", "litert"
_traced = contextvars.ContextVar("traced", default=None)


@contextlib.contextmanager
def traced(runtime=TENSORFLOW):
    """Within it, what layers are called in is a graph for a runtime on whatever machine."""
    token = _traced.set(runtime)
    try:
        yield
    finally:
        _traced.reset(token)


def wanted():
    """Whether a layer shall have its form for LiteRT."""
    return _traced.get() == LITERT


def elsewhere():
    """Whether a layer shall leave this machine's processor out of account."""
    return _traced.get() is not None


def resize_up(x, factor, cubic):
    """Enlarges maps by convolutions of every phase, whose sizes aren't computed in the graph.

    Args:
        x: float [B, H, W, C].
        factor: 2 or 4.
        cubic: the weight of a tap by its distance.

    Returns:
        [B, factor·H, factor·W, C].
    """
    for _ in range(2):  # by one each time, "SYMMETRIC" repeats the border
        x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    kernels = _phases(factor, cubic)
    columns = [_convolved(x, kernel[:, None]) for kernel in kernels]
    phases = [_convolved(column, kernel[None]) for column in columns for kernel in kernels]
    return tf.nn.depth_to_space(tf.concat(phases, -1), factor)


def _phases(factor, cubic):
    """The five weights of each of `factor` positions between two of the map."""
    offsets = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]
    return np.array(
        [
            [
                cubic(abs(tap - offset)) if abs(tap - math.floor(offset) - 0.5) < 2 else 0
                for tap in range(-2, 3)
            ]
            for offset in offsets
        ]
    )


def _convolved(x, kernel):
    """Every channel with the same kernel [h, w]."""
    kernel = np.tile(kernel[..., None, None], [1, 1, x.shape[-1], 1])
    return tf.nn.depthwise_conv2d(x, tf.constant(kernel, x.dtype), [1, 1, 1, 1], "VALID")


def mean_of_nine(rows, sources):
    """The mean of nine rows for every position.

    Args:
        rows: float [N, C].
        sources: int32 [B, H, W, 3, 3].

    Returns:
        [B, H, W, C].
    """
    shape = tf.shape(sources)[:3]
    sources = tf.reshape(sources, [-1, 9])
    # In a loop, since LiteRT keeps what has such a shape until the graph's end.
    start = tf.zeros([tf.shape(sources)[0], rows.shape[-1]], rows.dtype)
    _, total = tf.while_loop(
        lambda i, _: i < 9,
        lambda i, total: (i + 1, total + tf.gather(rows, sources[:, i])),
        [0, start],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, rows.shape[-1]])],
    )
    return tf.reshape(total / 9, tf.concat([shape, [rows.shape[-1]]], 0))


def rows_of(function, count):
    """What a function gives of every row's number, [B, W]: [count, B, W]."""
    _, rows = tf.while_loop(
        lambda i, _: i < count,
        lambda i, rows: (i + 1, tf.concat([rows, function(i)[None]], 0)),
        [1, function(0)[None]],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, None, None])],
    )
    return rows


def best_match(query, key, epsilon):
    """As `search.best_match`, row by row of the key.

    Args:
        query: [1, H + 2, W + 2, C].
        key: [1, h + 2, w + 2, C].
        epsilon: of a squared norm.

    Returns:
        int32 [1, H, W].
    """
    (query_height, query_width), (key_height, key_width) = (
        tf.unstack(tf.shape(x)[1:3]) for x in (query, key)
    )
    height, width, columns = query_height - 2, query_width - 2, key_width - 2
    vectors = tf.reshape(query, [-1, query.shape[-1]])
    squares = tf.reduce_sum(key[0] ** 2, -1)  # [h + 2, w + 2]

    def products(row):
        found = tf.matmul(vectors, key[0, row], transpose_b=True)
        return tf.reshape(found, [query_height, query_width, key_width])

    def search(row, above, found_before):
        (upper, middle), (best, index) = above, found_before
        lower = products(row + 2)
        scores = 0.0
        for dy, of_row in enumerate((upper, middle, lower)):
            for dx in range(3):
                scores += of_row[dy : dy + height, dx : dx + width, dx : dx + columns]
        norms = tf.reduce_sum(squares[row : row + 3], 0)
        norms = norms[:-2] + norms[1:-1] + norms[2:]
        scores *= tf.math.rsqrt(tf.maximum(norms, epsilon))
        found = tf.reduce_max(scores, -1)
        at = row * columns + tf.argmax(scores, -1, output_type=tf.int32)
        better = found > best
        now = tf.where(better, found, best), tf.where(better, at, index)
        return row + 1, (middle, lower), now

    start = tf.fill([height, width], -np.float32(np.inf))
    some, of_rows = tf.TensorShape([None, None]), tf.TensorShape([None, None, None])
    _, _, (_, index) = tf.while_loop(
        lambda row, *_: row < key_height - 2,
        search,
        [0, (products(0), products(1)), (start, tf.zeros([height, width], tf.int32))],
        shape_invariants=[tf.TensorShape([]), (of_rows, of_rows), (some, some)],
    )
    return index[None]
