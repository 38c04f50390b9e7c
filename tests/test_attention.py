import numpy as np

from ttsr_tf.images import attention

YELLOW = 255, 230, 0


def test_confidence_overlay(rng):
    sr = rng.integers(256, size=(12, 20, 3), dtype=np.uint8)
    confidence = rng.uniform(0.3, 1.2, (3, 5)).astype(np.float32)
    confidence[0, :2] = 0.2, 1
    shown = attention.confidence_overlay(sr, confidence)
    assert shown.dtype == np.uint8
    for row in range(12):
        for column in range(20):
            share = min(max((confidence[row // 4, column // 4] - 0.77) / 0.23, 0), 1)
            tint = np.array([230 * (1 - share), 120 * (1 - share) + 90 * share, 220 * share])
            expected = (sr[row, column].mean() + tint) / 2
            # Rounded once, from float32's and not from these numbers.
            np.testing.assert_allclose(shown[row, column], expected, rtol=0, atol=0.5001)


def test_a_useless_reference_looks_useless():
    """0.83, 0.77, 0.53 and 0.48 are mean confidences of the same place, others, noise and grey."""
    found = [attention.similarity(np.float32(mean)) for mean in (1.0, 0.83, 0.77, 0.53, 0.48)]
    np.testing.assert_allclose(found, [1, 0.26, 0, 0, 0], atol=0.005)


def test_source():
    index = np.arange(12).reshape(3, 4) * 2
    # A reference of 31 columns has a grid of 7.
    for row in range(3):
        for column in range(4):
            found = attention.source(index, (row, column), 31)
            assert found[0] * 7 + found[1] == index[row, column] and found[1] < 7


def test_marked(rng):
    picture = rng.integers(1, 200, size=(120, 160, 3), dtype=np.uint8)
    before = picture.copy()
    marked = attention.marked(picture, (14, 20))
    np.testing.assert_array_equal(picture, before)
    yellow = (marked == YELLOW).all(-1)
    # The patch of 3×3 positions around (14, 20), outlined from within.
    box = yellow[52:64, 76:88]
    assert box[0].all() and box[-1].all() and box[:, 0].all() and box[:, -1].all()
    np.testing.assert_array_equal(marked[53:63, 77:87], picture[53:63, 77:87])
    # A ring of radius 18 around its centre at (58, 82); outside everything is as it was.
    y, x = np.nonzero(yellow)
    radius = np.hypot(y + 0.5 - 58, x + 0.5 - 82)
    assert radius.max() < 19
    assert ((radius > 16) & (radius < 19)).sum() > 80
    changed = (marked != picture).any(-1)
    y, x = np.indices(changed.shape)
    assert not changed[np.hypot(y + 0.5 - 58, x + 0.5 - 82) > 20.5].any()


def test_marked_at_a_corner(rng):
    picture = rng.integers(1, 200, size=(40, 60, 3), dtype=np.uint8)
    marked = attention.marked(picture, (0, 0))
    # What is within: of a box from -4 to 7.
    assert (marked[7, :8] == YELLOW).all() and (marked[:8, 7] == YELLOW).all()
    np.testing.assert_array_equal(marked[:7, :7], picture[:7, :7])


def test_marked_in_a_large_picture():
    large = np.full((1000, 1500, 3), 9, np.uint8)
    y, x = np.nonzero((attention.marked(large, (100, 200)) == YELLOW).all(-1))
    # Seen as wide as a phone, a quarter, the ring is still 30 pixels across.
    assert 115 <= np.ptp(x) <= 125 and 115 <= np.ptp(y) <= 125
