"""References as a network searches them: encoded once, and known again later."""

import os
from collections.abc import Iterable
from typing import NamedTuple

import PIL.Image

from ttsr_tf.errors import InputError
from ttsr_tf.images import given, resizing


class Reference(NamedTuple):
    """A reference as the network searches it.

    Attributes:
        key: float32 [1, h // 4, w // 4, C]; a tensor, or an array if LiteRT computes.
        value: a tuple of float32 [1, s·h // 4, s·w // 4, …], s = 1, 2, 4, likewise.
        weights: what tells apart the weights that made it.
    """

    key: object
    value: tuple
    weights: tuple


class Encoder:
    """Makes a `Reference` of a picture.

    Args:
        engine: an `engines.Engine`.
        smallest: pixels that a reference must have each way.
    """

    def __init__(self, engine, smallest):
        self._engine, self._smallest = engine, smallest

    def encode(self, ref):
        """A `Reference` of a picture; arguments and errors as of `Upscaler.encode_reference`."""
        ref = given.rgb("ref", ref, self._smallest)
        if ref.ndim == 4:
            raise InputError("`ref` is a batch. Give one picture, or a list of them to `upscale`.")
        height, width = (n // 4 * 4 for n in ref.shape[:2])
        ref = ref[None, :height, :width]
        return Reference(*self._engine.encode(ref, resizing.blurred(ref)), self._engine.weights)

    def all_of(self, references):
        """A new list of `Reference` of one picture or `Reference`, or of several.

        Raises:
            InputError: none, pictures that can't be used, references that other weights encoded.
        """
        weights = self._engine.weights
        found = [self._encoded(one, weights) for one in _several(references)]
        if not found:
            raise InputError("`references` is empty. Give one, or None for the picture itself.")
        return found

    def _encoded(self, reference, weights):
        if not isinstance(reference, Reference):
            return self.encode(reference)
        if reference.weights != weights:
            raise InputError(
                "`references`: one was encoded by another network, or before the weights changed. "
                "Give what `encode_reference` of this one makes now."
            )
        return reference


def _several(references):
    """A list of what can be iterated over; of one reference, too."""
    one = isinstance(references, (Reference, str, os.PathLike, PIL.Image.Image))
    if one or hasattr(references, "shape") or not isinstance(references, Iterable):
        return [references]
    return list(references)
