import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import TTSR, layers
from ttsr_tf.errors import InputError
from ttsr_tf.images.inputs import network_inputs
from ttsr_tf.models import TEXTURES
from ttsr_tf.weights.initial import initialise


@pytest.fixture
def model():
    return TTSR((1, 1, 1, 1), 4)


def picture(rng, height, width):
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


def test_parameters_of_the_paper():
    model = TTSR()
    model.build()
    extractor = sum(np.prod(v.shape) for v in model.texture_extractor.trainable_variables)
    assert (extractor, model.count_params()) == (555_328, 6_729_603)


def test_sizes_and_batch_are_free(model, rng):
    lr = np.stack([picture(rng, 5, 7)] * 2)
    ref = np.stack([picture(rng, 24, 16)] * 2)
    outputs = model(network_inputs(lr, ref))
    assert outputs["sr"].shape == (2, 20, 28, 3)
    assert outputs["index"].shape == (2, 5, 7)
    assert outputs["index"].numpy().max() < 6 * 4
    assert outputs["confidence"].shape == (2, 5, 7, 1)
    assert [t.shape[1:] for t in map(outputs.get, TEXTURES)] == [
        (5, 7, 256),
        (10, 14, 128),
        (20, 28, 64),
    ]


def test_a_residual_network_starts_as_the_enlarged_picture(rng):
    """Where the published one starts from noise."""
    inputs = network_inputs(picture(rng, 5, 7)[None], picture(rng, 12, 16)[None])
    for residual in (True, False):
        model = TTSR((1, 1, 1, 1), 4, residual=residual)
        model.build()
        initialise(model, 3)
        changed = np.abs(model(inputs)["sr"] - inputs["lr_up"]).max()
        assert changed == 0 if residual else changed > 0.1


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_pictures_stay_whole_in_mixed_precision(rng, dtype):
    """bfloat16 near ±1 is half a level apart."""
    inputs = network_inputs(picture(rng, 5, 7)[None], picture(rng, 12, 16)[None])
    model = TTSR((1, 1, 1, 1), 4, residual=True, dtype=dtype)
    model.build()
    initialise(model, 3)
    assert model.tail[0].compute_dtype == dtype.removeprefix("mixed_")
    np.testing.assert_array_equal(model(inputs)["sr"], inputs["lr_up"])


def test_building_by_size_is_building_by_use(model, rng):
    used = TTSR((1, 1, 1, 1), 4)
    used(network_inputs(picture(rng, 4, 4)[None], picture(rng, 12, 12)[None]))
    model.build()
    assert [v.shape for v in model.variables] == [v.shape for v in used.variables]


def test_sizes_that_do_not_go_together(model):
    inputs = {name: tf.zeros([1, 8, 8, 3]) for name in ("lr", "lr_up", "ref", "ref_down_up")}
    with pytest.raises(InputError, match="`lr_up` must be 4 times as large as `lr`"):
        model(inputs)
    inputs["lr_up"] = tf.zeros([1, 32, 32, 3])
    with pytest.raises(InputError, match="`ref_down_up` must be as large as `ref`"):
        model({**inputs, "ref": tf.zeros([1, 8, 12, 3])})


def test_texture_loss_averages_three_scales(rng):
    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    textures = [
        tf.constant(rng.standard_normal((2, s * 4, s * 6, channels)), tf.float32)
        for s, channels in ((1, 256), (2, 128), (4, 64))
    ]
    confidence = rng.uniform(-1, 1, (2, 4, 6, 1)).astype(np.float32)
    sr = tf.constant(rng.uniform(-1, 1, (2, 16, 24, 3)), tf.float32)
    outputs = {**dict(zip(TEXTURES, textures, strict=True)), "confidence": confidence}
    pairs = [
        (np.array(a), np.array(b))
        for a, b in zip(textures, model.texture_extractor(sr), strict=True)
    ]
    errors = [((a - b) ** 2).mean() for a, b in pairs]
    np.testing.assert_allclose(model.texture_loss(outputs, sr), np.mean(errors), rtol=1e-5)
    scales = [confidence, *(layers.resize_up(confidence, n).numpy() for n in (2, 4))]
    errors = [
        (((a - b) / (1 + np.exp(-s))) ** 2).mean() for (a, b), s in zip(pairs, scales, strict=True)
    ]
    weighed = model.texture_loss(outputs, sr, weigh_by_confidence=True)
    np.testing.assert_allclose(weighed, np.mean(errors), rtol=1e-5)


def test_mixed_precision_reaches_every_layer():
    model = TTSR((1, 1, 1, 1), 4, dtype="mixed_bfloat16")
    computes = {layer.compute_dtype for layer in model._flatten_layers(include_self=False)}
    assert computes == {"bfloat16", "float32"}
    assert model.relevance.compute_dtype == "float32"
    assert model.refine_124[2].blocks[0].conv2.compute_dtype == "bfloat16"
    assert model.texture_extractor.conv2_2.compute_dtype == "bfloat16"


def test_a_residual_is_added_to_the_enlarged_picture(rng):
    inputs = network_inputs(picture(rng, 5, 7)[None], picture(rng, 24, 16)[None])
    plain, residual = (TTSR((1, 1, 1, 1), 4, residual=on) for on in (False, True))
    for model in (plain, residual):
        model.build()
    residual.set_weights(plain.get_weights())
    expected = np.clip(plain(inputs)["sr"] + inputs["lr_up"], -1, 1)
    assert np.abs(plain(inputs)["sr"]).max() < 1  # not clipped before
    np.testing.assert_allclose(residual(inputs)["sr"], expected, atol=1e-6)
