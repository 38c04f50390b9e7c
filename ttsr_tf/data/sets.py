"""What a set of pictures is, whatever it is read from."""

import io
from collections.abc import Callable
from typing import NamedTuple

from ttsr_tf.images import files

CUFED5 = "CUFED5"
LEVELS = 5  # references of its pictures


class Stored(NamedTuple):
    """A picture that isn't read yet.

    Attributes:
        name: what tables and errors call it.
        file: its path; or a function that gives the bytes of such a file.
    """

    name: str
    file: str | Callable[[], bytes]

    def read(self):
        """The picture, turned upright: uint8 [H, W, 3].

        Raises:
            InputError: it is missing or damaged; a file is named by its path.
        """
        return files.read(*self._opened()).rgb

    def size(self):
        """(height, width) in pixels as its header has it; errors as of `read`."""
        header = files.header(*self._opened())
        return header.height, header.width

    def _opened(self):
        if isinstance(self.file, str):
            return (self.file,)
        return io.BytesIO(self.file()), self.name


class Case(NamedTuple):
    """One picture of a set, with what belongs to it.

    Attributes:
        name: unlike all others of the set.
        hr: the truth, a `Stored`.
        refs: its references in order, a tuple of `Stored`; empty if the set has none.
        lr: `Stored`, or None where it is to be made from `hr`.
    """

    name: str
    hr: Stored
    refs: tuple = ()
    lr: Stored | None = None


class Outline(NamedTuple):
    """What is known of a test set before its pictures are opened.

    Attributes:
        name: for people: the data set, its layout and where it is.
        count: how many pictures are to be enlarged.
        num_refs: references that each of them has at least.
        lr_given: whether LR come with them.
        published_as: the paper's name of it; None if the paper doesn't have it.
    """

    name: str
    count: int
    num_refs: int
    lr_given: bool = False
    published_as: str | None = None


class PictureSet(NamedTuple):
    """A test set.

    Attributes:
        name, published_as: as of `Outline`.
        cases: list of `Case`, by name; not empty.
    """

    name: str
    cases: list
    published_as: str | None = None

    @property
    def outline(self):
        """Its `Outline`."""
        return Outline(
            self.name,
            len(self.cases),
            min(len(case.refs) for case in self.cases),
            self.cases[0].lr is not None,
            self.published_as,
        )
