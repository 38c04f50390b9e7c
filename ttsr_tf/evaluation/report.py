"""report.html: one file with its pictures inside, which asks nothing of a network."""

import base64
import io
import pathlib
from typing import NamedTuple

import jinja2
import numpy as np
import PIL.Image

from ttsr_tf.files import written_aside

LONGEST = 800  # pixels: side of a picture on the page; larger ones are reduced

_TEMPLATE = pathlib.Path(__file__).with_name("report.html.jinja")


class Figure(NamedTuple):
    """A picture on the page.

    Attributes:
        label: what stands under it.
        source: the picture's file as a data URI.
        width, height: as it is shown, pixels.
        sharp: whether its pixels are shown as squares where it is enlarged.
        box: what is marked in it: left, top, width and height in parts of 1; or None.
    """

    label: str
    source: str
    width: int
    height: int
    sharp: bool = False
    box: tuple | None = None


class Section(NamedTuple):
    """One enlarged picture.

    Attributes:
        heading: text.
        inset_size: side of the insets, pixels.
        insets, figures: lists of `Figure`.
    """

    heading: str
    inset_size: int
    insets: list
    figures: list


class Report(NamedTuple):
    """All that is on the page.

    Attributes:
        table: of the scores, a list of rows of str; the first is the header.
        notes: list of sentences that belong to the table.
        protocol: dict; its `data_set` is the page's title.
        choices: list of `Choice`.
        failed: list of (picture, name of the choice, reason).
        sections: list of `Section`.
        warps: a `warps.Warps`; None if no reference was warped.
    """

    table: list
    notes: list
    protocol: dict
    choices: list
    failed: list
    sections: list
    warps: object = None


def photograph(label, picture, box=None):
    """A `Figure` of a photograph: JPEG, with the colours of every pixel.

    Args:
        label: text.
        picture: uint8 [H, W, 3].
        box: as of `Figure`.
    """
    image = _reduced(picture, PIL.Image.Resampling.LANCZOS)
    source = _data_uri(image, "jpeg", quality=90, subsampling=0)
    return Figure(label, source, image.width, image.height, box=box)


def pixels(label, picture, *, scale=1):
    """A `Figure` of which every pixel can be seen: PNG.

    Args:
        label: text.
        picture: uint8 [H, W, 3].
        scale: how many times as large it is shown.
    """
    image = _reduced(picture, PIL.Image.Resampling.NEAREST)
    source = _data_uri(image, "png", optimize=True)
    return Figure(label, source, scale * image.width, scale * image.height, sharp=True)


def write(path, report):
    """Writes the page.

    Args:
        path: file name.
        report: a `Report`.

    Raises:
        InputError: the file can't be written.
    """
    # Names of files come into the page: all text is escaped.
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(_TEMPLATE.read_text("utf-8")).render(report._asdict())
    with written_aside(path) as aside:
        pathlib.Path(aside).write_text(page, "utf-8")


def _reduced(picture, resampling):
    image = PIL.Image.fromarray(np.asarray(picture))
    image.thumbnail((LONGEST, LONGEST), resampling)
    return image


def _data_uri(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
