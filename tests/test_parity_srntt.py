"""The numbers of SRNTT's released program (`parity/srntt`), from files in its format."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import layers
from ttsr_tf.images import bicubic
from ttsr_tf.images.inputs import network_inputs, to_float
from ttsr_tf.inference.upscaler import Upscaler
from ttsr_tf.models import TEXTURES
from ttsr_tf.weights import released_srntt

pytestmark = pytest.mark.xdist_group("parity_srntt")  # they share what is below

VGG19_FILE = "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
MAPS = "M3", "M2", "M1"
# Sums of float32 in another order: relative errors up to 1e-6 were seen.
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def facts(shared):
    with np.load(shared("parity/srntt/golden.npz")) as file:
        return dict(file)


@pytest.fixture(scope="module")
def models(shared):
    """`t`, VGG19's kernels transposed as the program has them; `u`, upright ones."""
    arrays = released_srntt.read(shared("parity/srntt"))
    transposed = released_srntt.to_model(arrays, shared(VGG19_FILE))
    upright = type(transposed)()
    upright.build()
    upright.set_weights(transposed.get_weights())
    return {"t": transposed, "u": upright}


@pytest.fixture(params=["t", "u"])
def variant(request):
    return request.param


@pytest.fixture
def model(models, variant):
    return models[variant]


@pytest.fixture
def upscaler(model):
    return Upscaler(model)


@pytest.fixture
def inputs(facts):
    return network_inputs(facts["in/lr"][None], facts["in/ref0_cut"][None])


def assert_same(x, facts, name):
    """As the digest says: sum, sum of squares, least, largest, product with seeded numbers."""
    x, expected = np.float64(x), facts[name]
    random = np.random.default_rng(x.size).standard_normal(x.shape)
    found = [x.sum(), (x * x).sum(), x.min(), x.max(), (x * random).sum()]
    size = np.sqrt(expected[1])  # a sum near zero has no digits to compare
    sums = size * np.sqrt(x.size)
    scales = [sums, expected[1], abs(expected[3]), abs(expected[3]), size]
    errors = np.abs(found - expected) / scales
    assert errors.max() <= TOLERANCE, (name, errors)


def numbers(index, width):
    """Positions in a map of that width as the program counts patches that lie within it."""
    row, column = np.divmod(np.array(index)[1:-1, 1:-1], width)
    return (row - 1) * (width - 2) + column - 1


def assert_close_pictures(picture, expected):
    assert np.abs(np.int32(picture) - expected).max() <= 1


def test_degradation(facts):
    hr, refs = facts["in/hr"], [facts["in/ref0_cut"], facts["in/ref1"]]
    np.testing.assert_array_equal(bicubic.downscale(hr), facts["in/lr"])
    for ref, name in zip(refs, ("ref0", "ref1"), strict=True):
        made = network_inputs(facts["in/lr"][None], ref[None])
        np.testing.assert_array_equal(made["lr_up"][0], to_float(facts["in/lr_up"]))
        blurred = to_float(facts[f"in/{name}_updown"])
        np.testing.assert_array_equal(made["ref_down_up"][0], blurred)


def test_features(facts, inputs, model, variant):
    of_lr, of_blurred = model.query(inputs["lr_up"]), model.query(inputs["ref_down_up"])
    _, value = model.encode(inputs["ref"], inputs["ref_down_up"])
    names = "content_relu3_1", "ref0_updown_relu3_1", "ref0_relu3_1", "ref0_relu2_1", "ref0_relu1_1"
    for name, x in zip(names, (of_lr, of_blurred, *value), strict=True):
        assert_same(layers.ACTIVATION_SCALE * x, facts, f"{variant}/digest/vgg/{name}")


