"""The exact search for the best match of 3×3 patches, in bounded memory.

The inner product of two patches is the sum, over the nine shifts, of inner products of single
vectors. So the search multiplies every pair of vectors once and adds up nine shifted products:

    tile of the query [i, C] · tile of the key [C, j] ─► products [i, j]
    scores[i, j] = Σ products[i + dy·query_width + dx, j + dy·key_width + dx] / norm[j] ─► argmax

Neither patches nor the whole similarity matrix ever exist. Products lie in one flat buffer, where
a shift is an offset: TensorFlow slices a vector without a copy if offset and length are multiples
of 64 bytes. They are, since the products' rows are one float short of such a multiple, and both
tiles' widths are equal modulo 16.
"""

import tensorflow as tf

from ttsr_tf.layers.products import float32_product

EPSILON = 1e-24  # of a squared norm: patches shorter than 1e-12 count as that long

# Positions of a tile's side. Products of larger tiles pass 32 MiB, beyond which C's allocator asks
# the system for memory each time; smaller tiles spend more on their surroundings.
_SIDE = 48
_ALIGNMENT = 16  # floats

# What memory the process keeps for a search, as measured: products of two tiles, and vectors.
_BLOCKS = 5
_COPIES = 4


@tf.function(
    input_signature=[
        tf.TensorSpec([None, None, None, None], tf.float32),
        tf.TensorSpec([None, None, None, None], tf.float32),
        tf.TensorSpec([], tf.int32),
    ],
    autograph=False,  # whose reading of Python takes longer than all of the trace
)
def best_match(query, key, memory_mb):
    """Where in the key the patch is that has the largest normalised inner product.

    Args:
        query: [B, H + 2, W + 2, C], with H·W patches.
        key: [B, h + 2, w + 2, C], with h·w patches.
        memory_mb: bound on what is allocated on the way, MiB.

    Returns:
        int32 [B, H, W], the row-major number of the key's patch, the first one on a tie.

    Raises:
        tf.errors.InvalidArgumentError: `memory_mb` is too small for a tile of one position.
    """
    side = _tile_side(tf.shape(key)[-1], memory_mb)
    return tf.map_fn(
        lambda b: _search(query[b], key[b], side),
        tf.range(tf.shape(query)[0]),
        parallel_iterations=1,
        fn_output_signature=tf.TensorSpec([None, None], tf.int32),
    )


def _search(query, key, side):
    """[H + 2, W + 2, C], [h + 2, w + 2, C] → int32 [H, W]."""
    query_size, key_size = tf.shape(query)[:2] - 2, tf.shape(key)[:2] - 2
    widths = _widths(query_size[1], key_size[1], side)
    query_tile, key_tile = (
        tf.stack([_even(size[0], side), width])
        for size, width in zip((query_size, key_size), widths, strict=True)
    )
    query_grid, key_grid = _quotient(query_size, query_tile), _quotient(key_size, key_tile)

    def search_tile(k, best, index):
        tilings = (query_grid, query_tile), (key_grid, key_tile)
        found, at = _search_tile(query, key, k, tilings=tilings)
        better = (found > best) | ((found == best) & (at < index))
        return k + 1, tf.where(better, found, best), tf.where(better, at, index)

    tiles = tf.concat([query_grid, query_tile], 0)
    _, _, index = tf.while_loop(
        lambda k, *_: k < tf.reduce_prod(key_grid),
        search_tile,
        [0, tf.fill(tiles, -float("inf")), tf.zeros(tiles, tf.int32)],
        parallel_iterations=1,
    )
    # From tiles to the map. Not by a transpose: of integers', oneDNN complains on stderr.
    row, column = tf.range(query_size[0])[:, None], tf.range(query_size[1])
    tile = row // query_tile[0] * query_grid[1] + column // query_tile[1]
    within = row % query_tile[0] * query_tile[1] + column % query_tile[1]
    return tf.gather(tf.reshape(index, [-1]), tile * tf.reduce_prod(query_tile) + within)


