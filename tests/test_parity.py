"""The released program's numbers (`parity/tiny.npz`), from its checkpoint."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.images import bicubic
from ttsr_tf.images.inputs import network_inputs
from ttsr_tf.models import TEXTURES
from ttsr_tf.models.critic import Critic
from ttsr_tf.training import losses
from ttsr_tf.training.gan import GAN
from ttsr_tf.training.losses import LossWeights
from ttsr_tf.weights import released, vgg19

pytestmark = pytest.mark.xdist_group("parity")  # they share what is below


@pytest.fixture(scope="module")
def facts(shared):
    with np.load(shared("parity/tiny.npz")) as file:
        return dict(file)


@pytest.fixture(scope="module")
def model(shared):
    pytest.importorskip("torch")
    return released.to_model(released.read(shared("parity/TTSR-random.pt")))


def nhwc(array):
    return tf.constant(array.transpose(0, 2, 3, 1))


@pytest.fixture
def inputs(facts):
    names = {"lr": "lr", "lr_up": "lr_sr", "ref": "ref", "ref_down_up": "ref_sr"}
    return {ours: nhwc(facts[f"in/{theirs}"]) for ours, theirs in names.items()}


def test_degradation(facts, inputs):
    hr, ref = facts["u8/hr_0"], facts["u8/ref_0"]
    hr, ref = (x[None, : x.shape[0] // 4 * 4, : x.shape[1] // 4 * 4] for x in (hr, ref))
    made = network_inputs(bicubic.downscale(hr), ref)
    for name, expected in inputs.items():
        np.testing.assert_allclose(made[name], expected, atol=1e-6, err_msg=name)


def test_every_output(facts, inputs, model):
    outputs = model(inputs)
    np.testing.assert_array_equal(np.ravel(outputs["index"]), np.ravel(facts["out/R_lv3_star_arg"]))
    # Sums in another order: 1e-4 is asked, 4e-6 was seen.
    np.testing.assert_allclose(outputs["sr"], nhwc(facts["out/sr"]), atol=1e-5)
    np.testing.assert_allclose(outputs["confidence"], nhwc(facts["out/S"]), atol=1e-5)
    for ours, theirs in zip(map(outputs.get, TEXTURES), ("T_lv3", "T_lv2", "T_lv1"), strict=True):
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
    errors = gradient_errors(facts, "rec", model, lambda variables: tape.gradient(loss, variables))
    assert max(errors.values()) <= 1e-3, errors


def test_gradients_with_the_transferal_loss(facts, inputs, model):
    """Somewhere an activation lies so near to its ReLU's kink that rounding decides its side, and
    with it a thousandth of some gradients: inputs that differ by a unit in the last place end
    5e-5, 6e-4, 1.3e-3 or 1.8e-3 from the released program's, with every kind of kernel. So some
    such inputs must give all of its gradients, far nearer than a kink is worth.
    """
    rng = np.random.default_rng(0)
    largest = []
    for noise in [0, *[1e-7] * 11]:
        rounded = {k: x * (1 + noise * rng.standard_normal(x.shape)) for k, x in inputs.items()}
        report, gradients_of = applied_gradients(model, {**rounded, "hr": nhwc(facts["in/hr"])})
        np.testing.assert_allclose(report["transferal"], facts["loss/tpl"], rtol=1e-5)
        errors = gradient_errors(facts, "rec_tpl", model, gradients_of)
        largest.append(max(errors.values()))
        assert largest[-1] < 5e-3, errors
        if largest[-1] <= 2e-4:
            return
    raise AssertionError(largest)


def applied_gradients(model, batch):
    """The report of a step, and a function to the gradients that it applies."""
    gradients = {}

    class Recorder(keras.optimizers.SGD):
        """Applies nothing."""

        def apply_gradients(self, pairs):
            gradients.update((id(v), g) for g, v in pairs)

    gan = GAN(model, weights=LossWeights(transferal=0.01))
    gan.compile(Recorder(), Recorder())
    report = gan.full_step(batch)
    return report, lambda layers: [[gradients[id(v)] for v in two] for two in layers]


def test_transferal_loss_weighed_by_confidence(facts, inputs, model):
    outputs = model(inputs)
    loss = model.texture_loss(outputs, outputs["sr"], weigh_by_confidence=True)
    np.testing.assert_allclose(loss, facts["loss/tpl_use_S"], rtol=1e-5)


def test_perceptual_loss(facts, shared):
    features = vgg19.features(shared("vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"))
    hr, sr = (features(nhwc(facts[name]))[0] for name in ("in/hr", "out/sr"))
    expected = nhwc(facts["loss/per_vgg19_relu5_1_hr"])
    np.testing.assert_allclose(hr, expected, atol=1e-4)  # values up to 66
    loss = losses.perceptual(hr, sr)
    np.testing.assert_allclose(loss, facts["loss/per_vgg19_folded"], rtol=1e-5)


def test_critic(facts):
    """The critic that the facts describe, for 32×32 pictures."""
    critic = Critic(32)
    critic.build()
    layers = {f"conv{i}": layer for i, layer in enumerate(critic.convs, 1)}
    layers |= {"fc1": critic.dense1, "fc2": critic.dense2}
    rng = np.random.default_rng(5)
    for layer in layers.values():
        kernel = layer.kernel
        shape = [kernel.shape[i] for i in ((3, 2, 0, 1) if len(kernel.shape) == 4 else (1, 0))]
        weight = rng.standard_normal(shape) * np.sqrt(1.92 / np.prod(shape[1:]))
        # One position is left of a 32×32 picture, so channels first and last are the same.
        weight = weight.transpose((2, 3, 1, 0) if weight.ndim == 4 else (1, 0))
        layer.set_weights([weight, rng.standard_normal(shape[0]) * 0.05])

    sr, hr = (nhwc(facts[f"critic32/in_{name}"]) for name in ("fake", "real"))
    with tf.GradientTape() as tape:
        wasserstein = losses.critic(critic(hr), critic(sr))
        penalty = 10 * losses.gradient_penalty(
            critic, hr, sr, epsilon=facts["critic32/epsilon"].ravel()
        )
        loss = wasserstein + penalty
    np.testing.assert_allclose(critic(sr), facts["critic32/d_fake"], atol=1e-6)
    np.testing.assert_allclose(critic(hr), facts["critic32/d_real"], atol=1e-6)
    np.testing.assert_allclose(penalty, facts["critic32/gp_times_10"], rtol=1e-5)
    np.testing.assert_allclose(loss, facts["critic32/loss_d"], rtol=1e-5)
    variables = [[layer.kernel, layer.bias] for layer in layers.values()]
    for name, gradients in zip(layers, tape.gradient(loss, variables), strict=True):
        for part, gradient in zip(("weight", "bias"), gradients, strict=True):
            if gradient is None:  # fc2.bias is added to both scores, and is no slope
                gradient = np.zeros(1)
            ours = np.transpose(gradient, {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[gradient.ndim])
            norm = facts[f"critic32/grad_norm/{name}.{part}"]
            random = np.random.default_rng(ours.size).standard_normal(ours.shape)
            assert abs(np.linalg.norm(ours) - norm) <= 1e-3 * norm + 1e-6, name
            dot = facts[f"critic32/grad_dot/{name}.{part}"]
            assert abs((ours * random).sum() - dot) <= 1e-3 * norm + 1e-6, name


def gradient_errors(facts, kind, model, gradients_of):
    """Of all gradients' norms, and their products with seeded numbers: relative to the norm, since
    a product near zero has no digits to compare.
    """
    errors = {}
    convolutions = released.torch_layers(model)
    variables = [[layer.kernel, layer.bias] for layer in convolutions.values()]
    for name, gradients in zip(convolutions, gradients_of(variables), strict=True):
        kernel, bias = map(np.float64, gradients)
        kernel = kernel.transpose(3, 2, 0, 1)
        if name in ("MainNet.conv12", "MainNet.conv23"):
            kernel, bias = (
                x.reshape(4, -1, *x.shape[1:]).swapaxes(0, 1).reshape(x.shape)
                for x in (kernel, bias)
            )
        for part, ours in (("weight", kernel), ("bias", bias)):
            norm = facts[f"{kind}/grad_norm/{name}.{part}"]
            random = np.random.default_rng(ours.size).standard_normal(ours.shape)
            dot = facts[f"{kind}/grad_dot/{name}.{part}"]
            errors[f"{name}.{part}, norm"] = abs(np.linalg.norm(ours) - norm) / norm
            errors[f"{name}.{part}, product"] = abs((ours * random).sum() - dot) / norm
    return errors
