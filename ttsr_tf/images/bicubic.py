"""The picture-side bicubic: Pillow's `resize(..., BICUBIC)`, bit for bit, in TensorFlow.

Pillow resizes uint8 in two passes with the cubic a = -0.5, widened when shrinking. Each pass
multiplies by weights in 22-bit fixed point and rounds to uint8. The pass along the rows, which
changes the number of columns, goes first, as in all Pillows that the published numbers were
measured with. Since 13.0 the other does where the picture loses over twice as many rows as columns
(shrinking one over twice as tall as wide, or into another shape), which may show in the last bit.
"""

import tensorflow as tf

from ttsr_tf.errors import InputError

_BITS = 22


def downscale(image: tf.Tensor, factor: int = 4) -> tf.Tensor:
    """The picture `factor` times smaller, as the training data's LR is made.

    Args:
        image: uint8 [H, W, C] or [B, H, W, C]; H and W need not divide by `factor`.
        factor: int.

    Returns:
        uint8 [..., H // factor, W // factor, C].
    """
    image = _checked(image)
    return resize(image, tf.shape(image)[-3] // factor, tf.shape(image)[-2] // factor)


def upscale(image: tf.Tensor, factor: int = 4) -> tf.Tensor:
    """The picture `factor` times larger: plain bicubic, what TTSR is measured against.

    Args:
        image: uint8 [H, W, C] or [B, H, W, C].
        factor: int.

    Returns:
        uint8 [..., factor·H, factor·W, C].
    """
    image = _checked(image)
    return resize(image, tf.shape(image)[-3] * factor, tf.shape(image)[-2] * factor)


def resize(image: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Pillow's bicubic, bit for bit, to any size.

    Args:
        image: uint8 [H, W, C] or [B, H, W, C].
        height, width: int or int32 scalar, at least 1.

    Returns:
        uint8 [..., height, width, C].

    Raises:
        InputError: `image` is not uint8, or has another rank.
    """
    image = _checked(image)
    if image.shape.rank == 3:
        return resize(image[None], height, width)[0]
    resized = _resize(image, height, width)
    sizes = [tf.get_static_value(tf.convert_to_tensor(n)) for n in (height, width)]
    return tf.ensure_shape(resized, [image.shape[0], *sizes, image.shape[-1]])


def _checked(image):
    image = tf.convert_to_tensor(image)
    if image.dtype != tf.uint8 or image.shape.rank not in (3, 4):
        raise InputError(
            f"`image` must be uint8 [H, W, C] or [B, H, W, C], got {image.dtype.name} "
            f"{image.shape.as_list()}. Convert it with `np.asarray(picture, np.uint8)`."
        )
    return image


@tf.function(
    input_signature=[
        tf.TensorSpec([None, None, None, None], tf.uint8),
        tf.TensorSpec([], tf.int32),
        tf.TensorSpec([], tf.int32),
    ],
    autograph=False,  # whose reading of Python takes longer than all of the trace
)
def _resize(image, height, width):
    return _resize_axis(_resize_axis(image, width, axis=2), height, axis=1)


def _resize_axis(image, size, axis):
    start, weights = _weights(tf.shape(image)[axis], size)
    last = tf.shape(image)[axis] - 1
    shape = [-1, 1, 1] if axis == 1 else [-1, 1]

    def add(tap, total):
        pixels = tf.gather(image, tf.minimum(start + tap, last), axis=axis)
        return tap + 1, total + tf.cast(pixels, tf.int32) * tf.reshape(weights[tap], shape)

    # One tap at a time: memory stays at one int32 picture, however wide the kernel.
    total = tf.fill(_replaced(tf.shape(image), axis, size), 1 << (_BITS - 1))
    _, total = tf.while_loop(
        lambda tap, _: tap < tf.shape(weights)[0],
        add,
        (0, total),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None] * 4)),
        parallel_iterations=1,
    )
    total = tf.bitwise.right_shift(total, _BITS)
    return tf.cast(tf.clip_by_value(total, 0, 255), tf.uint8)


def _weights(size, new_size):
    """First input position [new_size] and fixed-point weights [taps, new_size] of every output."""
    scale = tf.cast(size, tf.float64) / tf.cast(new_size, tf.float64)
    stretch = tf.maximum(scale, 1)
    support = 2 * stretch
    centre = (tf.range(tf.cast(new_size, tf.float64), dtype=tf.float64) + 0.5) * scale
    # Casts truncate, as Pillow's do.
    start = tf.maximum(tf.cast(centre - support + 0.5, tf.int32), 0)
    stop = tf.minimum(tf.cast(centre + support + 0.5, tf.int32), size)
    taps = tf.range(tf.reduce_max(stop - start))[:, None]
    position = tf.cast(start + taps, tf.float64)
    weights = _cubic((position - centre + 0.5) * (1 / stretch))
    weights = tf.where(start + taps < stop, weights, tf.zeros_like(weights))
    weights /= _sum_in_order(weights)
    fixed = weights * (1 << _BITS)
    return start, tf.cast(fixed + 0.5 * tf.sign(fixed), tf.int32)


def _sum_in_order(weights):
    # Pillow adds them one after the other; another order may differ in the last bit.
    return tf.foldl(tf.add, weights, tf.zeros_like(weights[0]), parallel_iterations=1)


def _cubic(x, a=-0.5):
    x = tf.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return tf.where(x < 1, near, tf.where(x < 2, far, tf.zeros_like(x)))


def _replaced(shape, axis, size):
    return tf.concat([shape[:axis], [size], shape[axis + 1 :]], 0)
