"""The released program's numbers (`parity/tiny.npz`), from its checkpoint."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import degrade, losses, torch_checkpoint, vgg
from ttsr_tf.layers.texture_extractor import normalise


@pytest.fixture
def facts(shared):
    return np.load(shared("parity/tiny.npz"))


@pytest.fixture
def model(shared):
    pytest.importorskip("torch")
    return torch_checkpoint.to_model(torch_checkpoint.read(shared("parity/TTSR-random.pt")))


def nhwc(array):
    return tf.constant(array.transpose(0, 2, 3, 1))


@pytest.fixture
def inputs(facts):
    names = {"lr": "lr", "lr_up": "lr_sr", "ref": "ref", "ref_down_up": "ref_sr"}
    return {ours: nhwc(facts[f"in/{theirs}"]) for ours, theirs in names.items()}


def test_degradation(facts, inputs):
    hr, ref = facts["u8/hr_0"], facts["u8/ref_0"]
    hr, ref = (x[None, : x.shape[0] // 4 * 4, : x.shape[1] // 4 * 4] for x in (hr, ref))
    made = degrade.network_inputs(degrade.shrink(hr), ref)
    for name, expected in inputs.items():
        np.testing.assert_allclose(made[name], expected, atol=1e-6, err_msg=name)


def test_every_output(facts, inputs, model):
    outputs = model(inputs)
    np.testing.assert_array_equal(np.ravel(outputs["index"]), np.ravel(facts["out/R_lv3_star_arg"]))
    # Sums in another order: 1e-4 is asked, 4e-6 was seen.
    np.testing.assert_allclose(outputs["sr"], nhwc(facts["out/sr"]), atol=1e-5)
    np.testing.assert_allclose(outputs["confidence"], nhwc(facts["out/S"]), atol=1e-5)
    for ours, theirs in zip(outputs["textures"], ("T_lv3", "T_lv2", "T_lv1"), strict=True):
        np.testing.assert_allclose(ours, nhwc(facts[f"out/{theirs}"]), atol=2e-5)


def test_every_stage(facts, inputs, model, monkeypatch):
    stages = {
        "conv11_tail": model.refine_1,
        "ex12.1": (model.exchange_12, 0),
        "ex12.2": (model.exchange_12, 1),
        "conv21_tail": model.refine_12[0],
        "conv22_tail": model.refine_12[1],
        "ex123.1": (model.exchange_124, 0),
        "ex123.2": (model.exchange_124, 1),
        "ex123.3": (model.exchange_124, 2),
        "conv31_tail": model.refine_124[0],
        "conv32_tail": model.refine_124[1],
        "conv33_tail": model.refine_124[2],
        "merge_tail.conv_tail2": model.tail[2],
    }
    seen = {}

    def watched(name, layer, output):
        original = layer.call

        def call(x):
            y = original(x)
            seen[name] = y if output is None else y[output]
            return y

        monkeypatch.setattr(layer, "call", call)

    for name, stage in stages.items():
        watched(name, *(stage if isinstance(stage, tuple) else (stage, None)))
    model(inputs)
    for name in stages:
        expected = nhwc(facts[f"mid/{name}"])
        np.testing.assert_allclose(seen[name], expected, atol=1e-4, err_msg=name)


def test_gradients_of_the_reconstruction_loss(facts, inputs, model):
    with tf.GradientTape() as tape:
        loss = losses.reconstruction(nhwc(facts["in/hr"]), model(inputs)["sr"])
    np.testing.assert_allclose(loss, facts["loss/rec"], rtol=1e-6)
    convolutions = torch_checkpoint.torch_layers(model)
    variables = [[layer.kernel, layer.bias] for layer in convolutions.values()]
    for name, gradients in zip(convolutions, tape.gradient(loss, variables), strict=True):
        kernel, bias = map(np.float64, gradients)
        kernel = kernel.transpose(3, 2, 0, 1)
        if name in ("MainNet.conv12", "MainNet.conv23"):
            kernel, bias = (
                x.reshape(4, -1, *x.shape[1:]).swapaxes(0, 1).reshape(x.shape)
                for x in (kernel, bias)
            )
        for kind, ours in (("weight", kernel), ("bias", bias)):
            norm = facts[f"rec/grad_norm/{name}.{kind}"]
            random = np.random.default_rng(ours.size).standard_normal(ours.shape)
            assert abs(np.linalg.norm(ours) - norm) <= 1e-3 * norm, name
            # relative to the norm: a dot product near zero has no digits to compare
            dot = facts[f"rec/grad_dot/{name}.{kind}"]
            assert abs((ours * random).sum() - dot) <= 1e-3 * norm, name


def test_folded_vgg19(facts, shared):
    layers = vgg.folded(shared("vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"))
    x = normalise(nhwc(facts["in/hr"]))
    for name, (kernel, bias) in layers.items():
        if name.endswith("_1") and name != "conv1_1":
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
    expected = nhwc(facts["loss/per_vgg19_relu5_1_hr"])
    np.testing.assert_allclose(x, expected, atol=1e-4)  # values up to 66
