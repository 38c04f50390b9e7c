import itertools

import numpy as np

from ttsr_tf.evaluation import comparison


def test_the_inset_is_where_bicubic_is_farthest_from_the_truth(rng):
    hr, plain = rng.integers(256, size=(2, 23, 31, 3), dtype=np.uint8)
    error = ((np.float64(hr) - plain) ** 2).sum(-1)
    sums = {
        (y, x): error[y : y + 8, x : x + 8].sum()
        for y, x in itertools.product(range(23 - 8 + 1), range(31 - 8 + 1))
    }
    assert comparison.hardest(hr, plain, 8) == max(sums, key=sums.get)
    assert comparison.hardest(hr, plain, 23)[0] == 0
    plain[-8:, -8:] = 255 - hr[-8:, -8:] // 128 * 255  # as wrong as can be, in the last corner
    assert comparison.hardest(hr, plain, 8) == (23 - 8, 31 - 8)
