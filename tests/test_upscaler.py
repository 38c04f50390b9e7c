import inspect

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from one_convolution import OneConvolution

from ttsr_tf import TTSR, Upscaler
from ttsr_tf.errors import InputError
from ttsr_tf.images import inputs
from ttsr_tf.inference import tiles, ways
from ttsr_tf.inference.stages import Stages
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


def test_help_is_short():
    parameters = inspect.signature(Upscaler.upscale).parameters
    assert str(parameters["lr"]) == "lr: 'Picture'"


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
    bands = [slice(0, 9), slice(9, 30), slice(30, 31), slice(31, 61)]
    monkeypatch.setattr(tiles, "bands", lambda *_, **__: bands)
    seen = []
    tiled = either.upscale_with_attention(lr, ref, progress=lambda *n: seen.append(n))
    assert seen == [(n, 13) for n in range(1, 14)]
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
        assert getattr(either._engine, stage).experimental_get_tracing_count() == 1


def test_memory_is_checked(upscaler, rng):
    with pytest.raises(InputError, match="Give a larger `memory_gb`"):
        upscaler.upscale(picture(rng, 40, 40), picture(rng, 40, 40), memory_gb=0.1)


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ([], "`references` is empty"),
        ([np.zeros((40, 40, 3), np.uint8), np.zeros((8, 40, 3), np.uint8)], "`ref` is 40×8 pixels"),
        ([np.zeros((40, 40, 2), np.uint8)], r"or an array \[H, W, 3\], got uint8 \[40, 40, 2\]"),
        (7, r"`ref` must be a path, a PIL.Image or an array \[H, W, 3\], got int"),
    ],
)
def test_bad_references(upscaler, rng, references, message):
    with pytest.raises(InputError, match=message):
        upscaler.upscale(picture(rng, 20, 20), references)


def as_given(lr, kind, place):
    """The same picture in another form."""
    if kind == "path":
        PIL.Image.fromarray(lr).save(place / "a.png")
        return place / "a.png"
    forms = {
        "text": lambda: str(as_given(lr, "path", place)),
        "PIL": lambda: PIL.Image.fromarray(lr),
        "tensor": lambda: tf.constant(lr),
        "uint16": lambda: np.uint16(lr) * 257,
        "float": lambda: lr / 255,
        "RGBA": lambda: np.concatenate([lr, lr[..., :1]], -1),
    }
    return forms[kind]()


@pytest.mark.parametrize("kind", ["path", "text", "PIL", "tensor", "uint16", "float", "RGBA"])
def test_pictures_in_every_form(upscaler, rng, tmp_path, kind):
    lr, ref = picture(rng, 9, 7), picture(rng, 30, 25)
    expected = upscaler.upscale(lr, ref)
    np.testing.assert_array_equal(upscaler.upscale(as_given(lr, kind, tmp_path), ref), expected)
    np.testing.assert_array_equal(upscaler.upscale(lr, as_given(ref, kind, tmp_path)), expected)
    encoded = upscaler.encode_reference(as_given(ref, kind, tmp_path))
    np.testing.assert_array_equal(upscaler.upscale(lr, encoded), expected)


def test_grey_pictures(upscaler, rng):
    grey, ref = picture(rng, 9, 7)[..., 0], picture(rng, 30, 25)
    expected = upscaler.upscale(np.stack([grey] * 3, -1), ref)
    for form in (grey, grey[..., None]):
        np.testing.assert_array_equal(upscaler.upscale(form, ref), expected)


@pytest.mark.parametrize("form", [list, tuple, iter])
def test_any_sequence_of_references(upscaler, rng, form):
    lr, refs = picture(rng, 9, 7), [picture(rng, 30, 25), picture(rng, 16, 40)]
    expected = upscaler.upscale(lr, refs)
    np.testing.assert_array_equal(upscaler.upscale(lr, form(refs)), expected)
    mixed = form([upscaler.encode_reference(refs[0]), PIL.Image.fromarray(refs[1])])
    np.testing.assert_array_equal(upscaler.upscale(lr, mixed), expected)


def test_a_batch(upscaler, rng):
    lr = np.stack([picture(rng, 13, 15) for _ in range(3)])
    refs = [picture(rng, 30, 25), picture(rng, 16, 40)]
    for references in (refs, refs[0], None):
        expected = [upscaler.upscale(one, references) for one in lr]
        np.testing.assert_array_equal(upscaler.upscale(lr, references), expected)
    np.testing.assert_array_equal(
        upscaler.upscale(lr, iter(refs))[2], upscaler.upscale(lr[2], refs)
    )
    with pytest.raises(InputError, match=r"`lr` is a batch. Give one picture, or use `upscale`"):
        upscaler.upscale_with_attention(lr, refs)
    with pytest.raises(InputError, match=r"`ref` is a batch. Give one picture, or a list of them"):
        upscaler.upscale(lr[0], lr)


def test_a_reference_of_other_weights_is_refused(rng):
    first, second = built(OneConvolution(), 1), built(OneConvolution(), 2)
    lr, ref = picture(rng, 9, 7), picture(rng, 30, 25)
    encoded = first.encode_reference(ref)
    said = "`references`: one was encoded by another network, or before the weights changed"
    with pytest.raises(InputError, match=said):
        second.upscale(lr, [ref, encoded])
    second.model.set_weights(first.model.get_weights())
    np.testing.assert_array_equal(second.upscale(lr, encoded), first.upscale(lr, encoded))
    first.model.set_weights([2 * weight for weight in first.model.get_weights()])
    with pytest.raises(InputError, match=said):
        first.upscale(lr, encoded)


def test_a_network_without_weights_is_refused():
    with pytest.raises(InputError, match=r"`model` has no weights yet: call its `build\(\)` for"):
        Upscaler(TTSR((1, 1, 1, 1), 4))
    with pytest.raises(InputError, match=r"`model` must be a network, .* got str\. `ttsr_tf\.load"):
        Upscaler("ttsr-mini")


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
        (np.full((5, 5, 3), 200.0), None, r"`lr` has floats from 200 to 200; .* np\.uint8\(lr\)"),
        (np.full((5, 5, 3), -0.5), None, r"to -0\.5; .* in \[0, 1\]\. If black is -1: \(lr \+ 1\)"),
        (np.full((5, 5, 3), np.nan), None, "`lr` has floats from nan to nan"),
        (np.zeros((5, 5, 3), int), None, r"`lr` is int64; give .* 0 to 255: np\.uint8\(lr\)\."),
        (
            np.zeros((3, 50, 70), np.uint8),
            None,
            r"got uint8 \[3, 50, 70\]\. .*np\.moveaxis\(lr, -3",
        ),
        (np.zeros((0, 5, 5, 3), np.uint8), None, "Give one picture, or a batch of pictures of one"),
        ({"a": 1}, None, r"`lr` must be a path, a PIL.Image or an array \[H, W, 3\], got dict"),
        ("none.png", None, r"none\.png is not a file"),
        (np.zeros((2, 5, 3), np.uint8), None, r"`lr` is 5×2 pixels, at least 3×3 are needed"),
        (np.zeros((5, 5, 3), np.uint8), None, r"`lr` is 5×5 pixels; without a reference 12×12"),
    ],
)
def test_bad_pictures(upscaler, lr, ref, message):
    with pytest.raises(InputError, match=message):
        upscaler.upscale(lr, ref)


def test_a_gpu_that_runs_out_of_memory_is_told_in_words():
    told = pytest.raises(InputError, match=r"isn't enough .* smaller `memory_gb`")
    with told, ways.memory_reported(Stages):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
