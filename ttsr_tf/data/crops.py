"""Crops of a photograph that hold something to learn, each with a reference."""

import io
from typing import NamedTuple

import numpy as np
import PIL.Image

from ttsr_tf.data import sample

SIZE = 256  # side of a crop, pixels
LONG_SIDE = 2400  # of a reduced photograph, pixels, at most
REDUCED_BY = 2  # at least: cameras interpolate colours, so that only then pixels are sharp
SCALES = 1, 0.7, 0.5  # crops are taken from the reduced photograph, and from smaller ones yet
TEXTURE = 3.0, 1.5  # that a crop must have, see `texture`
_PARTS = 4  # the second is judged in 4 × 4 parts of a crop

NEAR, FAR, WRONG, GREY = "near", "far", "wrong", "grey"
# The others are there so that a bad reference does no harm.
SHARES = {NEAR: 0.70, FAR: 0.12, WRONG: 0.12, GREY: 0.06}
_GREY_LEVEL = 128
# So much of the near ones come once more, with the crop itself: here textures belong where they
# are found, so that it pays to use them, which is learnt slowly from the others.
SAME, SAME_SHARE = "same", 0.5
_MOVED = 8  # pixels, at most


class Pair(NamedTuple):
    """A crop and its reference.

    Attributes:
        kind: "near": the same place, warped and relit; "far": another place of the photograph,
            relit; "grey": flat; "wrong": whoever has other photographs has to choose; "same": the
            pair before once more, with its own crop, moved and relit.
        hr: uint8 [256, 256, 3].
        ref: uint8 [256, 256, 3]; None for "wrong".
    """

    kind: str
    hr: np.ndarray
    ref: np.ndarray | None


def pairs(photograph, rng):
    """Pairs from crops of one photograph that don't overlap, but where it was made smaller again.

    Args:
        photograph: uint8 [H, W, 3], from 512 × 512; without texture, or smaller, it gives none.
        rng: NumPy's generator; it alone decides on places, kinds and looks.

    Yields:
        `Pair`s.
    """
    whole, own_rng = PIL.Image.fromarray(photograph), rng.spawn(1)[0]
    largest = min(LONG_SIDE, max(whole.size) / REDUCED_BY)
    for scale in SCALES:
        factor = scale * largest / max(whole.size)
        small, double = (_resized(whole, factor * twice) for twice in (1, 2))
        places = textured(small, rng)
        for place in places:
            kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
            if kind == FAR and len(places) < 2:
                kind = WRONG
            ref = None
            if kind == NEAR:
                corners = near(place, small.shape[:2], rng)
                ref = photographed_anew(seen_from(double, 2 * corners), rng)
            elif kind == FAR:
                others = [other for other in places if other != place]
                ref = photographed_anew(_crop(small, *rng.choice(others)) / 255, rng)
            elif kind == GREY:
                ref = np.full((SIZE, SIZE, 3), _GREY_LEVEL, np.uint8)
            hr = _crop(small, *place)
            yield Pair(kind, hr, ref)
            if kind == NEAR and own_rng.random() < SAME_SHARE:
                yield Pair(SAME, hr, photographed_anew(moved(hr, own_rng) / 255, own_rng))


def textured(photograph, rng):
    """Where crops begin, on a grid, that aren't flat.

    Args:
        photograph: uint8 [H, W, 3].
        rng: NumPy's generator, of where the grid begins.

    Returns:
        A list of (row, column), pixels.
    """
    room = np.subtract(photograph.shape[:2], SIZE)
    if room.min() < 0:
        return []
    first = rng.integers(room % SIZE + 1)
    places = [
        (int(row), int(column))
        for row in range(first[0], room[0] + 1, SIZE)
        for column in range(first[1], room[1] + 1, SIZE)
    ]
    return [
        place
        for place in places
        if np.all(np.greater_equal(texture(_crop(photograph, *place)), TEXTURE))
    ]


