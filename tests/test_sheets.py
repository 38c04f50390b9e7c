import numpy as np

from ttsr_tf.images import sheets


def test_comparison(rng):
    hr, bicubic, sr = rng.integers(256, size=(3, 24, 32, 3), dtype=np.uint8)
    refs = [np.full((20 + i, 40, 3), 40 * i, np.uint8) for i in range(5)]
    confidence = rng.uniform(0, 1, (6, 8)).astype(np.float32)
    enlarged = [("bicubic", bicubic), ("result", sr)]
    panels = dict(
        sheets.comparison_panels(hr[::4, ::4], refs, enlarged, hr=hr, confidence=confidence)
    )
    assert list(panels)[:6] == [
        "LR",
        "5 references",
        "bicubic",
        "result",
        "truth",
        "difference, 4 times",
    ]
    difference = 4 * np.abs(np.float64(sr) - hr)
    np.testing.assert_array_equal(panels["difference, 4 times"], np.minimum(difference, 255))
    grid = panels["5 references"]
    assert grid.shape == (24, 32, 3)
    # Three columns of 10 pixels, two rows of 12, each picture at the top left of its place.
    assert [int(grid[y, x, 0]) for y in (1, 13) for x in (1, 11, 21)] == [0, 40, 80, 120, 160, 255]
    shown = panels[f"confidence, mean {confidence.mean():.2f}"]
    np.testing.assert_array_equal(shown[::4, ::4, 1], np.uint8(np.rint(255 * confidence)))
    alone = sheets.comparison_panels(hr[::4, ::4], refs[:1], enlarged, hr=hr, confidence=confidence)
    assert alone[1][0] == "reference"
