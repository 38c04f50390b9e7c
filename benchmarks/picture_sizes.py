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


def pair(config):
    """Those of a configuration's `lr` and `ref`."""
    return [parsed(name, getattr(config, name)) for name in ("lr", "ref")]


def case(text):
    """Those of a case, LR[:REFERENCE…]."""
    return [parsed("cases", size) for size in text.split(":")]
