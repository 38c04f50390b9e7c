"""How equal a served picture is to the upscaler's, whose graph TensorFlow optimises by itself."""

import numpy as np

from ttsr_tf import compat, devices


def assert_served(given, expected):
    """They are equal; but for a few values' rounding where TensorFlow 2.15 has oneDNN's kernels
    without AVX-512: it fuses a sum into a convolution, where sizes are known outside of loops.
    """
    given, expected = np.asarray(given), np.asarray(expected)
    rounded_otherwise = (
        compat.GENERATION == "Keras 2" and devices.has_slow_convolution_of_one_picture()
    )
    if rounded_otherwise and given.shape == expected.shape:
        apart = np.abs(np.subtract(given, expected, dtype=np.int16))
        assert apart.max() <= 1
        assert np.mean(apart > 0) <= 1e-3
    else:
        np.testing.assert_array_equal(given, expected)
