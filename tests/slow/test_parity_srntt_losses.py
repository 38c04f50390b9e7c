"""The losses of SRNTT's released program and their gradients (`parity/srntt`), of four pairs.

Its networks are trained with batch normalisation, which this package has not: they are in
`released_srntt_training`. What judges them is the package's.
"""

import json

import numpy as np
import pytest
import released_srntt_training as released
import tensorflow as tf

from ttsr_tf import layers
from ttsr_tf.images.inputs import network_inputs, to_float
from ttsr_tf.models import TEXTURES
from ttsr_tf.models.srntt import SRNTT
from ttsr_tf.training import losses
from ttsr_tf.weights import released_srntt, vgg19

VGG19_FILE = "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
SCALE = layers.ACTIVATION_SCALE
PENALTY = 10
LOSS = 1e-3  # 1e-5 was seen
# Of gradients' norms. Through VGG19 and the critic, the rounding of both programs grows: some of
# 191 are beyond a thousandth, which no other form would bring the others within.
NORM, NORM_THROUGH_NETWORKS, NEAR = 1e-3, 1e-2, 0.75
DIRECT = "rec", "texture", "bp"


@pytest.fixture(scope="module")
def facts(shared):
    with np.load(shared("parity/srntt/golden.npz")) as file:
        return dict(file)


@pytest.fixture(scope="module", params=["t", "u"])
def variant(request):
    return request.param


@pytest.fixture(scope="module")
def networks(shared):
    """The variables of the content extractor, the texture transfer and the critic."""
    with open(shared("parity/srntt/layout.json")) as file:
        layout = json.load(file)
    names = {kind: [name for _, name, _ in rows] for kind, rows in layout.items()}
    content, textures = released_srntt.read(shared("parity/srntt")).values()
    critic = released.critic_arrays(names["discrim"], [shape for *_, shape in layout["discrim"]])
    return (
        released.Variables(content, names["upscale"]),
        released.Variables(textures, names["srntt"]),
        released.Variables(critic, names["discrim"]),
    )


@pytest.fixture(scope="module")
def model(shared, variant):
    """For its maps and its matching."""
    model = SRNTT(transposed_vgg19=variant == "t")
    model.build()
    vgg19.initialise(model.texture_extractor, shared(VGG19_FILE))
    return model


@pytest.fixture(scope="module")
def features(shared, variant):
    layer = layers.VGG19(["relu5_1"], mean=layers.OXFORD_MEAN, transposed=variant == "t")
    layer.build((None, None, None, 3))
    vgg19.initialise(layer, shared(VGG19_FILE))
    return layer


@pytest.fixture(scope="module")
def inputs(facts):
    made = network_inputs(facts["in/train/lr"], facts["in/train/ref"])
    return {**made, "hr": to_float(facts["in/train/hr"])}


@pytest.fixture(scope="module")
def textures(facts, inputs, model, variant):
    """Swapped by their index, since of thousands one lies within rounding of another."""
    key, value = model.encode(inputs["ref"], inputs["ref_down_up"])
    index, similarity = model.match(model.query(inputs["lr_up"]), key)
    row, column = np.divmod(facts[f"{variant}/loss/max_idx"], 38)
    theirs = np.pad((row + 1) * 40 + column + 1, ((0, 0), (1, 1), (1, 1)), "edge")
    assert (index.numpy() != theirs).mean() < 1e-3
    expected = facts[f"{variant}/loss/similarity_padded"]
    np.testing.assert_allclose(similarity[..., 0], expected, atol=1e-5)
    return model.transfer(value, tf.constant(theirs, tf.int32))


def made(networks, inputs, maps):
    content, textures, _ = networks
    x = released.content_features(content, inputs["lr"])
    return released.texture_transfer(textures, x, [SCALE * swapped for swapped in maps])


def values(networks, inputs, maps, *, model, features, sr):
    """Of the generator's losses, by the names of the facts."""
    hr = inputs["hr"]
    return {
        "rec": losses.reconstruction(hr, sr),
        "percep": SCALE**2 * losses.perceptual(features(hr)[0], features(sr)[0]),
        "texture": model.texture_loss(dict(zip(TEXTURES, maps, strict=True)), sr),
        "adv_g": losses.adversarial(released.critic(networks[2], sr)),
        "bp": losses.back_projection(inputs["lr"], sr),
    }


IN_FACTS = {
    "rec": "loss_reconst",
    "percep": "loss_percep",
    "texture": "loss_texture",
    "adv_g": "loss_g",
    "bp": "loss_bp",
}


def assert_gradients(facts, name, gradients):
    """Norms, and products with seeded numbers, relative to the norm."""
    norms, dots = facts[f"{name}/norm"], facts[f"{name}/dot"]
    errors, of_dots = [], []
    for gradient, norm, dot in zip(gradients, norms, dots, strict=True):
        # The critic's last bias has none: it is added to both scores.
        gradient = np.zeros(1) if gradient is None else np.float64(gradient)
        random = np.random.default_rng(gradient.size).standard_normal(gradient.shape)
        errors.append(abs(np.linalg.norm(gradient) - norm) / max(norm, 1e-12))
        of_dots.append(abs((gradient * random).sum() - dot) / max(norm, 1e-12))
    direct = name.rsplit("/", 1)[1] in DIRECT
    assert max(errors) <= (NORM if direct else NORM_THROUGH_NETWORKS), (name, max(errors))
    assert np.mean(np.array(errors) <= NORM) >= NEAR, (name, errors)
    assert max(of_dots) <= 5 * (NORM if direct else NORM_THROUGH_NETWORKS), (name, max(of_dots))


