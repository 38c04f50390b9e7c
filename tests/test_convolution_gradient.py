"""Gradients for CPUs against TensorFlow's own, of first and second order."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import devices
from ttsr_tf.layers import Convolution
from ttsr_tf.layers.convolution_gradient import convolved, strided


def _plain(maps, kernel, bias, *, relu):
    y = tf.nn.conv2d(tf.concat(maps, 3), kernel, 1, "SAME") + bias
    return tf.nn.relu(y) if relu else y


def _compare(*forms, maps, others, weights):
    """What two convolutions of the same give, and their derivatives of first and second order."""
    found, inputs = [], [*maps, *others]
    for form in forms:
        with tf.GradientTape() as second:
            second.watch(inputs)
            with tf.GradientTape() as first:
                first.watch(inputs)
                y = form()
                loss = tf.reduce_sum(y * y * weights)
            gradients = first.gradient(loss, inputs)
            # As a gradient penalty does: a loss of the gradient by the input.
            penalty = tf.add_n([tf.reduce_sum(g**3) for g in gradients[: len(maps)]])
        found.append([y, *gradients, *second.gradient(penalty, inputs)])
    for expected, ours in zip(*found, strict=True):
        # float32 sums in another order
        np.testing.assert_allclose(ours, expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize(
    ("channels", "filters", "side"), [([5], 7, 3), ([7], 5, 3), ([3, 6], 4, 3), ([4, 2], 3, 1)]
)
def test_gradients(rng, channels, filters, side, relu):
    def random(*shape):
        return tf.constant(rng.standard_normal(shape), tf.float32)

    maps = [random(2, 5, 9, c) for c in channels]
    kernel, bias = random(side, side, sum(channels), filters), random(filters)
    weights = random(2, 5, 9, filters)
    _compare(
        *(partial(form, maps, kernel, bias, relu=relu) for form in (_plain, convolved)),
        maps=maps,
        others=[kernel, bias],
        weights=weights,
    )


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("channels", [[5], [3, 6]])
def test_the_layer_takes_either(rng, monkeypatch, channels, policy):
    layer = Convolution(4, activation="relu", dtype=policy)
    layer.build([(None, None, None, c) for c in channels])
    maps = [tf.constant(rng.standard_normal((2, 5, 9, c)), layer.compute_dtype) for c in channels]
    weights = tf.constant(rng.standard_normal((2, 5, 9, 4)), layer.compute_dtype)
    found = []
    for fast in (True, False):
        monkeypatch.setattr(devices, "has_fast_convolution_gradient", lambda fast=fast: fast)
        with tf.GradientTape() as tape:
            tape.watch(maps)
            loss = tf.reduce_sum(layer(maps) * weights)
        found.append(tape.gradient(loss, [*maps, *layer.trainable_variables]))
    # Sums in another order; bfloat16 has 8 bits.
    tolerance = 2e-6 if policy == "float32" else 2**-6
    for own, by_hand in zip(*found, strict=True):
        own, by_hand = (np.array(tf.cast(x, tf.float32)) for x in (own, by_hand))
        np.testing.assert_allclose(by_hand, own, atol=tolerance * np.abs(own).max())


def _padded_by_numbers(x, kernel, strides):
    side = kernel.shape[0] // 2
    return tf.nn.conv2d(x, kernel, strides, [[0, 0], [side, side], [side, side], [0, 0]])


@pytest.mark.parametrize(("height", "width", "side"), [(5, 9, 3), (8, 6, 3), (7, 4, 5)])
def test_strided(rng, height, width, side):
    def random(*shape):
        return tf.constant(rng.standard_normal(shape), tf.float32)

    x, kernel = random(2, height, width, 3), random(side, side, 3, 4)
    weights = random(2, -(-height // 2), -(-width // 2), 4)
    _compare(
        *(partial(form, x, kernel, 2) for form in (_padded_by_numbers, strided)),
        maps=[x],
        others=[kernel],
        weights=weights,
    )


def test_onednn_has_a_gradient_for_the_padding(rng):
    """Of numbers of pixels it has none, and TensorFlow's own takes several times as long."""
    layer = Convolution(4, strides=2)
    layer.build((None, None, None, 3))
    x = tf.constant(rng.standard_normal((2, 9, 14, 3)), tf.float32)

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return tape.gradient(y, [x, layer.kernel])

    operations = gradient.get_concrete_function(x).graph.get_operations()
    paddings = {op.type: op.get_attr("padding") for op in operations if "Conv2D" in op.type}
    assert paddings["Conv2DBackpropInput"] == paddings["Conv2DBackpropFilter"] == b"VALID"
