"""Sizes of pictures, as benchmarks are given them."""

import re

from ttsr_tf.errors import InputError


def parsed(name, text):
    """(height, width) of "HxW", pixels.

    Args:
        name: the flag's.
        text: its value.

    Raises:
        InputError: it is something else.
    """
    if not re.fullmatch(r"[1-9]\d*x[1-9]\d*", text):
        raise InputError(f"`{name}`: {text!r} must be HxW in pixels, such as 125x83.")
    height, width = map(int, text.split("x"))
    return height, width
