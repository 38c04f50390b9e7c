"""Blur, noise and JPEG, recomputed from their formulas."""

import io

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from ttsr_tf.images import bicubic, degradation, inputs

SEED = 3, 2**32 - 1


@pytest.fixture
def hr(rng):
    return rng.integers(256, size=(36, 52, 3), dtype=np.uint8)


def test_the_kernel_is_a_turned_gaussian():
    kernel = degradation.gaussian((3.0, 1.0), np.radians(30))
    y, x = np.mgrid[-10:11, -10:11]
    assert kernel.shape == (21, 21)
    np.testing.assert_allclose(kernel.sum(), 1)
    # Its second moments: R diag(σ²) Rᵀ, but for what lies beyond 10 = 3.3 σ.
    moments = [[(kernel * a * b).sum() for b in (x, y)] for a in (x, y)]
    cos, sin = np.cos(np.radians(30)), np.sin(np.radians(30))
    turn = np.array([[cos, -sin], [sin, cos]])
    np.testing.assert_allclose(moments, turn @ np.diag([9, 1]) @ turn.T, atol=0.15)


def test_a_blur_is_the_sum_over_the_kernel(hr):
    rng = np.random.default_rng([*SEED, 0, 1])
    kernel = degradation.gaussian(rng.uniform(0.2, 3, 2), rng.uniform(0, np.pi))
    padded = np.pad(np.float64(hr), [(10, 10), (10, 10), (0, 0)], "symmetric")
    expected = sum(
        kernel[i, j] * padded[i : i + 36, j : j + 52] for i in range(21) for j in range(21)
    )
    made = degradation.blurred(hr, SEED)
    assert made.dtype == np.uint8
    np.testing.assert_allclose(made, expected, rtol=0, atol=0.5 + 1e-9)  # rounded
    assert made.std() < hr.std() / 1.2


def test_noise_and_jpeg(hr):
    grey, coloured = 0, 0
    for number in range(12):
        rng = np.random.default_rng([5, number, 0, 2])
        alike = rng.random() < 0.4
        grey, coloured = grey + alike, coloured + (not alike)
        sigma, quality = rng.uniform(1, 30), rng.integers(30, 96)
        noise = rng.normal(0, sigma, (36, 52, 1 if alike else 3))
        noisy = np.uint8(np.rint(np.clip(hr + noise, 0, 255)))
        file = io.BytesIO()
        PIL.Image.fromarray(noisy).save(file, "JPEG", quality=int(quality))
        np.testing.assert_array_equal(degradation.recorded(hr, (5, number)), PIL.Image.open(file))
    assert grey and coloured


def test_a_degraded_picture_in_a_graph_too(hr):
    blurred = PIL.Image.fromarray(degradation.blurred(hr, SEED))
    small = np.asarray(blurred.resize((13, 9), PIL.Image.Resampling.BICUBIC))
    expected = degradation.recorded(small, SEED)
    np.testing.assert_array_equal(inputs.degraded(hr, "realistic", SEED), expected)
    np.testing.assert_array_equal(inputs.degraded(hr, "bicubic", SEED), bicubic.downscale(hr))

    @tf.function(
        input_signature=[tf.TensorSpec([36, 52, 3], tf.uint8), tf.TensorSpec([2], tf.int64)]
    )
    def traced(hr, seed):
        return inputs.degraded(hr, "realistic", seed)

    np.testing.assert_array_equal(traced(hr, np.int64(SEED)), expected)


def test_only_the_seed_decides(hr):
    made = {degradation.recorded(degradation.blurred(hr, s), s).tobytes() for s in ((1, 2), (2, 1))}
    assert len(made) == 2
    assert degradation.blurred(hr, (1, 2)).tobytes() == degradation.blurred(hr, (1, 2)).tobytes()
