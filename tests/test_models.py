"""The contract that every network keeps (see `ttsr_tf.models`)."""

import copy
import inspect
import os
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

from ttsr_tf import compat
from ttsr_tf.images.inputs import network_inputs
from ttsr_tf.models import MODELS, TEXTURES, Network, model_class
from ttsr_tf.weights import checkpoints

# As small as they go, by the names of MODELS.
FEW = {"num_residual_blocks": (1, 1, 1, 1), "num_features": 4}
SMALL = {"ttsr": FEW, "srntt": FEW, "one_convolution": {}}
ALIGNED = "ttsr with alignment"
B, H, W = 2, 5, 7  # of lr
h, w = 24, 16  # of ref


@pytest.fixture(params=[*MODELS, "one_convolution", ALIGNED])
def model(request, one_convolution):
    """Each of them, what stands in for them in other tests, and what ttsr-mini is."""
    if request.param == ALIGNED:
        model = model_class("ttsr")(**FEW, alignment=True)
    else:
        model = model_class(request.param)(**SMALL[request.param])
    model.build()
    return model


@pytest.fixture
def inputs(rng):
    lr, ref = (rng.integers(256, size=(B, *size, 3), dtype=np.uint8) for size in ((H, W), (h, w)))
    return network_inputs(lr, ref)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1, 2, 3),), r"must be four whole numbers from 0, such as .*, got \(1, 2, 3\)"),
        ((4,), "must be four whole numbers from 0, such as .*, got 4"),
        (((1, 1, 1, -1),), "must be four whole numbers"),
        ((("a", 1, 1, 1),), "must be four whole numbers"),
        (((1.5, 1, 1, 1),), "must be four whole numbers"),
        (((1, 1, 1, 1), 1), "`num_features` must be a whole number from 2, got 1"),
        (((1, 1, 1, 1), 4.5), "`num_features` must be a whole number from 2, got 4.5"),
    ],
)
def test_sizes_that_no_network_has(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        model_class(name)(*arguments)


@pytest.mark.skipif(compat.GENERATION == "Keras 2", reason="has no other backends")
@pytest.mark.parametrize("used", ["TTSR", "load('ttsr-mini')"])
def test_another_backend_is_told(used):
    pytest.importorskip("torch", reason="NOT TESTED: needs the extra `convert`")
    code = f"import ttsr_tf; ttsr_tf.{used}"
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONWARNINGS": "ignore"}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    last = result.stderr.splitlines()[-1]
    said = "InputError: ttsr-tf runs on TensorFlow, and Keras on torch here. Unset KERAS_BACKEND"
    assert said in last


def test_has_all_that_is_asked(model):
    assert isinstance(model, keras.Model)
    for name in Network.__annotations__:
        assert hasattr(model, name), name
    for name, method in inspect.getmembers(Network, inspect.isfunction):
        own = getattr(model, name)
        if name.startswith("_") or own is None:
            continue
        wanted = list(inspect.signature(method).parameters)[1:]
        assert list(inspect.signature(own).parameters) == wanted, name
    for name in ("without_reference", "single_image", "ideal_textures"):
        assert getattr(model, name) is None or callable(getattr(model, name))


def test_stages_have_their_shapes_and_are_the_whole(model, inputs):
    channels = model.value_channels
    query = model.query(inputs["lr_up"])
    assert query.shape == (B, H, W, model.query_channels)
    key, value = model.encode(inputs["ref"], inputs["ref_down_up"])
    assert key.shape == (B, h // 4, w // 4, model.query_channels)
    sizes = [(B, s * h // 4, s * w // 4, c) for s, c in zip((1, 2, 4), channels, strict=True)]
    assert [x.shape for x in value] == sizes
    index, confidence = model.match(query, key)
    assert (index.shape, index.dtype) == ((B, H, W), tf.int32)
    assert 0 <= index.numpy().min() <= index.numpy().max() < model.shifts * (h // 4 * w // 4)
    assert confidence.shape == (B, H, W, 1)
    textures = model.transfer(value, index)
    sizes = [(B, s * H, s * W, c) for s, c in zip((1, 2, 4), channels, strict=True)]
    assert [x.shape for x in textures] == sizes
    of_lr = {name: inputs[name] for name in ("lr", "lr_up")}
    sr = model.synthesise(of_lr, textures, confidence)
    assert sr.shape == (B, 4 * H, 4 * W, 3)
    assert -1 <= sr.numpy().min() <= sr.numpy().max() <= 1
    outputs = model(inputs)
    assert set(outputs) == {"sr", "index", "confidence", *TEXTURES}
    np.testing.assert_array_equal(outputs["sr"], sr)
    np.testing.assert_array_equal(outputs["index"], index // model.shifts)


def test_ways_without_a_reference_have_their_shapes(model, rng):
    lr = rng.integers(256, size=(B, 16, 12, 3), dtype=np.uint8)
    inputs = network_inputs(lr, lr)
    part = {"lr": inputs["lr"][:, :13, :11], "lr_up": inputs["lr_up"][:, :52, :44]}
    if model.single_image:
        assert model.single_image(part).shape == (B, 52, 44, 3)
    if model.without_reference:
        outputs = model.without_reference({**part, "ref": inputs["ref"]})
        assert set(outputs) == {"sr", "index", "confidence", *TEXTURES}
        assert outputs["sr"].shape == (B, 52, 44, 3)
        assert outputs["confidence"].shape == (B, 13, 11, 1)
        assert outputs["index"].shape == (B, 13, 11)
        assert 0 <= outputs["index"].numpy().min() <= outputs["index"].numpy().max() < 4 * 3


def test_nothing_is_transferred_where_the_index_is_minus_one(model, inputs):
    _, value = model.encode(inputs["ref"], inputs["ref_down_up"])
    index = tf.fill([B, H, W], -1)
    assert all(np.abs(x).max() == 0 for x in model.transfer(value, index))


def test_ideal_textures_are_shaped_like_others(model, inputs):
    if not model.ideal_textures:
        return
    of_truth, (_, value) = (
        model.ideal_textures(inputs["lr_up"]),
        model.encode(*[inputs["lr_up"]] * 2),
    )
    for ideal, own in zip(of_truth, value, strict=True):
        np.testing.assert_array_equal(ideal, own)


def test_the_texture_loss_reaches_what_it_judges(model, inputs):
    outputs = model(inputs)
    for weighed in False, True:
        with tf.GradientTape() as tape:
            tape.watch(outputs["sr"])
            loss = model.texture_loss(outputs, outputs["sr"], weighed)
        assert loss.shape == ()
        assert np.abs(tape.gradient(loss, outputs["sr"])).max() > 0


def test_gradients_reach_every_variable(model, inputs):
    def gradients(way):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(way(inputs) - 0.5))
        return tape.gradient(loss, model.trainable_variables)

    pretrained = {id(v) for layer in model.pretrained for v in layer.variables}
    assert bool(pretrained) == (model.single_image is not None)
    of_sr = gradients(lambda inputs: model(inputs)["sr"])
    first = gradients(model.single_image) if pretrained else of_sr
    for variable, *found in zip(model.trainable_variables, of_sr, first, strict=True):
        learns, stays = found[::-1] if id(variable) in pretrained else found
        assert learns is not None and np.abs(learns).max() > 0, variable.path
        assert not pretrained or stays is None, variable.path
    extractor = model.texture_extractor.trainable_variables
    assert 0 < len(extractor) < len(model.trainable_variables)


def test_costs_grow_with_pictures_and_network(model):
    small, large = model.flops((40, 40), [(40, 40)]), model.flops((80, 40), [(40, 40)])
    assert 1.5 * small < large
    assert model.flops((40, 40), [(40, 40)] * 2) > small
    assert model.bytes_per_pixel > 0


def test_smallest_sizes_go(model, rng):
    lr = rng.integers(256, size=(1, model.smallest_lr, model.smallest_lr + 1, 3), dtype=np.uint8)
    size = model.smallest_ref // 4 * 4
    ref = rng.integers(256, size=(1, size, size, 3), dtype=np.uint8)
    sr = model(network_inputs(lr, ref))["sr"]
    assert sr.shape == (1, 4 * lr.shape[1], 4 * lr.shape[2], 3)


def same(model, again, inputs):
    assert type(again) is type(model) and again.get_config() == model.get_config()
    for name, output in model(inputs).items():
        np.testing.assert_array_equal(again(inputs)[name], output, err_msg=name)


def test_is_saved_by_keras_and_copied(model, inputs, tmp_path):
    model(inputs)
    model.save(tmp_path / "model.keras")
    same(model, keras.models.load_model(tmp_path / "model.keras"), inputs)
    same(model, copy.deepcopy(model), inputs)
    same(model, pickle.loads(pickle.dumps(model)), inputs)


def test_keeps_its_policy(request, tmp_path):
    model = model_class("ttsr")(**FEW, dtype="mixed_bfloat16")
    model.build()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.compute_dtype == again.tail[0].compute_dtype == "bfloat16"


def test_is_exported_by_keras_for_any_size(model, inputs, tmp_path, rng):
    model(inputs)
    model.export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "exported"))
    lr, ref = (rng.integers(256, size=(1, *size, 3), dtype=np.uint8) for size in ((9, 6), (16, 28)))
    other = network_inputs(lr, ref)
    found = served.serve(other)
    for name, output in model(other).items():
        # Graph and eager kernels may add in another order.
        np.testing.assert_allclose(found[name], output, rtol=1e-4, atol=1e-4, err_msg=name)


def test_is_saved_by_name_and_config(model, tmp_path):
    path = str(tmp_path / "a.safetensors")
    checkpoints.save(model, path)
    again = checkpoints.load(path)
    assert type(again) is type(model)
    assert checkpoints.arguments(again) == checkpoints.arguments(model)
    names = checkpoints.named_variables(model)
    assert len(names) == len(model.variables)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
