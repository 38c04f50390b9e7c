import math

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import layers
from ttsr_tf.errors import InputError
from ttsr_tf.images.inputs import network_inputs, to_uint8
from ttsr_tf.inference.upscaler import Upscaler
from ttsr_tf.models import TEXTURES
from ttsr_tf.models.srntt import SRNTT
from ttsr_tf.models.ttsr import TTSR


@pytest.fixture
def model():
    model = SRNTT((1, 1, 1, 1), 4)
    model.build()
    return model


@pytest.fixture
def lr(rng):
    return rng.integers(256, size=(37, 30, 3), dtype=np.uint8)


def test_texture_loss_compares_gram_matrices(model, rng):
    textures = [
        tf.constant(rng.uniform(0, 1, (2, s * 4, s * 6, channels)), tf.float32)
        for s, channels in ((1, 256), (2, 128), (4, 64))
    ]
    confidence = rng.uniform(0.3, 1, (2, 4, 6, 1)).astype(np.float32)
    sr = tf.constant(rng.uniform(-1, 1, (2, 16, 24, 3)), tf.float32)
    features = model.texture_extractor(sr)
    scales = [confidence, *(layers.resize_up(confidence, n).numpy() for n in (2, 4))]

    def gram(x):
        x = 57.63 * np.float64(x).reshape(2, -1, x.shape[-1])
        return x.swapaxes(1, 2) @ x

    for weighed in (False, True):
        terms = []
        for k, a, b, s in zip((256, 512, 1024), textures, features, scales, strict=True):
            weight = s if weighed else 1  # s²·k of the facts, for 4×6 pixels of LR
            distance = (gram(a * weight) - gram(b * weight)) ** 2
            terms.append(distance.mean() / (4 * (4 * 6 * k) ** 2))
        outputs = {
            **dict(zip(TEXTURES, textures, strict=True)),
            "confidence": tf.constant(confidence),
        }
        loss = model.texture_loss(outputs, sr, weigh_by_confidence=weighed)
        np.testing.assert_allclose(loss, np.mean(terms), rtol=1e-5)


def test_gram_distance_by_hand():
    a, b = np.zeros((1, 2, 3, 2), np.float32), np.zeros((1, 2, 3, 2), np.float32)
    a[..., 0], b[..., 1] = 1, 2  # six ones, six twos: Gram matrices diag(6, 0) and diag(0, 24)
    expected = 57.63**4 * (6**2 + 24**2) / 4 / (4 * 12**2)
    np.testing.assert_allclose(layers.gram_distance(a, b), expected, rtol=1e-6)


def test_the_single_image_path_sees_no_reference(model, lr):
    picture = Upscaler(model).upscale(lr, single_image=True)
    expected = to_uint8(model.single_image(network_inputs(lr[None], lr[None])))
    np.testing.assert_array_equal(picture, expected[0])
    assert picture.shape == (148, 120, 3)
    result = Upscaler(model).upscale_with_attention(lr, single_image=True)
    assert (result["index"] == -1).all() and not result["confidence"].any()


def test_the_single_image_path_is_asked_for_alone(model, lr):
    with pytest.raises(InputError, match="`single_image` goes without references"):
        Upscaler(model).upscale(lr, lr, single_image=True)
    other = TTSR((1, 1, 1, 1), 4)
    other.build()
    with pytest.raises(InputError, match="`single_image`: TTSR has no path without a reference"):
        Upscaler(other).upscale(lr, single_image=True)


def test_tiles_without_a_reference_search_all_of_the_picture(model, lr, monkeypatch):
    monkeypatch.setattr(SRNTT, "tile_overlap", 12)
    whole = Upscaler(model).upscale_with_attention(lr)
    monkeypatch.setattr("ttsr_tf.inference.tiles._SMALLEST", 8)
    needed = "ttsr_tf.inference.memory.needed"
    monkeypatch.setattr(needed, lambda *_, tile, **__: math.prod(tile))
    monkeypatch.setattr("ttsr_tf.inference.memory.allowed", lambda *_: 1000)
    counts = []
    tiled = Upscaler(model).upscale_with_attention(lr, progress=lambda _, n: counts.append(n))
    assert counts[0] > 1
    # VGG19's maps of a tile's picture begin at another pixel, unless it starts at a multiple of 4.
    same = (whole["index"] == tiled["index"]).mean()
    assert same > 0.9
    assert np.abs(np.int32(whole["sr"]) - tiled["sr"]).mean() < 1


def test_what_searching_itself_costs(model):
    """Every map of LR, s·W × s·H / 4 of it, against the same of a picture four times as large."""
    maps = zip((1, 2, 4), model.value_channels, strict=True)
    search = sum(2 * c * (s * 40 * s * 60) * (s * 10 * s * 15) for s, c in maps)
    more = model.flops((80, 120), []) - 4 * model.flops((40, 60), [])
    assert more == 12 * search  # sixteen times the search, four times the rest


def test_a_picture_too_small_to_be_its_own_reference(model, rng):
    lr = rng.integers(256, size=(11, 30, 3), dtype=np.uint8)
    with pytest.raises(InputError, match=r"`lr`.*12×12"):
        Upscaler(model).upscale(lr)
    assert Upscaler(model).upscale(lr, single_image=True).shape == (44, 120, 3)
    assert Upscaler(model).upscale(lr, rng.integers(256, size=(16, 20, 3), dtype=np.uint8)).any()


def test_mixed_precision_reaches_every_layer():
    model = SRNTT((1, 1, 1, 1), 4, dtype="mixed_bfloat16")
    computes = {layer.compute_dtype for layer in model._flatten_layers(include_self=False)}
    assert computes == {"bfloat16", "float32"}
    assert model.relevance.compute_dtype == "float32"
    assert model.texture_extractor.conv2_2.compute_dtype == "bfloat16"
