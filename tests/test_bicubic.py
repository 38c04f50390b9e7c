import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.images import bicubic


def pillow(picture, height, width):
    """Pillow's bicubic in two calls of one pass each, since the order of a single call's passes
    depends on Pillow's version."""
    planes = [
        PIL.Image.fromarray(plane)
        .resize((width, len(plane)), PIL.Image.Resampling.BICUBIC)
        .resize((width, height), PIL.Image.Resampling.BICUBIC)
        for plane in np.moveaxis(picture, -1, 0)
    ]
    return np.stack([np.asarray(plane) for plane in planes], -1)


def contents(rng, height, width):
    """Noise, black and white noise (which over- and undershoots), or a ramp."""
    kind = rng.integers(3)
    if kind == 0:
        return rng.integers(256, size=(height, width, 3), dtype=np.uint8)
    if kind == 1:
        return np.uint8(255 * rng.integers(2, size=(height, width, 3)))
    ramp = np.linspace(0, 255, height * width * 3).reshape(height, width, 3)
    return np.uint8(ramp)


def test_equals_pillow_bit_for_bit(rng):
    for _ in range(200):
        height, width = rng.integers(4, 150, 2)
        picture = contents(rng, height, width)
        small = bicubic.downscale(picture)
        np.testing.assert_array_equal(small, pillow(picture, height // 4, width // 4))
        large = bicubic.upscale(small)
        np.testing.assert_array_equal(
            large, pillow(small.numpy(), *np.multiply(small.shape[:2], 4))
        )


def test_any_size_equals_pillow(rng):
    for _ in range(60):
        height, width, new_height, new_width = rng.integers(1, 90, 4)
        picture = contents(rng, height, width)
        np.testing.assert_array_equal(
            bicubic.resize(picture, new_height, new_width), pillow(picture, new_height, new_width)
        )


def test_one_call_of_pillow_does_the_same(rng):
    for height, width in ((37, 90), (64, 64), (150, 80), (150, 40)):
        picture = contents(rng, height, width)[..., 0]
        if height > 2 * width and int(PIL.__version__.split(".")[0]) >= 13:
            continue  # it shrinks these rows first
        once = PIL.Image.fromarray(picture).resize(
            (width // 4, height // 4), PIL.Image.Resampling.BICUBIC
        )
        np.testing.assert_array_equal(bicubic.downscale(picture[..., None])[..., 0], once)


def test_batches_and_data_pipelines(rng):
    pictures = rng.integers(256, size=(3, 23, 34, 3), dtype=np.uint8)
    expected = np.stack([pillow(picture, 5, 8) for picture in pictures])
    np.testing.assert_array_equal(bicubic.downscale(pictures), expected)
    mapped = tf.data.Dataset.from_tensor_slices(pictures).map(bicubic.downscale)
    np.testing.assert_array_equal(list(mapped.as_numpy_iterator()), expected)
    assert bicubic.resize(tf.constant(pictures), 5, 8).shape == (3, 5, 8, 3)


def test_works_in_an_exported_graph(rng, tmp_path):
    module = tf.Module()
    module.shrink = tf.function(
        bicubic.downscale, input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)]
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for size in ((41, 30), (16, 57)):
        picture = contents(rng, *size)
        np.testing.assert_array_equal(
            loaded.shrink(picture), pillow(picture, size[0] // 4, size[1] // 4)
        )


def test_only_uint8_is_taken():
    with pytest.raises(InputError, match=r"`image` must be uint8 .* got float32 \[4, 5, 3\]"):
        bicubic.downscale(np.zeros((4, 5, 3), np.float32))
    with pytest.raises(InputError, match=r"got uint8 \[4, 5\]"):
        bicubic.upscale(np.zeros((4, 5), np.uint8))