def _search_tile(query, key, k, *, tilings):
    """The best within one tile of the key: scores, but for the query's norm, and their index, both
    [rows of query tiles, columns of query tiles, *query_tile].
    """
    (query_grid, query_tile), (key_grid, key_tile) = tilings
    corner = _corner(k, key_grid, key_tile)
    vectors = _tile(key, corner, key_tile)
    key_width, query_width = key_tile[1] + 2, query_tile[1] + 2
    columns = _rounded((key_tile[0] + 2) * key_width + 1) - 1
    rows = _rounded(query_tile[0] * query_width)
    key_size = tf.shape(key)[:2] - 2
    weights, bias = _weights(vectors, corner, key_size, length=columns)
    # Once, since the product would do it for every tile of the query.
    vectors = tf.transpose(_flat(vectors, columns))

    def match(q):
        own = _tile(query, _corner(q, query_grid, query_tile), query_tile)
        own = _flat(own, rows + 2 * query_width + 3)
        products = tf.reshape(float32_product(own, vectors), [-1])
        offsets = [
            dy * (query_width * columns + key_width) + dx * (columns + 1)
            for dy in range(3)
            for dx in range(3)
        ]
        scores = tf.add_n([products[start : start + rows * columns] for start in offsets])
        scores = tf.nn.bias_add(tf.reshape(scores, [rows, columns]) * weights, bias)
        at = tf.argmax(scores, -1, output_type=tf.int32)
        return _inner(tf.gather(scores, at, batch_dims=1)), _inner(at)

    def _inner(x):
        x = tf.reshape(x[: query_tile[0] * query_width], [query_tile[0], query_width])
        return x[:, : query_tile[1]]

    score, at = tf.map_fn(
        match,
        tf.range(tf.reduce_prod(query_grid)),
        parallel_iterations=1,
        fn_output_signature=(
            tf.TensorSpec([None, None], tf.float32),
            tf.TensorSpec([None, None], tf.int32),
        ),
    )
    row, column = corner[0] + at // key_width, corner[1] + at % key_width
    shape = tf.concat([query_grid, query_tile], 0)
    return tf.reshape(score, shape), tf.reshape(row * key_size[1] + column, shape)


def _weights(vectors, corner, size, *, length):
    """What to multiply scores by, and what to add, for the patches that start at every vector."""
    squares = tf.reduce_sum(vectors * vectors, -1)
    squares = squares[:-2] + squares[1:-1] + squares[2:]
    squares = squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:]
    height, width = tf.unstack(tf.shape(squares))
    inside = (corner[0] + tf.range(height) < size[0])[:, None] & (
        corner[1] + tf.range(width) < size[1]
    )
    # No patch starts in the last two columns of a tile with its border. The length is whole
    # registers, as the last bit of rsqrt differs in a rest: equals would not be equal.
    squares, inside = (
        _lengthened(tf.reshape(tf.pad(x, [[0, 0], [0, 2]]), [-1]), _rounded(length))
        for x in (squares, inside)
    )
    weights = tf.where(inside, tf.math.rsqrt(tf.maximum(squares, EPSILON)), 0)
    return weights[:length], tf.where(inside, 0.0, -float("inf"))[:length]


def _tile(x, corner, size):
    """What a tile's patches are made of, zeros where it leaves the map: [h + 2, w + 2, C]."""
    stop = corner + size + 2
    x = x[corner[0] : stop[0], corner[1] : stop[1]]
    missing = size + 2 - tf.shape(x)[:2]
    return tf.pad(x, [[0, missing[0]], [0, missing[1]], [0, 0]])


def _corner(i, grid, tile):
    return tf.stack([i // grid[1], i % grid[1]]) * tile


def _even(size, side):
    """The size of as few tiles as possible, about equally large."""
    return _quotient(size, _quotient(size, side))


def _widths(query_width, key_width, side):
    """Of the tiles of both: the pair, equal modulo _ALIGNMENT, with the fewest products."""
    sizes = tf.range(1, side + 1)
    columns = (_quotient(width, sizes) * (sizes + 2) for width in (query_width, key_width))
    of_query, of_key = (tf.cast(x, tf.float64) for x in columns)
    aligned = (sizes[:, None] - sizes) % _ALIGNMENT == 0
    products = tf.where(aligned, of_query[:, None] * of_key, float("inf"))
    best = tf.argmin(tf.reshape(products, [-1]), output_type=tf.int32)
    return sizes[best // side], sizes[best % side]


def _quotient(a, b):
    """Rounded up."""
    return -(-a // b)


def _lengthened(x, length):
    return tf.pad(x, [[0, length - tf.shape(x)[0]]] + [[0, 0]] * (x.shape.rank - 1))


def _flat(tile, length):
    vectors = tf.reshape(tile, [-1, tf.shape(tile)[-1]])
    return _lengthened(vectors, length)


def _rounded(n):
    return _quotient(n, _ALIGNMENT) * _ALIGNMENT


def _tile_side(channels, memory_mb):
    """The side of the largest tiles that memory allows."""
    vectors = _COPIES * tf.cast(channels, tf.float64)  # floats for each position and its border
    allowed = tf.cast(memory_mb, tf.float64) * 2**20 / 4
    # Of the area with the border, the solution of _BLOCKS · area² + vectors · area = allowed.
    area = (tf.sqrt(vectors**2 + 4 * _BLOCKS * allowed) - vectors) / (2 * _BLOCKS)
    side = tf.cast(tf.sqrt(area), tf.int32) - 2
    least = tf.cast((_BLOCKS * 9**2 + vectors * 9) * 4 / 2**20, tf.int32) + 1
    message = ["matching_memory_mb =", memory_mb, "is too small, give at least", least]
    with tf.control_dependencies([tf.debugging.Assert(side >= 1, message)]):
        return tf.minimum(side, _SIDE)
