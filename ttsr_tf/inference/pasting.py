"""The hard attention of `ttsr_tf.layers` in NumPy, for where TensorFlow isn't."""

import numpy as np


def transfer(value, index, scale, *, padding):
    """Pastes the matched patches of a scale and takes their mean: what `layers.Transfer` gives.

    Args:
        value: float32 [1, scale·h, scale·w, C], or up to scale - 1 rows and columns more.
        index: int32 [1, H, W], positions in h·w, row-major; where it is -1, nothing is pasted.
        scale: 1, 2 or 4.
        padding: "same" or "valid", as of the layer.

    Returns:
        float32 [1, scale·H, scale·W, C].
    """
    index, (height, width) = index[0], index.shape[1:]
    blocks, blocks_width = _blocks(value[0], scale)
    # Block 0 is in the border of zeros, and stands for what isn't pasted.
    centre = (index // blocks_width + 1) * (blocks_width + 2) + index % blocks_width + 1
    nothing = -len(blocks)
    centre = np.where(index >= 0, centre, nothing)
    if padding == "valid":
        centre[[0, -1]] = centre[:, [0, -1]] = nothing
    centre = np.pad(centre, 1, constant_values=nothing)
    total = np.zeros((height, width, blocks.shape[-1]), np.float32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            # What the patch of a neighbour has for this position lies opposite.
            neighbour = centre[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
            source = np.maximum(neighbour + dy * (blocks_width + 2) + dx, 0)
            for row, places in zip(total, source, strict=True):  # in the processor's cache
                row += blocks[places]
    if padding == "valid":
        total /= (_overlap(height)[:, None] * _overlap(width))[..., None]
    else:
        total /= 9
    return _unfolded(total, scale)[None]


def _overlap(size):
    """How many patches of three reach each position of a line, if none leaves it."""
    place = np.arange(size)
    return np.float32(np.minimum(place, size - 3) - np.maximum(place - 2, 0) + 1)


def _blocks(value, scale):
    """Blocks of scale × scale in a border of zeros: [(h + 2)·(w + 2), scale²·C]; and w."""
    height, width = (n // scale for n in value.shape[:2])
    # Pixels beyond the last whole block belong to the border, as patches there reach them.
    bottom, right = (scale - n % scale for n in value.shape[:2])
    value = np.pad(value, [(scale, bottom), (scale, right), (0, 0)])
    blocks = value.reshape(height + 2, scale, width + 2, -1).swapaxes(1, 2)
    return blocks.reshape((height + 2) * (width + 2), -1), width


def _unfolded(blocks, scale):
    """[H, W, scale²·C] → [scale·H, scale·W, C]."""
    height, width, _ = blocks.shape
    pixels = blocks.reshape(height, width, scale, scale, -1).swapaxes(1, 2)
    return pixels.reshape(scale * height, scale * width, -1)
