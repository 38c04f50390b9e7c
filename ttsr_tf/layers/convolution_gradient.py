"""Gradients of convolutions, faster than TensorFlow's own where oneDNN doesn't compute these.

With stride 1 that is on CPUs without AVX-512 VNNI. There TensorFlow's gradients by the kernel and
by the input take two to four times as long as the convolution. Here the one is three matrix
products and the other a convolution with the turned kernel. Where oneDNN does, its own is faster,
and a graph half as large (see `devices`).
"""

import tensorflow as tf


def convolved(maps, kernel, bias, *, relu):
    """A convolution with stride 1, zero-padded by half a kernel, with bias and optionally ReLU.

    Args:
        maps: list of float [B, H, W, C_i], taken as concatenated to C channels.
        kernel: float [k, k, C, D], k = 1 or 3.
        bias: float [D].
        relu: whether a ReLU follows.

    Returns:
        [B, H, W, D].
    """
    channels = [x.shape[-1] for x in maps]

    @tf.custom_gradient
    def fused(kernel, bias, *maps):
        # Within one function, so that TensorFlow fuses convolution, bias and ReLU.
        first, *others = zip(maps, tf.split(kernel, channels, axis=2), strict=True)
        y = tf.nn.bias_add(_same(*first), bias)
        for pair in others:
            y += _same(*pair)
        y = tf.nn.relu(y) if relu else y

        def gradient(slope):
            slope = tf.raw_ops.ReluGrad(gradients=slope, features=y) if relu else slope
            of_kernel = [_by_kernel(x, slope, kernel.shape[0]) for x in maps]
            turned = tf.transpose(kernel[::-1, ::-1], [0, 1, 3, 2])  # [k, k, D, C]
            of_maps = [_same(slope, part) for part in tf.split(turned, channels, axis=3)]
            return tf.concat(of_kernel, 2), tf.reduce_sum(slope, [0, 1, 2]), *of_maps

        return y, gradient

    return fused(tf.convert_to_tensor(kernel), tf.convert_to_tensor(bias), *maps)


def strided(x, kernel, strides):
    """A convolution zero-padded by half a kernel on both sides.

    oneDNN has no gradient of one that is given numbers of pixels as its padding, as this one is
    since a padded map would be a copy; so the gradient alone makes that copy.

    Args:
        x: float [B, H, W, C].
        kernel: float [k, k, C, D], k odd.
        strides: int.

    Returns:
        [B, ceil(H / strides), ceil(W / strides), D].
    """
    side = kernel.shape[0] // 2
    padding, inside = [[0, 0], [side, side], [side, side], [0, 0]], slice(side, -side or None)

    @tf.custom_gradient
    def convolution(x, kernel):
        y = tf.nn.conv2d(x, kernel, strides, padding)

        def gradient(slope):
            padded, steps = tf.pad(x, padding), [1, strides, strides, 1]
            options = {"out_backprop": slope, "strides": steps, "padding": "VALID"}
            by_x = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(padded), filter=kernel, **options
            )
            by_kernel = tf.raw_ops.Conv2DBackpropFilter(
                input=padded, filter_sizes=kernel.shape, **options
            )
            return by_x[:, inside, inside], by_kernel

        return y, gradient

    return convolution(x, tf.convert_to_tensor(kernel))


def _same(x, kernel):
    return tf.nn.conv2d(x, kernel, 1, "SAME")


def _by_kernel(x, slope, side):
    """The gradient by the kernel, [side, side, C, D], from x [B, H, W, C], slope [B, H, W, D]."""
    channels, filters = x.shape[-1], slope.shape[-1]
    if side == 1:
        product = tf.matmul(_flat(x), _flat(slope), transpose_a=True)
        return product[None, None]
    width = tf.shape(x)[2] + 2
    # In padded maps laid out flat, a shift by a pixel is one by a place; zeros meet where it
    # crosses a border.
    x, slope = (_flat(tf.pad(y, [[0, 0], [1, 1], [1, 1], [0, 0]])) for y in (x, slope))
    start, stop = width + 1, tf.shape(x)[0] - width - 1
    # The narrower of the two is copied for the three columns of the kernel.
    if channels <= filters:
        wide = tf.concat([x[1 + column : tf.shape(x)[0] - 1 + column] for column in (-1, 0, 1)], 1)
        slope = slope[start:stop]
        rows = [
            tf.matmul(
                wide[start - 1 + row * width : stop - 1 + row * width], slope, transpose_a=True
            )
            for row in (-1, 0, 1)
        ]
        return tf.reshape(tf.stack(rows), [3, 3, channels, filters])
    wide = tf.concat([slope[start - column : stop - column] for column in (-1, 0, 1)], 1)
    rows = [
        tf.matmul(x[start + row * width : stop + row * width], wide, transpose_a=True)
        for row in (-1, 0, 1)
    ]
    stacked = tf.reshape(tf.stack(rows), [3, channels, 3, filters])
    return tf.transpose(stacked, [0, 2, 1, 3])


def _flat(x):
    return tf.reshape(x, [-1, x.shape[-1]])
