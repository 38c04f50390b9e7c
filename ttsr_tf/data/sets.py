"""What a test set is, whatever it was read from."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

CUFED5 = "CUFED5"
LEVELS = 5  # references of its pictures


class Stored(NamedTuple):
    """A picture that isn't read yet: its `name`, and `read()`, which gives uint8 [H, W, 3]."""

    name: str
    read: Callable[[], np.ndarray]


class Case(NamedTuple):
    """One picture of a test set.

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


class PictureSet(NamedTuple):
    """A test set.

    Attributes:
        name: for people: the data set, its layout and where it is.
        cases: list of `Case`, by name.
        published_as: the paper's name of it; None if the paper doesn't have it.
    """

    name: str
    cases: list
    published_as: str | None = None
