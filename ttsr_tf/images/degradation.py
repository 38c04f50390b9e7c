"""What a camera and its file do to a picture, beside its having less pixels.

hr ─ blur ─► (bicubic ÷4: `inputs.degraded`) ─ noise ─ JPEG ─► lr

A blur, noise and JPEG as in the first of the two orders of Real-ESRGAN (Wang et al., 2021), with
its ranges, without its other kernels, its Poisson noise and its random sizes. Everything follows
from a seed, so the same picture comes each time.
"""

import io

import numpy as np
import PIL.Image

BICUBIC, REALISTIC = "bicubic", "realistic"
KINDS = (BICUBIC, REALISTIC)

SIGMAS = 0.2, 3.0  # of the blur along each of its two axes, HR pixels
NOISE = 1.0, 30.0  # standard deviation, levels of 255
GREY_NOISE = 0.4  # how often all channels get the same noise
QUALITIES = 30, 95  # of the JPEG

IN_WORDS = (
    f"blur σ {SIGMAS[0]:g}–{SIGMAS[1]:g} HR pixels, bicubic ÷4, noise σ {NOISE[0]:g}–{NOISE[1]:g} "
    f"levels, JPEG {QUALITIES[0]}–{QUALITIES[1]}"
)

_RADIUS = 10  # HR pixels of the kernel on each side


def blurred(hr, seed):
    """A picture through a lens: Gaussian, of another width along each of two axes.

    Args:
        hr: uint8 [H, W, 3]; mirrored beyond its edges.
        seed: ints.

    Returns:
        uint8 [H, W, 3].
    """
    rng = _generator(seed, 1)
    kernel = gaussian(rng.uniform(*SIGMAS, 2), rng.uniform(0, np.pi))
    padded = np.pad(np.float64(hr), [(_RADIUS, _RADIUS)] * 2 + [(0, 0)], "symmetric")
    size = padded.shape[:2]
    spectrum = np.fft.rfft2(kernel, size)
    # One channel after the other: a photograph's spectra take sixteen bytes a pixel.
    channels = [
        np.fft.irfft2(spectrum * np.fft.rfft2(channel, size), size)
        for channel in np.moveaxis(padded, -1, 0)
    ]
    # What wrapped around are the first rows and columns.
    return _levels(np.stack(channels, -1)[2 * _RADIUS :, 2 * _RADIUS :])


def gaussian(sigmas, angle):
    """A kernel of sum 1.

    Args:
        sigmas: two standard deviations, pixels.
        angle: of the first one's axis, radians from x to y.

    Returns:
        float64 [21, 21].
    """
    y, x = np.mgrid[-_RADIUS : _RADIUS + 1, -_RADIUS : _RADIUS + 1]
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    weights = np.exp(-((along / sigmas[0]) ** 2 + (across / sigmas[1]) ** 2) / 2)
    return weights / weights.sum()


def recorded(lr, seed):
    """A picture as a sensor has it, and a JPEG file of that.

    Args:
        lr: uint8 [H, W, 3].
        seed: ints.

    Returns:
        uint8 [H, W, 3].
    """
    rng = _generator(seed, 2)
    grey = rng.random() < GREY_NOISE
    sigma, quality = rng.uniform(*NOISE), int(rng.integers(QUALITIES[0], QUALITIES[1] + 1))
    noise = rng.normal(0, sigma, (*lr.shape[:2], 1 if grey else 3))
    with io.BytesIO() as file:
        PIL.Image.fromarray(_levels(lr + noise)).save(file, "JPEG", quality=quality)
        return np.asarray(PIL.Image.open(file))


def _generator(seed, stage):
    # Apart from what else is drawn from a seed and the example's number.
    return np.random.default_rng([*map(int, seed), 0, stage])


def _levels(picture):
    return np.uint8(np.rint(np.clip(picture, 0, 255)))
