"""What a picture's numbers mean: colour profiles, floating point."""

import io

import numpy as np
import PIL.Image
import PIL.ImageCms

from ttsr_tf.errors import InputError

_SRGB = PIL.ImageCms.createProfile("sRGB")
_LEVELS = np.arange(0, 256, 15, np.uint8)
_PROBES = np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS), -1).reshape(len(_LEVELS), -1, 3)


def to_srgb(image):
    """The colours of a picture with an ICC profile as sRGB has them; others as they are.

    Every result is written without a profile, which means sRGB.

    Args:
        image: Pillow's picture; its transparency gets lost where colours are converted.
    """
    try:
        profile = PIL.ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        plain = image if image.mode in ("L", "RGB", "CMYK", "LAB") else image.convert("RGB")
        if plain.mode == "RGB":
            probes = PIL.Image.fromarray(_PROBES)
            change = np.int16(_converted(probes, profile)) - _PROBES
            if abs(change).max() <= 1:  # sRGB in other words: not a bit of it shall change
                return image
        return _converted(plain, profile)
    except (KeyError, OSError, PIL.ImageCms.PyCMSError):  # none, or one that is of no use
        return image


def _converted(image, profile):
    return PIL.ImageCms.profileToProfile(image, profile, _SRGB, outputMode="RGB")


def from_float(image, name):
    """A picture of one channel of floating point numbers in [0, 1] as uint8.

    Raises:
        InputError: numbers beyond, calling the picture `name`.
    """
    values = np.asarray(image)
    if not (values.min() >= 0 and values.max() <= 1):  # nor is a NaN
        raise InputError(
            f"{name} has floating point values from {values.min():.4g} to {values.max():.4g}; they "
            "must be in [0, 1]. Save it with 8 or 16 bits."
        )
    return PIL.Image.fromarray(np.uint8(np.rint(255 * values)))
