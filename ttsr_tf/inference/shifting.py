"""The alignment of `ttsr_tf.layers` in NumPy, for where TensorFlow isn't."""

import numpy as np

CHANNELS, SHIFTS = 48, 25  # as of layers.Alignment
_COUNT = 108  # values of a patch that are compared
_EPSILON = np.float32(1e-3)


def align(query, key, index):
    """The shift with which each match agrees best: what `layers.Alignment` gives.

    Args:
        query: float32 [1, H, W, 48].
        key: float32 [1, h, w, 48].
        index: int32 [1, H, W], positions in h·w.

    Returns:
        int32 [1, H, W].
    """
    query, key = _bordered(query[0], 4), _bordered(key[0], 8)
    rows, columns = np.divmod(index[0], key.shape[1] // 4 - 4)
    # A patch is every second pixel of 12×12: six lines of six pixels, which lie together where
    # even and odd columns are apart.
    lines, weights = _lines(key), _weights(key)
    width = key.shape[1] // 2
    shifts, steps = np.arange(5), 2 * width * np.arange(6)
    result = np.empty_like(index[0])
    for y in range(len(result)):  # the surroundings of all positions would take much memory
        top, left = (4 * x[y][:, None] + 2 + shifts for x in (rows, columns))
        first = top[:, :, None] * width + (left % 2 * (len(key) * width) + left // 2)[:, None]
        around = lines[first[..., None] + steps].reshape(len(top), SHIFTS, -1)
        own = _patches(query[4 * y : 4 * y + 12])
        weight = weights[top[:, :, None], left[:, None]].reshape(len(top), SHIFTS)
        result[y] = _best(own.reshape(len(top), -1), around, weight)
    return index * SHIFTS + result[None]


def _best(own, near, weight):
    own = own - own.mean(-1, keepdims=True)
    score = np.squeeze(near @ own[..., None], -1) * weight
    none = SHIFTS // 2
    return np.where(score.max(-1) > score[:, none], score.argmax(-1), none)


def _lines(picture):
    """A view of every six pixels that have one between them: [rows·columns, 18]."""
    apart = np.concatenate([picture[:, parity::2].ravel() for parity in (0, 1)])
    return np.lib.stride_tricks.sliding_window_view(apart, 18)[::3]


def _weights(picture):
    """Of every patch, the inverse root of its squared differences from its mean."""
    sums, squares = (_patch_sums(x) for x in (picture.sum(-1), (picture**2).sum(-1)))
    squares -= sums**2 / _COUNT
    return 1 / np.sqrt(np.maximum(squares, _EPSILON))


def _patch_sums(x):
    x = sum(x[i : len(x) - 10 + i] for i in range(0, 12, 2))
    return sum(x[:, i : x.shape[1] - 10 + i] for i in range(0, 12, 2))


def _patches(picture):
    """Of twelve rows, those that begin at every fourth pixel: [columns, 6, 6, 3]."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, (12, 12), (0, 1))[0, ::4]
    return windows[..., ::2, ::2].transpose(0, 2, 3, 1)


def _bordered(blocks, pixels):
    """The picture, mirrored at its borders."""
    height, width, _ = blocks.shape
    picture = blocks.reshape(height, width, 4, 4, 3).swapaxes(1, 2)
    picture = picture.reshape(4 * height, 4 * width, 3)
    return np.pad(picture, [(pixels, pixels), (pixels, pixels), (0, 0)], "symmetric")


def transfer(value, index, scale):
    """Pastes the matched and shifted patches: what `layers.ShiftedTransfer` gives.

    Args:
        value: float32 or float16 [1, scale·h, scale·w, C], or up to scale - 1 rows and columns
            more.
        index: int32 [1, H, W], of `align`; where it is -1, nothing is pasted.
        scale: 1, 2 or 4.

    Returns:
        float32 [1, scale·H, scale·W, C].
    """
    index, (height, width) = index[0], (n // scale for n in value.shape[1:3])
    value = value[0, : scale * height, : scale * width]  # patches reach no further
    place, shift = np.divmod(index, SHIFTS)
    # The first pixel of each position's block: row and column.
    first = [
        block * scale + np.trunc((step - 2) * scale / 4).astype(int)
        for block, step in zip(np.divmod(place, width), np.divmod(shift, 5), strict=True)
    ]
    outside = -10 * scale  # in the zeros around the value
    first = [np.pad(np.where(index >= 0, x, outside), 1, constant_values=outside) for x in first]
    height, width = index.shape
    total = np.zeros((height, scale, width, scale, value.shape[-1]), np.float32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            # What the patch of a neighbour has for this position lies opposite.
            neighbour = slice(1 - dy, 1 - dy + height), slice(1 - dx, 1 - dx + width)
            tops, lefts = (x[neighbour] + scale * d for x, d in zip(first, (dy, dx), strict=True))
            for row, top, left in zip(total, tops, lefts, strict=True):  # in the processor's cache
                row += _pixels(value, top, left, scale=scale)
    total /= 9
    return total.reshape(1, scale * height, scale * width, -1)


def _pixels(value, top, left, *, scale):
    """Blocks that begin at `top` and `left`, int [W]: [scale, W, scale, C]; zeros outside."""
    step, (height, width) = np.arange(scale), value.shape[:2]
    rows, columns = top[:, None] + step[:, None, None], left[:, None] + step
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    pixels = value[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    if not inside.all():
        pixels[~inside] = 0
    return pixels
