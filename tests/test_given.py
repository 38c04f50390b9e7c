"""Forms of pictures that the upscaler's tests don't come to."""

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.images import given


def test_sixteen_bits_are_rounded():
    levels = np.uint16([[[0, 128, 129], [65535, 32896, 385]]])
    np.testing.assert_array_equal(given.rgb("lr", levels, 1), np.uint8(np.rint(levels / 257)))


def test_pillow_s_pictures_are_read_as_files_are(rng):
    palette = PIL.Image.fromarray(rng.integers(256, size=(9, 7, 3), dtype=np.uint8)).convert("P")
    np.testing.assert_array_equal(given.rgb("lr", palette, 3), np.asarray(palette.convert("RGB")))
    turned = palette.convert("RGB")
    turned.getexif()[0x0112] = 6  # upright is a quarter to the right
    assert given.rgb("lr", turned, 3).shape == (7, 9, 3)


def test_a_batch_of_grey_ones_is_not_a_picture_of_few_columns(rng):
    batch = rng.uniform(size=(2, 9, 7, 1))
    found = given.rgb("lr", batch, 3)
    np.testing.assert_array_equal(found, np.uint8(np.rint(255 * np.float32(batch))).repeat(3, -1))
    with pytest.raises(InputError, match=r"got float64 \[2, 9, 7\]\. Give one picture, or a batch"):
        given.rgb("lr", batch[..., 0], 3)


def test_what_has_no_values_yet_is_refused():
    @tf.function
    def traced(x):
        with pytest.raises(InputError, match=r"`lr` must be a path, a PIL\.Image or an array"):
            given.rgb("lr", x, 3)
        return x

    traced(tf.zeros([9, 9, 3], tf.uint8))
