"""Networks within Keras: functional models of uint8 pictures, losses and metrics of one output."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ttsr_tf
from ttsr_tf import InputError, compat, metrics


@pytest.fixture
def pictures(rng):
    sizes = (8, 6), (32, 24), (32, 24)
    return [rng.integers(256, size=(3, *size, 3), dtype=np.uint8) for size in sizes]


@pytest.fixture
def ttsr():
    model = ttsr_tf.TTSR((1, 1, 1, 1), 4)
    model.build()
    return model


def test_a_functional_model_is_the_network(ttsr, pictures, tmp_path):
    lr, ref, _ = pictures
    inputs = [keras.Input((None, None, 3), dtype="uint8") for _ in range(2)]
    made = ttsr_tf.network_inputs(*inputs)
    shapes = dict.fromkeys(("lr", "lr_up", "ref", "ref_down_up"), (None, None, None, 3))
    assert {name: tuple(x.shape) for name, x in made.items()} == shapes
    model = keras.Model(inputs, ttsr(made)["sr"])
    expected = ttsr(ttsr_tf.network_inputs(lr, ref))["sr"]
    np.testing.assert_array_equal(model([lr, ref]), expected)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again([lr, ref]), expected)


def test_shapes_of_known_sizes():
    lr, ref = (keras.Input(size, dtype="uint8") for size in ((8, 6, 3), (32, 24, 3)))
    made = ttsr_tf.network_inputs(lr, ref)
    assert made["lr_up"].shape[1:] == (32, 24, 3)
    assert made["ref_down_up"].shape[1:] == (32, 24, 3)


def test_metrics_of_one_output(ttsr, pictures):
    lr, ref, hr = pictures
    inputs, target = ttsr_tf.network_inputs(lr, ref), hr / np.float32(127.5) - 1
    sr = ttsr(inputs)["sr"].numpy()
    ttsr.compile("sgd", loss={"sr": "mae"}, metrics={"sr": metrics.PSNR(test_y_channel=False)})
    found = ttsr.evaluate(inputs, {"sr": target}, batch_size=2, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(np.abs(sr - target).mean(), rel=1e-5)
    psnr = 10 * np.log10(4 / ((sr - target) ** 2).mean((1, 2, 3)))
    (name,) = set(found) - {"loss", "sr_loss"}
    assert found[name] == pytest.approx(psnr.mean(), rel=1e-5)


@pytest.mark.skipif(compat.GENERATION == "Keras 2", reason="traces every fit twice")
@pytest.mark.parametrize("name", ["TTSR", "SRNTT"])
def test_the_first_fit_traces_once(name, pictures, monkeypatch):
    """With an optimizer whose variables `fit` creates, it would twice."""
    lr, ref, hr = pictures
    model, calls = getattr(ttsr_tf, name)((1, 1, 1, 1), 4), []
    model.build()
    for layer in model.pretrained:  # learns by a way of its own
        layer.trainable = False
    synthesise = model.synthesise
    monkeypatch.setattr(model, "synthesise", lambda *given: calls.append(1) or synthesise(*given))
    model.compile(ttsr_tf.training.Adam(), loss={"sr": "mae"})
    target = tf.cast(hr, tf.float32) / 127.5 - 1
    data = tf.data.Dataset.from_tensors((ttsr_tf.network_inputs(lr, ref), {"sr": target}))
    model.fit(data, epochs=2, verbose=0, shuffle=False)
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["TTSR", "SRNTT"])
def test_other_inputs_are_named(name, pictures):
    lr, ref, _ = pictures
    model = getattr(ttsr_tf, name)((1, 1, 1, 1), 4)
    model.build()
    with pytest.raises(InputError, match=r"`inputs` must be a dict of lr, .*, got tuple: `ttsr_tf"):
        model((lr, ref))
    with pytest.raises(InputError, match="got lr, ref: "):
        model({"lr": lr, "ref": ref})
    inputs = ttsr_tf.network_inputs(lr, ref)
    for other, said in (
        (tf.constant(ref), r"uint8 \(3, 32, 24, 3\)"),
        (inputs["ref"][..., :1], r"float32 \(3, 32, 24, 1\)"),
        (inputs["ref"][0], r"float32 \(32, 24, 3\)"),
    ):
        with pytest.raises(InputError, match=r"`ref` must be float \[B, H, W, 3\], got " + said):
            model({**inputs, "ref": other})


@pytest.mark.parametrize(
    "given", [np.zeros((1, 8, 8, 3), np.float32), np.zeros((1, 8, 8), np.uint8), "a.png"]
)
def test_no_pictures_are_no_inputs(given, pictures):
    lr, ref, _ = pictures
    with pytest.raises(InputError, match=r"`lr` must be uint8 \[B, H, W, 3\], got"):
        ttsr_tf.network_inputs(given, ref)
    with pytest.raises(InputError, match=r"`ref` must be uint8 \[B, H, W, 3\], got"):
        ttsr_tf.network_inputs(lr, given)


def test_inputs_of_a_functional_model_are_uint8():
    lr = keras.Input((None, None, 3))
    with pytest.raises(InputError, match=r'got float32 .*Input\(…, dtype="uint8"\)'):
        ttsr_tf.network_inputs(lr, lr)
