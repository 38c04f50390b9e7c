"""Gradients for CPUs against TensorFlow's own, of first and second order."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from kernels import KERNELS, kernels  # noqa: F401

from ttsr_tf.layers import Convolution, portable
from ttsr_tf.layers.convolved import convolved, strided


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


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize(
    ("channels", "filters", "side"),
    [([5], 7, 3), ([7], 5, 3), ([3, 6], 4, 3), ([4, 2], 3, 1), ([3], 4, 5)],
)
def test_gradients(rng, kernels, channels, filters, side, relu, name):
    kernels(name)

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
def test_the_layer_takes_either(rng, kernels, channels, policy):
    layer = Convolution(4, activation="relu", dtype=policy)
    layer.build([(None, None, None, c) for c in channels])
    maps = [tf.constant(rng.standard_normal((2, 5, 9, c)), layer.compute_dtype) for c in channels]
    weights = tf.constant(rng.standard_normal((2, 5, 9, 4)), layer.compute_dtype)
    found = []
    for name in KERNELS:
        kernels(name)
        with tf.GradientTape() as tape:
            tape.watch(maps)
            loss = tf.reduce_sum(layer(maps) * weights)
        found.append(tape.gradient(loss, [*maps, *layer.trainable_variables]))
    # Sums in another order; bfloat16 has 8 bits.
    tolerance = 2e-6 if policy == "float32" else 2**-6
    for gradients in zip(*found, strict=True):
        *others, own = (np.array(tf.cast(x, tf.float32)) for x in gradients)
        for other in others:
            np.testing.assert_allclose(other, own, atol=tolerance * np.abs(own).max())


def _operations(function, *inputs):
    """A set of the operations' names in a function's graph."""
    graph = tf.function(function, autograph=False).get_concrete_function(*inputs).graph
    return {operation.type for operation in graph.get_operations()}


def test_only_onednn_without_avx512_has_a_volume_and_no_graph_for_elsewhere(kernels):
    layer, x = Convolution(4), tf.ones([1, 5, 9, 3])
    layer.build(x.shape)
    for name in KERNELS:
        kernels(name)
        assert ("Conv3D" in _operations(layer, x)) == (name == "onednn")
    kernels("onednn")
    with portable.traced():
        assert "Conv3D" not in _operations(layer, x)


def test_a_volume_keeps_what_tensorflow_fuses(kernels):
    """Convolution, bias and ReLU one after the other, with nothing between them."""
    kernels("onednn")
    layer, x = Convolution(4, activation="relu"), tf.ones([1, 5, 9, 3])
    layer.build(x.shape)
    graph = tf.function(layer, autograph=False).get_concrete_function(x).graph
    (relu,) = (op for op in graph.get_operations() if op.type == "Relu")
    bias_add = relu.inputs[0].op
    assert (bias_add.type, bias_add.inputs[0].op.type) == ("BiasAdd", "Conv3D")


def test_layers_alike_share_a_trace_of_their_gradient(rng, kernels):
    """Of whatever size the maps are, else every layer would add to the graph of a step."""
    kernels("eigen")
    layer = Convolution(4)
    layer.build((None, None, None, 3))

    @tf.function(autograph=False)
    def gradients(*maps):
        with tf.GradientTape() as tape:
            loss = tf.add_n([tf.reduce_sum(layer(x) ** 2) for x in maps])
        return tape.gradient(loss, layer.kernel)

    maps = [tf.constant(rng.standard_normal((1, n, 9, 3)), tf.float32) for n in (5, 6)]
    graph = gradients.get_concrete_function(*maps).graph
    calls = [op for op in graph.get_operations() if op.type.endswith("PartitionedCall")]
    assert len(calls) == 2
    assert len({call.get_attr("f").name for call in calls}) == 1
    assert "MatMul" not in {op.type for op in graph.get_operations()}


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
