import numpy as np
import pytest
import tensorflow as tf
from one_convolution import OneConvolution

from ttsr_tf import TTSR, Upscaler
from ttsr_tf.errors import InputError
from ttsr_tf.images import inputs
from ttsr_tf.inference import tiles
from ttsr_tf.weights.initial import initialise

pytestmark = pytest.mark.xdist_group("upscaler")  # they share a network


def built(model, seed=1):
    model.build()
    initialise(model, seed)
    return Upscaler(model)


@pytest.fixture
def upscaler():
    return built(OneConvolution())


@pytest.fixture(scope="module")
def ttsr():
    """With the published network, small."""
    return built(TTSR((1, 1, 1, 1), 4))


@pytest.fixture(params=["upscaler", "ttsr"])
def either(request):
    return request.getfixturevalue(request.param)


def picture(rng, height, width):
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


def test_an_encoded_reference_is_the_reference(upscaler, rng):
    lr, ref = picture(rng, 9, 7), picture(rng, 30, 25)
    encoded = upscaler.encode_reference(ref)
    assert encoded.key.shape == (1, 7, 6, 4)
    assert [x.shape for x in encoded.value] == [(1, 7, 6, 4), (1, 14, 12, 4), (1, 28, 24, 4)]
    np.testing.assert_array_equal(upscaler.upscale(lr, encoded), upscaler.upscale(lr, ref))


def test_the_best_of_several_references(upscaler, rng):
    lr = picture(rng, 20, 22)
    refs = [picture(rng, 40, 24), picture(rng, 16, 60), np.tile(lr[:10], (2, 2, 1))]
    single = [upscaler.upscale_with_attention(lr, ref) for ref in refs]
    several = upscaler.upscale_with_attention(lr, refs)
    confidence = np.stack([result["confidence"] for result in single])
    source = confidence.argmax(0)
    assert set(np.unique(source)) == {0, 1, 2}
    np.testing.assert_array_equal(several["source"], source)
    np.testing.assert_array_equal(several["confidence"], confidence.max(0))
    index = np.choose(source, [result["index"] for result in single])
    np.testing.assert_array_equal(several["index"], index)


def test_of_equal_references_the_first_is_used(upscaler, rng):
    lr, ref = picture(rng, 12, 12), picture(rng, 48, 96)
    twice = upscaler.upscale_with_attention(lr, [ref, ref])
    np.testing.assert_array_equal(twice["source"], 0)
    np.testing.assert_array_equal(twice["sr"], upscaler.upscale(lr, ref))


def test_tiles_give_the_whole_picture(either, rng, monkeypatch):
    lr, ref = picture(rng, 61, 70), picture(rng, 48, 52)
    whole = either.upscale_with_attention(lr, ref)
    monkeypatch.setattr(tiles, "cut", lambda model, size, *_, **__: tiles.grid(size, 24))
    seen = []
    tiled = either.upscale_with_attention(lr, ref, progress=lambda *n: seen.append(n))
    assert seen == [(n, 9) for n in range(1, 10)]
    for name in ("source", "index"):
        np.testing.assert_array_equal(tiled[name], whole[name])
    np.testing.assert_allclose(tiled["confidence"], whole["confidence"], atol=1e-5)
    # Sums in another order bring halves to either side.
    assert np.abs(np.int32(tiled["sr"]) - whole["sr"]).max() <= 1


def test_one_trace_serves_all_sizes(either, rng):
    for height, width in ((6, 9), (13, 5), (8, 8)):
        refs = [picture(rng, 21, 3 * height), picture(rng, 16, 30)]
        assert either.upscale(picture(rng, height, width), refs).shape == (
            4 * height,
            4 * width,
            3,
        )
    for stage in ("encode", "query", "match", "transfer", "synthesise"):
        assert getattr(either._stages, stage).experimental_get_tracing_count() == 1


def test_memory_is_checked(upscaler, rng):
    with pytest.raises(InputError, match="Give a larger `memory_gb`"):
        upscaler.upscale(picture(rng, 40, 40), picture(rng, 40, 40), memory_gb=0.1)


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ([], "`references` is empty"),
        ([np.zeros((40, 40, 3), np.uint8), np.zeros((8, 40, 3), np.uint8)], "`ref` is 40×8 pixels"),
        ([np.zeros((40, 40, 4), np.uint8)], r"must be uint8 \[H, W, 3\], got uint8 \[40, 40, 4\]"),
    ],
)
def test_bad_references(upscaler, rng, references, message):
    with pytest.raises(InputError, match=message):
        upscaler.upscale(picture(rng, 20, 20), references)


def test_tensors_are_pictures_too(upscaler, rng):
    lr, ref = picture(rng, 9, 7), picture(rng, 30, 25)
    np.testing.assert_array_equal(
        upscaler.upscale(tf.constant(lr), tf.constant(ref)), upscaler.upscale(lr, ref)
    )


def test_mixed_precision(ttsr, rng):
    lr, ref = picture(rng, 9, 7), picture(rng, 30, 25)
    half = TTSR((1, 1, 1, 1), 4, dtype="mixed_bfloat16")
    half.build()
    half.set_weights(ttsr.model.get_weights())
    assert half.compute_dtype == "bfloat16"
    # bfloat16 keeps 8 bits; a few matches change with it.
    sr = Upscaler(half).upscale(lr, ref)
    assert (sr != ttsr.upscale(lr, ref)).any()
    assert np.abs(np.float32(sr) - ttsr.upscale(lr, ref)).mean() < 4


def test_upscale_is_the_network_between_pictures(either, rng):
    lr, ref = picture(rng, 6, 9), picture(rng, 22, 31)
    given = inputs.network_inputs(lr[None], ref[None, :20, :28])  # multiples of 4
    expected = inputs.to_uint8(either.model(given)["sr"])[0]
    result = either.upscale_with_attention(lr, ref)
    # Graph and eager kernels may add in another order, so that halves fall to either side.
    assert np.abs(np.int32(result["sr"]) - np.int32(expected)).max() <= 1
    assert result["index"].shape == result["confidence"].shape == (6, 9)


def test_without_reference_the_picture_is_its_own(upscaler, rng):
    lr = picture(rng, 16, 20)
    np.testing.assert_array_equal(upscaler.upscale(lr), upscaler.upscale(lr, lr))


@pytest.mark.parametrize(
    ("lr", "ref", "message"),
    [
        (np.zeros((5, 5, 3), np.float32), None, r"`lr` must be uint8 \[H, W, 3\], got float32"),
        (np.zeros((5, 5), np.uint8), None, r"`lr` must be uint8 \[H, W, 3\], got uint8 \[5, 5\]"),
        (np.zeros((2, 5, 3), np.uint8), None, r"`lr` is 5×2 pixels, at least 3×3 are needed"),
        (np.zeros((5, 5, 3), np.uint8), None, r"`ref` is 5×5 pixels, at least 12×12 are needed"),
    ],
)
def test_bad_pictures(upscaler, lr, ref, message):
    with pytest.raises(InputError, match=message):
        upscaler.upscale(lr, ref)
