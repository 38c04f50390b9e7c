import keras
import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import TTSR
from ttsr_tf.errors import InputError
from ttsr_tf.inference import tiles


@pytest.fixture
def model():
    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    return model


def picture(rng, height, width):
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


def test_an_encoded_reference_is_the_reference(model, rng):
    lr, ref = picture(rng, 9, 7), picture(rng, 30, 25)
    encoded = model.encode_reference(ref)
    assert encoded.key.shape == (1, 7, 6, 256)
    assert [x.shape for x in encoded.value] == [(1, 7, 6, 256), (1, 14, 12, 128), (1, 28, 24, 64)]
    np.testing.assert_array_equal(model.upscale(lr, encoded), model.upscale(lr, ref))


def test_the_best_of_several_references(model, rng):
    lr = picture(rng, 20, 22)
    refs = [picture(rng, 40, 24), picture(rng, 16, 60), np.tile(lr[:10], (2, 2, 1))]
    single = [model.upscale_with_attention(lr, ref) for ref in refs]
    several = model.upscale_with_attention(lr, refs)
    confidence = np.stack([result["confidence"] for result in single])
    source = confidence.argmax(0)
    assert set(np.unique(source)) == {0, 1, 2}
    np.testing.assert_array_equal(several["source"], source)
    np.testing.assert_array_equal(several["confidence"], confidence.max(0))
    index = np.choose(source, [result["index"] for result in single])
    np.testing.assert_array_equal(several["index"], index)


def test_of_equal_references_the_first_is_used(model, rng):
    lr, ref = picture(rng, 12, 12), picture(rng, 48, 96)
    twice = model.upscale_with_attention(lr, [ref, ref])
    np.testing.assert_array_equal(twice["source"], 0)
    np.testing.assert_array_equal(twice["sr"], model.upscale(lr, ref))


def test_tiles_give_the_whole_picture(model, rng, monkeypatch):
    lr, ref = picture(rng, 61, 70), picture(rng, 48, 52)
    whole = model.upscale_with_attention(lr, ref)
    monkeypatch.setattr(tiles, "cut", lambda size, *_: tiles.grid(size, 24))
    seen = []
    tiled = model.upscale_with_attention(lr, ref, progress=lambda *n: seen.append(n))
    assert seen == [(n, 9) for n in range(1, 10)]
    for name in ("source", "index"):
        np.testing.assert_array_equal(tiled[name], whole[name])
    np.testing.assert_allclose(tiled["confidence"], whole["confidence"], atol=1e-5)
    # Sums in another order bring halves to either side.
    assert np.abs(np.int32(tiled["sr"]) - whole["sr"]).max() <= 1


def test_one_trace_serves_all_sizes(model, rng):
    for height, width in ((6, 9), (13, 5), (8, 8)):
        refs = [picture(rng, 21, 3 * height), picture(rng, 16, 30)]
        assert model.upscale(picture(rng, height, width), refs).shape == (4 * height, 4 * width, 3)
    for step in ("_encode", "_query", "_match", "_transfer", "_synthesise"):
        assert getattr(model._enlarger, step).experimental_get_tracing_count() == 1


def test_memory_is_checked(model, rng):
    with pytest.raises(InputError, match="Give a larger memory_gb"):
        model.upscale(picture(rng, 40, 40), picture(rng, 40, 40), memory_gb=0.1)


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ([], "`references` is empty"),
        ([np.zeros((40, 40, 3), np.uint8), np.zeros((8, 40, 3), np.uint8)], "`ref` is 40×8 pixels"),
        ([np.zeros((40, 40, 4), np.uint8)], r"must be uint8 \[H, W, 3\], got uint8 \[40, 40, 4\]"),
    ],
)
def test_bad_references(model, rng, references, message):
    with pytest.raises(InputError, match=message):
        model.upscale(picture(rng, 20, 20), references)


def test_tensors_are_pictures_too(model, rng):
    lr, ref = picture(rng, 9, 7), picture(rng, 30, 25)
    np.testing.assert_array_equal(
        model.upscale(tf.constant(lr), tf.constant(ref)), model.upscale(lr, ref)
    )


def test_mixed_precision(rng):
    lr, ref = picture(rng, 9, 7), picture(rng, 30, 25)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        half = TTSR((1, 1, 1, 1), 4)
        half.build()
        sr = half.upscale(lr, ref)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    full = TTSR((1, 1, 1, 1), 4)
    full.build()
    full.set_weights(half.get_weights())
    assert half.compute_dtype == "bfloat16"
    # bfloat16 keeps 8 bits; a few matches change with it.
    assert np.abs(np.float32(sr) - full.upscale(lr, ref)).mean() < 4
