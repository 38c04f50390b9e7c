import functools

import numpy as np
import pytest

from ttsr_tf import Upscaler
from ttsr_tf.inference import encoding, tiles
from ttsr_tf.inference.bands import in_bands
from ttsr_tf.inference.litert import LiteRT
from ttsr_tf.models import model_class
from ttsr_tf.weights import naming
from ttsr_tf.weights.initial import initialise


def rows_of(picture):
    """Each row, what lies up to three rows around it, and half as many rows of pairs."""
    x = np.int64(picture)
    padded = np.pad(x, [(0, 0), (3, 3), (0, 0), (0, 0)])
    around = sum(padded[:, n : n + x.shape[1]] for n in range(7))
    return np.repeat(around, 2, 1), x[:, ::2] + x[:, 1::2]


@pytest.mark.parametrize("height", [64, 72, 130, 252])
def test_bands_are_the_whole(rng, height):
    picture = rng.integers(256, size=(1, height, 10, 3), dtype=np.uint8)
    seen = []

    def function(band):
        seen.append(band.shape[1])
        return rows_of(band)

    banded = in_bands(function, picture, border=4, most=640)
    assert max(seen) <= 72 and len(seen) == -(-height // 64)
    for found, whole in zip(banded, rows_of(picture), strict=True):
        np.testing.assert_array_equal(found, whole)


def test_too_small_a_border_is_noticed(rng):
    picture = rng.integers(256, size=(1, 130, 10, 3), dtype=np.uint8)
    found, _ = in_bands(rows_of, picture, border=2, most=640)
    assert (found != rows_of(picture)[0]).any()


@pytest.fixture(params=["ttsr", "srntt", "litert"])
def upscaler(request):
    if request.param == "litert":
        return Upscaler(LiteRT(naming.path_of("ttsr-mini")))
    model = model_class(request.param)((1, 1, 1, 1), 4)
    model.build()
    initialise(model, 1)
    return Upscaler(model)


def test_maps_in_bands_are_those_of_the_whole(upscaler, rng, monkeypatch):
    """The network sees no further than the borders; so bands change nothing but rounding."""
    lr = rng.integers(256, size=(150, 21, 3), dtype=np.uint8)
    ref = rng.integers(256, size=(203, 46, 3), dtype=np.uint8)
    whole = upscaler.encode_reference(ref)
    found = upscaler.upscale_with_attention(lr, whole)
    monkeypatch.setattr(encoding, "in_bands", functools.partial(in_bands, most=1))
    monkeypatch.setattr(tiles, "cut", lambda _, size, *__, **___: tiles.grid(size, 33))
    banded = upscaler.encode_reference(ref)
    for x, y in zip((whole.key, *whole.value), (banded.key, *banded.value), strict=True):
        np.testing.assert_allclose(y, x, atol=1e-4 * np.abs(x).max())
    parts = upscaler.upscale_with_attention(lr, ref)
    assert np.mean(parts["index"] == found["index"]) > 0.999
    assert np.abs(np.int32(parts["sr"]) - found["sr"]).max() <= 1
