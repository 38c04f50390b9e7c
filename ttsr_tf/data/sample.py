"""The embedded sample: pairs made from photographs that scikit-image carries.

Training pairs are crops of single photographs; their reference is the same place under a random
homography and a mild photometric change. The pairs to validate on are crops of a stereo pair: two
real photographs of one scene. What is shown is that pair, and a photograph that isn't trained on.
"""

import importlib.util

import numpy as np

from ttsr_tf.errors import InputError

_PHOTOGRAPHS = ("chelsea", "coffee", "rocket")


def training_pairs(count, size, seed):
    """Random pairs.

    Args:
        count: number of pairs.
        size: side of the crops, pixels.
        seed: int.

    Returns:
        hr, ref: two uint8 arrays [count, size, size, 3].

    Raises:
        InputError: scikit-image is not installed, or the photographs are smaller than `size`.
    """
    data = _skimage_data()
    photographs = [getattr(data, name)() for name in _PHOTOGRAPHS]
    smallest = min(min(photograph.shape[:2]) for photograph in photographs)
    if size > smallest:
        raise InputError(f"The sample's photographs have {smallest} rows: no crops of {size}.")
    rng = np.random.default_rng(seed)
    pairs = [_pair(photographs[i % len(photographs)], size, rng) for i in range(count)]
    return tuple(np.stack(pictures) for pictures in zip(*pairs, strict=True))


def validation_pairs(size):
    """Eight crops of the right picture of the stereo pair, with the left one's same crops.

    Returns:
        hr, ref: two uint8 arrays [8, size, size, 3].
    """
    ref, hr = stereo_pair()
    corners = [
        (row, column)
        for row in (90, 500 - size)
        for column in np.linspace(0, 741 - size, 4).astype(int)
    ]
    return tuple(
        np.stack([picture[r : r + size, c : c + size] for r, c in corners]) for picture in (hr, ref)
    )


def stereo_pair():
    """The left and the right photograph of a motorcycle: two uint8 arrays [500, 741, 3]."""
    return _skimage_data().stereo_motorcycle()[:2]


def shown_pairs():
    """Two pairs to look at, neither of which is trained on.

    Returns:
        A dict from what the pair is, in words, to hr and ref, two uint8 arrays of which
        hr's sides are multiples of 4: the stereo pair; and a photograph with itself as a reference,
        turned, in perspective and relit.

    Raises:
        InputError: scikit-image is not installed.
    """
    ref, hr = (photograph[:500, :740] for photograph in stereo_pair())
    astronaut = _skimage_data().astronaut()
    corners = np.array([[70, 10], [10, 460], [470, 500], [500, 60]], np.float64)
    turned = relit(warped(astronaut, corners, 448), gain=0.9, offset=0.03, gamma=1.1)
    return {
        "motorcycle from two sides": (hr, ref),
        "astronaut turned and relit": (astronaut, turned),
    }


def check():
    """Raises InputError if scikit-image is not installed."""
    if not importlib.util.find_spec("skimage"):
        raise InputError("The embedded sample needs scikit-image: pip install 'ttsr-tf[sample]'.")


def square(size):
    """The corners of a square of `size` pixels, [4, 2] as x, y; it lies right and below of 0, 0."""
    return np.array([[0, 0], [0, size], [size, size], [size, 0]], np.float64)


def warped(photograph, corners, size):
    """What a quadrangle of a photograph shows, as a square seen from the front.

    Args:
        photograph: uint8 [H, W, 3]; beyond its edges it is mirrored.
        corners: where those of `square(size)` lie in it, [4, 2] as x, y, pixels.
        size: side of the result, pixels.

    Returns:
        float64 [size, size, 3], about 0 to 1: bicubic interpolation may exceed it.
    """
    from skimage.transform import ProjectiveTransform, warp

    homography = ProjectiveTransform.from_estimate(square(size), corners)
    return warp(photograph, homography, output_shape=(size, size), order=3, mode="reflect")


def relit(picture, *, gain, offset, gamma):
    """A picture in another light: gain · picture ** gamma + offset.

    Args:
        picture: float [H, W, 3]; clipped to 0 … 1 first.
        gain, gamma: numbers, or arrays [3] for the colours; above 0.
        offset: the same, or float [H, W, 3]; 1 is from black to white.

    Returns:
        uint8 [H, W, 3].
    """
    picture = np.clip(gain * np.clip(picture, 0, 1) ** gamma + offset, 0, 1)
    return np.uint8(np.rint(255 * picture))


def _skimage_data():
    check()
    from skimage import data

    return data


def _pair(photograph, size, rng):
    height, width = photograph.shape[:2]
    row, column = rng.integers(height - size + 1), rng.integers(width - size + 1)
    photograph = photograph[..., rng.permutation(3)]  # three photographs don't hold all colours
    hr = photograph[row : row + size, column : column + size]
    corners = square(size) + rng.uniform(-0.2, 0.2, (4, 2)) * size + (column, row)
    ref = warped(photograph, corners, size)
    gain, offset, gamma = rng.uniform(0.9, 1.1), rng.uniform(-0.03, 0.03), rng.uniform(0.9, 1.1)
    return hr, relit(ref, gain=gain, offset=offset, gamma=gamma)