def texture(picture):
    """What is lost if a picture becomes smaller by four: what super-resolution has to learn.

    A gradient's energy would take the edges of what is out of focus for texture. There must be
    enough of it in all, more than noise; and in half of the crop, since one sharp edge beside a
    clear sky is soon learnt.

    Args:
        picture: uint8 [256, 256, 3].

    Returns:
        The root mean square of its brightness less that of the picture made smaller and larger
        again, bicubically, and the median of that of 4 × 4 parts; grey levels, 0 to 255.
    """
    whole = PIL.Image.fromarray(picture).convert("L")
    small = whole.resize([SIZE // 4, SIZE // 4], PIL.Image.Resampling.BICUBIC)
    blurred = small.resize([SIZE, SIZE], PIL.Image.Resampling.BICUBIC)
    lost = np.asarray(whole, np.float32) - np.asarray(blurred, np.float32)
    parts = np.reshape(lost**2, (_PARTS, SIZE // _PARTS, _PARTS, SIZE // _PARTS))
    return np.sqrt(np.mean(parts)), np.median(np.sqrt(np.mean(parts, (1, 3))))


def near(place, shape, rng):
    """A quadrangle that another camera might see of a crop's place.

    It is turned by up to 10 degrees, 0.8 to 1.25 times as wide, shifted by up to a quarter of a
    crop and each corner by another twentieth for the perspective; then moved into the photograph
    as far as it fits.

    Args:
        place: (row, column) where the crop begins, pixels.
        shape: the photograph's (height, width), pixels.
        rng: NumPy's generator.

    Returns:
        Its corners, [4, 2] as x, y, in the order of `sample.square`.
    """
    angle = np.radians(rng.uniform(-10, 10))
    scale = np.exp(rng.uniform(np.log(0.8), np.log(1.25)))
    cos, sin = np.cos(angle), np.sin(angle)
    centre = np.add(place[::-1], SIZE / 2) + rng.uniform(-SIZE / 4, SIZE / 4, 2)
    corners = scale * (sample.square(SIZE) - SIZE / 2) @ np.array([[cos, -sin], [sin, cos]])
    corners += centre + rng.uniform(-SIZE / 20, SIZE / 20, (4, 2))
    corners -= np.maximum(corners.max(0) - shape[::-1], 0)
    return corners - np.minimum(corners.min(0), 0)


def moved(picture, rng):
    """A picture moved by up to 8 whole pixels each way, mirrored at its edges."""
    large = np.pad(picture, [(_MOVED, _MOVED), (_MOVED, _MOVED), (0, 0)], "reflect")
    return _crop(large, *rng.integers(2 * _MOVED + 1, size=2))


def seen_from(photograph, corners):
    """What a quadrangle shows, as a crop: interpolated at twice its size, so that it stays sharp.

    Args:
        photograph: uint8 [H, W, 3].
        corners: [4, 2] as x, y, pixels; about 512 pixels apart.

    Returns:
        float64 [256, 256, 3], 0 to 1.
    """
    first = np.maximum(np.floor(corners.min(0)).astype(int) - 4, 0)
    last = np.ceil(corners.max(0)).astype(int) + 4
    part = photograph[first[1] : last[1], first[0] : last[0]]  # the rest would only cost time
    large = np.clip(sample.warped(part, corners - first, 2 * SIZE), 0, 1)
    return _resized(PIL.Image.fromarray(np.uint8(np.rint(255 * large))), 1 / 2) / 255


def photographed_anew(picture, rng):
    """A picture in another light, with a camera's colours, noise and file.

    Gain 0.8 to 1.2, for each colour another 0.95 to 1.05; gamma 0.85 to 1.18; noise of up to 3 grey
    levels; every second one a JPEG of quality 75 to 95.

    Args:
        picture: float [H, W, 3], 0 to 1.
        rng: NumPy's generator.

    Returns:
        uint8 [H, W, 3].
    """
    gain = rng.uniform(0.8, 1.2) * rng.uniform(0.95, 1.05, 3)
    gamma = np.exp(rng.uniform(np.log(0.85), np.log(1.18)))
    noise = rng.normal(0, rng.uniform(0, 3) / 255, picture.shape)
    picture = sample.relit(picture, gain=gain, offset=noise, gamma=gamma)
    if rng.random() < 0.5:
        file = io.BytesIO()
        PIL.Image.fromarray(picture).save(file, "JPEG", quality=int(rng.integers(75, 96)))
        picture = np.asarray(PIL.Image.open(file))
    return picture


def _resized(image, factor):
    size = [round(factor * side) for side in image.size]
    return np.asarray(image.resize(size, PIL.Image.Resampling.LANCZOS))


def _crop(picture, row, column):
    return picture[row : row + SIZE, column : column + SIZE]