def test_losses_of_the_generator_and_their_gradients(
    facts, networks, inputs, textures, model, features, variant
):
    with tf.GradientTape(persistent=True) as tape:
        sr = made(networks, inputs, textures)
        found = values(networks, inputs, textures, model=model, features=features, sr=sr)
        found["total_cli"] = (
            found["rec"] + 1e-4 * (found["percep"] + found["texture"]) + 1e-6 * found["adv_g"]
        )
    for name, value in found.items():
        expected = facts[f"{variant}/loss/cli/{IN_FACTS.get(name, 'loss')}"]
        np.testing.assert_allclose(value, expected, rtol=LOSS, err_msg=name)
    trained = networks[1].trained
    for name, value in found.items():
        gradients = tape.gradient(value, trained)
        assert_gradients(facts, f"{variant}/loss/grad/{name}", gradients)
    scales = zip(textures, model.texture_extractor(sr), strict=True)
    for name, (a, b) in zip(("relu3_1", "relu2_1", "relu1_1"), scales, strict=True):
        expected = facts[f"{variant}/loss/tex_{name}"]
        np.testing.assert_allclose(layers.gram_distance(a, b), expected, rtol=LOSS)


def test_losses_with_the_maps_of_the_truth(facts, networks, inputs, model, features, variant):
    maps = model.ideal_textures(inputs["hr"])
    sr = made(networks, inputs, maps)
    found = values(networks, inputs, maps, model=model, features=features, sr=sr)
    for name, value in found.items():
        expected = facts[f"{variant}/loss/truth/{IN_FACTS[name]}"]
        np.testing.assert_allclose(value, expected, rtol=LOSS, err_msg=name)


def test_textures_weighed_as_the_program_does(facts, networks, inputs, textures, model, variant):
    """By sigmoid(-20 · similarity + 0.65), which the package hasn't (see `SRNTT.texture_loss`)."""
    sr = made(networks, inputs, textures)
    similarity = facts[f"{variant}/loss/similarity_padded"][..., None]

    def loss(similarity):
        terms = []
        maps = zip((1, 2, 4), textures, model.texture_extractor(sr), strict=True)
        for scale, a, b in maps:
            size = [40 * scale] * 2  # the old kernel: without half-pixel centres
            enlarged = tf.raw_ops.ResizeBicubic(images=similarity, size=size)
            weight = tf.sigmoid(-20 * enlarged + 0.65)
            terms.append(layers.gram_distance(a * weight, b * weight))
        return np.mean(terms)

    expected = facts[f"{variant}/loss/weighted_ce_mse_signature/loss_texture"]
    np.testing.assert_allclose(loss(similarity), expected, rtol=LOSS)
    for name, value in (("zero", 0.0), ("one", 1.0)):
        expected = facts[f"{variant}/loss/tex_weights_{name}"]
        np.testing.assert_allclose(loss(np.full_like(similarity, value)), expected, rtol=LOSS)
    # The package's own, for similarities of one: no weights at all.
    outputs = {**dict(zip(TEXTURES, textures, strict=True)), "confidence": tf.ones_like(similarity)}
    ours = model.texture_loss(outputs, sr, weigh_by_confidence=True)
    np.testing.assert_allclose(ours, facts[f"{variant}/loss/cli/loss_texture"], rtol=LOSS)


def test_the_critic_and_both_forms_of_its_penalty(facts, networks, inputs, textures, variant):
    sr, hr = made(networks, inputs, textures), inputs["hr"]
    epsilon, variables = facts[f"{variant}/loss/alpha"], networks[2]

    def critic(x):
        return released.critic(variables, x)

    with tf.GradientTape() as tape:
        scores = critic(hr), critic(sr)
        mix = sr * (1 - epsilon) + hr * epsilon
        with tf.GradientTape() as inner:
            inner.watch(mix)
            of_mix = critic(mix)
        gradient = inner.gradient(of_mix, mix)
        # Their norm is over the channels of each pixel.
        slopes = tf.sqrt(tf.reduce_sum(gradient**2, -1))
        theirs = tf.reduce_mean((slopes - 1) ** 2)
        loss = losses.critic(*scores) + PENALTY * theirs
    for name, found in zip(("real", "fake", "interpolates"), (*scores, of_mix), strict=True):
        np.testing.assert_allclose(found, facts[f"{variant}/loss/logits_{name}"], atol=1e-4)
    np.testing.assert_allclose(theirs, facts[f"{variant}/loss/cli/gradient_penalty"], rtol=LOSS)
    np.testing.assert_allclose(loss, facts[f"{variant}/loss/cli/loss_d"], rtol=LOSS)
    gradients = tape.gradient(loss, variables.trained)
    assert_gradients(facts, f"{variant}/loss/grad/loss_d", gradients)
    # The method's norm is over the whole picture: of the first one, from their own slopes.
    expected = np.sqrt((facts[f"{variant}/loss/slopes_sample0"].astype(np.float64) ** 2).sum())
    norms = np.linalg.norm(np.reshape(gradient, [4, -1]), axis=1)
    np.testing.assert_allclose(norms[0], expected, rtol=LOSS)
    ours = losses.gradient_penalty(critic, hr, sr, epsilon=epsilon.ravel())
    np.testing.assert_allclose(ours, ((norms - 1) ** 2).mean(), rtol=LOSS)
