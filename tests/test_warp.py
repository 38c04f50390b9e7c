"""A reference from another angle, recomputed."""

import numpy as np
import pytest

from ttsr_tf.errors import InputError
from ttsr_tf.images import warp


def test_points_are_turned_and_sheared():
    # Degrees 40: sheared by 20, then turned by 40.
    cos, sin, tan = np.cos(np.radians(40)), np.sin(np.radians(40)), np.tan(np.radians(20))
    np.testing.assert_allclose(warp.matrix(40) @ [1, 0], [cos, sin])
    np.testing.assert_allclose(warp.matrix(40) @ [0, 1], [cos * tan - sin, sin * tan + cos])


@pytest.mark.parametrize("angle", [0, 5, 20, 40, 90])
@pytest.mark.parametrize("size", [(300, 200), (90, 400)])
def test_the_rectangle_is_the_largest(angle, size):
    back = np.linalg.inv(warp.matrix(angle))
    found = warp.inner_rectangle(back, size)

    def height_of(width):
        """The largest for a width: every corner within the picture."""
        left = np.float64(size) - np.abs(back[:, 0]) * width
        slope = np.abs(back[:, 1])
        if left.min() < -1e-6:
            return 0
        return min(room / s for room, s in zip(left, slope, strict=True) if s > 1e-9)

    areas = [width * height_of(width) for width in np.linspace(1, 500, 5000)]
    np.testing.assert_allclose(found[0] * found[1], max(areas), rtol=2e-3)
    assert found[1] <= height_of(found[0]) + 1e-6


def test_what_is_seen_are_the_pictures_points():
    """Waves so long that interpolation is exact but for rounding."""

    def waves(x, y):
        return 0.5 + 0.2 * np.stack([np.sin(x / 9), np.sin(y / 11), np.cos((x + y) / 13)], -1)

    y, x = np.mgrid[:160, :240] + 0.5
    picture = np.uint8(np.rint(255 * waves(x, y)))
    made = warp.warped(picture, 20)
    height, width = made.shape[:2]
    assert height % 4 == width % 4 == 0
    v, u = np.mgrid[:height, :width] + 0.5
    u, v = np.moveaxis(
        np.stack([u - width / 2, v - height / 2], -1) @ np.linalg.inv(warp.matrix(20)).T, -1, 0
    )
    expected = 255 * waves(u + 120, v + 80)
    # Lanczos leans on the first pixels at the edges.
    np.testing.assert_allclose(made, expected, rtol=0, atol=3)
    assert np.abs(made - picture[:height, :width].astype(float)).mean() > 20


def test_nothing_from_beyond_the_picture():
    white = np.full((61, 83, 3), 255, np.uint8)
    for angle in (5, 20, 40, 75, 90):
        assert warp.warped(white, angle).min() == 255


def test_a_picture_of_which_too_little_is_left():
    with pytest.raises(
        InputError, match=r"Of a reference of 60×16 pixels \d+×8 are left at 40 deg"
    ):
        warp.warped(np.zeros([16, 60, 3], np.uint8), 40)