def test_one_reference(facts, inputs, model, variant):
    outputs = model(inputs)
    index = numbers(outputs["index"][0], width=112 // 4)
    clear = facts[f"{variant}/ref1/margin"] > 1e-5  # beyond rounding: all but one of 660
    np.testing.assert_array_equal(index[clear], facts[f"{variant}/ref1/max_idx"][clear])
    similarity = outputs["confidence"][0, ..., 0]
    np.testing.assert_allclose(
        similarity, facts[f"{variant}/ref1/similarity_padded"], atol=TOLERANCE
    )
    query = layers.ACTIVATION_SCALE * model.query(inputs["lr_up"])
    patches = tf.image.extract_patches(query, [1, 3, 3, 1], [1] * 4, [1] * 4, "VALID")
    score = similarity[1:-1, 1:-1] * np.linalg.norm(patches[0], axis=-1)
    np.testing.assert_allclose(score, facts[f"{variant}/ref1/max_val"], rtol=TOLERANCE)
    for name, x in zip(MAPS, map(outputs.get, TEXTURES), strict=True):
        assert_same(layers.ACTIVATION_SCALE * x, facts, f"{variant}/digest/ref1/{name}")
    np.testing.assert_allclose(outputs["sr"], facts[f"{variant}/ref1/SR"], atol=TOLERANCE)


def test_within_the_network(facts, inputs, models, monkeypatch):
    model, seen = models["t"], {}
    first = model.head(inputs["lr"])
    np.testing.assert_allclose(first, facts["t/ref1/mid/content_first"], atol=TOLERANCE)
    stages = {
        "small_conv1": model.join[0],
        "small_out": model.enlarge[0],
        "medium_conv1": model.join[1],
        "medium_out": model.enlarge[1],
        "large_conv1": model.join[2],
        "large_conv3": model.tail[0],
    }

    def watched(name, layer):
        original = layer.call

        def call(x):
            seen[name] = original(x)
            return seen[name]

        monkeypatch.setattr(layer, "call", call)

    for name, layer in stages.items():
        watched(name, layer)
    model(inputs)
    for name in stages:
        assert_same(seen[name], facts, f"t/digest/ref1/mid/{name}")


def test_pictures_with_one_and_two_references(facts, upscaler, variant):
    lr, refs = facts["in/lr"], [facts["in/ref0"], facts["in/ref1"]]
    assert_close_pictures(upscaler.upscale(lr, refs[0]), facts[f"{variant}/ref1/SR_uint8"])
    result = upscaler.upscale_with_attention(lr, refs)
    assert_close_pictures(result["sr"], facts[f"{variant}/ref2/SR_uint8"])
    widths, first = np.array([112 // 4, 88 // 4]), (80 // 4 - 2) * (112 // 4 - 2)
    source = result["source"][1:-1, 1:-1]
    assert 0 < source.mean() < 1
    index = numbers(result["index"], widths[source]) + first * source
    clear = facts[f"{variant}/ref2/margin"] > 1e-5
    np.testing.assert_array_equal(index[clear], facts[f"{variant}/ref2/max_idx"][clear])
    expected = facts[f"{variant}/ref2/similarity_padded"]
    np.testing.assert_allclose(result["confidence"], expected, atol=TOLERANCE)


def test_a_reference_squashed_to_the_size_of_hr(facts, upscaler, variant):
    result = upscaler.upscale_with_attention(facts["in/lr"], facts["in/ref1_to_hr"])
    assert_close_pictures(result["sr"], facts[f"{variant}/refscale_m1/SR_uint8"])
    different = numbers(result["index"], 128 // 4) != facts[f"{variant}/refscale_m1/max_idx"]
    assert different.mean() < 0.01  # no margins are there


def test_without_a_reference(facts, model, upscaler, variant):
    np.testing.assert_array_equal(facts["in/noref_ref"], facts["in/lr"])
    lr = to_float(facts["in/lr"][None])
    outputs = model.without_reference({"lr": lr, "ref": lr})
    index = numbers(outputs["index"][0], 32 // 4)
    np.testing.assert_array_equal(index, facts[f"{variant}/noref/max_idx_M3"])
    for name, x in zip(MAPS[:2], map(outputs.get, TEXTURES), strict=False):
        assert_same(layers.ACTIVATION_SCALE * x, facts, f"{variant}/digest/noref/{name}")
    finest = np.float64(layers.ACTIVATION_SCALE * outputs[TEXTURES[2]])
    # One of 11,844 patches at ×4 is as like two others, to rounding.
    expected = facts[f"{variant}/digest/noref/M1"]
    np.testing.assert_allclose([finest.sum(), (finest**2).sum()], expected[:2], rtol=1e-5)
    assert_close_pictures(upscaler.upscale(facts["in/lr"]), facts[f"{variant}/noref/SR_uint8"])


def test_the_single_image_path(facts, model, upscaler, variant):
    picture = model.single_image({"lr": to_float(facts["in/lr"][None])})
    np.testing.assert_allclose(picture, facts[f"{variant}/UP"], atol=TOLERANCE)
    picture = upscaler.upscale(facts["in/lr"], single_image=True)
    assert_close_pictures(picture, facts[f"{variant}/UP_uint8"])
