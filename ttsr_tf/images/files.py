"""Pictures: files to uint8 arrays and back."""

import contextlib
import os
from typing import BinaryIO, NamedTuple

import numpy as np
import PIL.Image
import PIL.ImageOps

from ttsr_tf.errors import InputError
from ttsr_tf.files import check_folder, written_aside
from ttsr_tf.images import colour

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
KEEPS_ALPHA = (".png", ".webp", ".tif", ".tiff")
MAX_PIXELS = 100_000_000
_MAX_SIDES = {".webp": 16_383, ".jpg": 65_500, ".jpeg": 65_500}  # of the formats


class Picture(NamedTuple):
    """A picture as read from a file.

    Attributes:
        rgb: uint8 [H, W, 3].
        alpha: uint8 [H, W, 1], or None where the file has no transparency.
        grey: whether the file has no colours.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    grey: bool


class Header(NamedTuple):
    """A picture's size in pixels, and whether it has transparency."""

    height: int
    width: int
    transparent: bool


def is_picture(path):
    """Whether a file's name ends as one of a picture does."""
    return path.lower().endswith(EXTENSIONS)


def listed(path):
    """The pictures of a folder, by name; or `path` itself.

    Raises:
        InputError: a folder without pictures.
    """
    if not os.path.isdir(path):
        return [path]
    names = sorted(filter(is_picture, os.listdir(path)))
    if not names:
        raise InputError(f"{path} holds no pictures ({', '.join(EXTENSIONS)}).")
    return [os.path.join(path, name) for name in names]


def read(file: str | os.PathLike | BinaryIO, name: str | None = None) -> Picture:
    """Reads any picture as sRGB: turned upright by its EXIF tag, palette, 16 bits, floating point
    and colour profiles resolved.

    Args:
        file: its name, or an open binary file.
        name: what errors call it, if not by its name.

    Returns:
        A `Picture`.

    Raises:
        InputError: naming the file, if it is missing, no picture, damaged or over 100 megapixels,
            or of floating point numbers beyond [0, 1].
    """
    with _opened(file, name) as image:
        image.load()
        return of_image(image, name or file)


def of_image(image: PIL.Image.Image, name: str) -> Picture:
    """Pillow's picture as `read` gives that of a file; `name` is what errors call it."""
    image = PIL.ImageOps.exif_transpose(image)
    if image.mode == "F":
        image = colour.from_float(image, name)
    elif image.mode.startswith("I"):  # 16 bits in one channel; Pillow alone would clip at 255
        image = PIL.Image.fromarray(np.uint8(np.clip(np.rint(np.asarray(image) / 257), 0, 255)))
    grey = image.mode in ("1", "L", "LA", "La")
    rgb = np.asarray(colour.to_srgb(image).convert("RGB"))
    alpha = np.asarray(image.convert("RGBA"))[..., 3:] if _transparent(image) else None
    return Picture(rgb, alpha, grey)


def header(file, name=None):
    """What a picture's header tells, without its pixels; arguments and errors as of `read`.

    Returns:
        A `Header`.
    """
    with _opened(file, name) as image:
        return Header(image.height, image.width, _transparent(image))


@contextlib.contextmanager
def _opened(file, name):
    """Pillow's picture; whatever goes wrong with it is one line that names the file."""
    name = name or file
    try:
        with PIL.Image.open(file) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(
                    f"{name} is too large: {image.width}×{image.height}, at most "
                    f"{MAX_PIXELS // 10**6} megapixels. Crop it or make it smaller."
                )
            yield image
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{name} is not a file. Check the path.") from None
    except PIL.UnidentifiedImageError:
        raise InputError(f"{name} is not a picture that can be read. Use PNG or JPEG.") from None
    except PIL.Image.DecompressionBombError:
        raise InputError(f"{name} is too large. Crop it or make it smaller.") from None
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InputError(f"{name} can't be read ({error}). Is the file whole?") from None


def _transparent(image):
    return bool({"A", "a"} & set(image.getbands())) or "transparency" in image.info


def check_output(path, inputs=(), alpha=False, *, size=(0, 0)):
    """Finds what would make writing `path` fail, before the work rather than after it.

    Args:
        path: file name of a picture to be written.
        inputs: file names that must not be overwritten.
        alpha: whether transparency has to be kept.
        size: height and width in pixels, if they are known.

    Raises:
        InputError: unknown extension, a folder that is missing or can't be written to, an input,
            a format that can't hold such a size.
    """
    extension = os.path.splitext(path)[1].lower()
    allowed = KEEPS_ALPHA if alpha else EXTENSIONS
    if extension not in allowed:
        why = " to keep the transparency" if alpha and extension in EXTENSIONS else ""
        raise InputError(f"{path} must end in one of {', '.join(allowed)}{why}.")
    if max(size) > (most := _MAX_SIDES.get(extension, max(size))):
        raise InputError(
            f"{path} would be {size[1]}×{size[0]} pixels, {extension} holds at most {most} a side. "
            "Choose .png."
        )
    check_unused([path], inputs)
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder. Give the name of a file in it.")
    check_folder(os.path.dirname(path) or ".")


def check_unused(outputs, inputs):
    """Raises InputError if one of some files to be written is one of those that are read."""
    read = set(map(os.path.realpath, inputs))
    if used := [path for path in outputs if os.path.realpath(path) in read]:
        raise InputError(
            f"{used[0]} is already used by this command and would be overwritten. Choose another "
            "name."
        )


def write(
    path: str, rgb: np.ndarray, alpha: np.ndarray | None = None, *, grey: bool = False
) -> None:
    """Writes a picture by rename.

    Args:
        path: file name; its extension, one of `EXTENSIONS`, chooses the format.
        rgb: uint8 [H, W, 3].
        alpha: uint8 [H, W, 1], or None.
        grey: whether to write without colours.

    Raises:
        InputError: the file can't be written.
    """
    image = PIL.Image.fromarray(np.asarray(rgb))
    if grey:
        image = image.convert("L")
    if alpha is not None:
        image.putalpha(PIL.Image.fromarray(np.asarray(alpha)[..., 0]))
    with written_aside(path) as aside:
        image.save(aside, quality=95)
