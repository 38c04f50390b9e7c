"""Convolutions and their gradients, in the forms that are fast on what computes them.

On CPUs with AVX2, as `benchmarks/convolutions.py` measures it with 64 to 256 channels, where the
best form has 50 to 150 GFLOP/s:

- By Eigen TensorFlow's gradients have 20 to 100, a convolution 40 to 140. So that by the kernel is
  three matrix products here, and that by the input a convolution with the turned kernel.
- By oneDNN a convolution of one picture has 30 to 80, since TensorFlow holds its kernel's layout
  fixed; one of a volume that is a picture deep has 50 to 140, and TensorFlow's gradient by the
  input 60 to 150. That by the kernel has 20 to 50, the products 40 to 100.

By oneDNN for AVX-512, and on GPUs, TensorFlow's own are fast, and the graph is smaller.
"""

import functools

import tensorflow as tf

from ttsr_tf import devices
from ttsr_tf.layers import portable


def convolved(maps, kernel, bias, *, relu):
    """A convolution with stride 1, zero-padded by half a kernel, with bias and optionally ReLU.

    Args:
        maps: list of float [B, H, W, C_i], taken as concatenated to C channels.
        kernel: float [k, k, C, D], k odd.
        bias: float [D].
        relu: whether a ReLU follows.

    Returns:
        [B, H, W, D].
    """
    kernel, bias = tf.convert_to_tensor(kernel), tf.convert_to_tensor(bias)
    if devices.has_fast_convolution_gradient() or kernel.shape[0] > 3:
        return _forward(maps, kernel, bias, relu=relu)

    @tf.custom_gradient
    def with_gradient(kernel, bias, *maps):
        y = _forward(maps, kernel, bias, relu=relu)

        def gradient(slope):
            slope = tf.raw_ops.ReluGrad(gradients=slope, features=y) if relu else slope
            of_kernel = [by_kernel(kernel.shape[0], x, slope) for x in maps]
            pairs = zip(maps, parts(kernel, maps), strict=True)
            of_maps = [_by_input(x, part, slope) for x, part in pairs]
            return tf.concat(of_kernel, 2), tf.reduce_sum(slope, [0, 1, 2]), *of_maps

        return y, gradient

    return with_gradient(kernel, bias, *maps)


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


def parts(kernel, maps):
    """A list of what of a kernel [..., C, D] goes with each of some maps, C channels in all."""
    if len(maps) == 1:
        return [kernel]
    return tf.split(kernel, [x.shape[-1] for x in maps], axis=-2)


def _forward(maps, kernel, bias, *, relu):
    deep = _is_deep(kernel) and not portable.elsewhere()
    convolve = functools.partial(tf.nn.conv2d, strides=1, padding="SAME")
    if deep:
        maps, kernel = [tf.expand_dims(x, 1) for x in maps], tf.expand_dims(kernel, 0)
        convolve = functools.partial(tf.nn.conv3d, strides=[1] * 5, padding="SAME")
    first, *others = zip(maps, parts(kernel, maps), strict=True)
    # In this order, so that TensorFlow fuses convolution, bias and ReLU.
    y = tf.nn.bias_add(convolve(*first), bias)
    for pair in others:
        y += convolve(*pair)
    y = tf.nn.relu(y) if relu else y
    return tf.squeeze(y, 1) if deep else y


def _is_deep(kernel):
    """Whether it is computed as a volume's that is a picture deep."""
    is_wide = kernel.shape[0] > 1 and kernel.dtype == tf.float32
    return is_wide and devices.has_slow_convolution_of_one_picture()


def _by_input(x, kernel, slope):
    """The gradient by x [B, H, W, C], from kernel [k, k, C, D], slope [B, H, W, D]."""
    if not _is_deep(kernel):
        return tf.nn.conv2d(slope, turned(kernel), 1, "SAME")
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=tf.shape(x),
        filter=kernel,
        out_backprop=slope,
        strides=[1] * 4,
        padding="SAME",
    )


def turned(kernel):
    """A kernel [k, k, C, D] for the way back, [k, k, D, C]."""
    return tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])


def by_kernel(side, x, slope):
    """The gradient by the kernel, [side, side, C, D], from x [B, H, W, C], slope [B, H, W, D]."""
    return _products(side, (x.shape[-1], slope.shape[-1]), x.dtype)(x, slope)


@functools.cache
def _products(side, channels, dtype):
    """`by_kernel`, traced once for all layers alike.

    Written out a hundred times, it would be most of a step's graph, and of the time and the memory
    that TensorFlow takes for that; so it isn't to be inlined either.
    """
    return tf.function(
        _by_pixel if side == 1 else _by_nine,
        input_signature=[tf.TensorSpec([None, None, None, n], dtype) for n in channels],
        autograph=False,
        experimental_attributes={"_noinline": True},
    )


def _by_pixel(x, slope):
    return tf.matmul(_flat(x), _flat(slope), transpose_a=True)[None, None]


def _by_nine(x, slope):
    channels, filters = x.shape[-1], slope.shape[-1]
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
