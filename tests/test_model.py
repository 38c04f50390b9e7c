import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import TTSR
from ttsr_tf.errors import InputError
from ttsr_tf.images import inputs


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
    outputs = model(inputs.network_inputs(lr, ref))
    assert outputs["sr"].shape == (2, 20, 28, 3)
    assert outputs["index"].shape == (2, 5, 7)
    assert outputs["index"].numpy().max() < 6 * 4
    assert outputs["confidence"].shape == (2, 5, 7, 1)
    assert [t.shape[1:] for t in outputs["textures"]] == [(5, 7, 256), (10, 14, 128), (20, 28, 64)]


def test_building_by_size_is_building_by_use(model, rng):
    used = TTSR((1, 1, 1, 1), 4)
    used(inputs.network_inputs(picture(rng, 4, 4)[None], picture(rng, 12, 12)[None]))
    model.build()
    assert [v.shape for v in model.variables] == [v.shape for v in used.variables]


def test_upscale_is_the_network_between_pictures(model, rng):
    lr, ref = picture(rng, 6, 9), picture(rng, 22, 31)
    inputs = inputs.network_inputs(lr[None], ref[None, :20, :28])  # multiples of 4
    expected = inputs.to_uint8(model(inputs)["sr"])[0]
    result = model.upscale_with_attention(lr, ref)
    # Graph and eager kernels may add in another order, so that halves fall to either side.
    assert np.abs(np.int32(result["sr"]) - np.int32(expected)).max() <= 1
    assert result["index"].shape == result["confidence"].shape == (6, 9)


def test_without_reference_the_picture_is_its_own(model, rng):
    lr = picture(rng, 16, 20)
    np.testing.assert_array_equal(model.upscale(lr), model.upscale(lr, lr))


def test_a_reference_gives_its_texture(model, rng):
    lr = picture(rng, 12, 12)
    assert (model.upscale(lr, picture(rng, 48, 48)) != model.upscale(lr)).any()


@pytest.mark.parametrize(
    ("lr", "ref", "message"),
    [
        (np.zeros((5, 5, 3), np.float32), None, r"`lr` must be uint8 \[H, W, 3\], got float32"),
        (np.zeros((5, 5), np.uint8), None, r"`lr` must be uint8 \[H, W, 3\], got uint8 \[5, 5\]"),
        (np.zeros((2, 5, 3), np.uint8), None, r"`lr` is 5×2 pixels, at least 3×3 are needed"),
        (np.zeros((5, 5, 3), np.uint8), None, r"`ref` is 5×5 pixels, at least 12×12 are needed"),
    ],
)
def test_bad_pictures(model, lr, ref, message):
    with pytest.raises(InputError, match=message):
        model.upscale(lr, ref)


def test_sizes_that_do_not_go_together(model):
    inputs = {name: tf.zeros([1, 8, 8, 3]) for name in ("lr", "lr_up", "ref", "ref_down_up")}
    with pytest.raises(InputError, match="`lr_up` must be 4 times as large as `lr`"):
        model(inputs)
    inputs["lr_up"] = tf.zeros([1, 32, 32, 3])
    with pytest.raises(InputError, match="`ref_down_up` must be as large as `ref`"):
        model({**inputs, "ref": tf.zeros([1, 8, 12, 3])})
