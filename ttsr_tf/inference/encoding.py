"""References as a network searches them: encoded once, and known again later; or when needed."""

import math
import os
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import PIL.Image

from ttsr_tf.errors import InputError
from ttsr_tf.images import given, resizing
from ttsr_tf.inference.bands import MOST, in_bands

_BORDER = 16  # pixels around one on which VGG19's relu3_1 depends: 13, and a multiple of 4
_NONE = np.zeros((1, 4, 4, 3), np.uint8)


class Reference(NamedTuple):
    """A reference as the network searches it.

    Attributes:
        key: float32 [1, h // 4, w // 4, C]; a tensor, or an array if LiteRT computes.
        value: a tuple of float32 [1, s·h // 4, s·w // 4, …], s = 1, 2, 4, likewise; float16 of a
            large reference where LiteRT computes fast.
        weights: what tells apart the weights that made it.
    """

    key: object
    value: tuple
    weights: tuple

    @property
    def size(self):
        """(height, width) in pixels."""
        return tuple(self.value[-1].shape[1:3])


class Picture:
    """A reference of which key and value are made when they are asked for, and kept nowhere.

    Args:
        engine: an `engines.Engine`.
        ref: uint8 [1, h, w, 3], multiples of 4.

    Attributes: those of a `Reference` but `weights`.
    """

    def __init__(self, engine, ref):
        self._engine, self._ref = engine, ref
        self.size = ref.shape[1:3]

    @property
    def key(self):
        (key,) = self._maps(
            lambda x: self._engine.encode(_NONE, x)[:1], resizing.blurred(self._ref)
        )
        return key

    @property
    def value(self):
        halved = self._engine.halves and math.prod(self.size) > MOST

        def encode(x):
            value = self._engine.encode(x, _NONE)[1]
            return tuple(map(np.float16, value)) if halved else value

        return self._maps(encode, self._ref)

    def _maps(self, encode, picture):
        maps = list(in_bands(encode, picture, border=_BORDER))
        # One after the other, since it can be a copy.
        return tuple(self._engine.kept(maps.pop(0)) for _ in range(len(maps)))


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
        return self._encoded(self._picture(ref))

    def encoded(self, references):
        """As `all_of`, but each is a `Reference`."""
        return [
            one if isinstance(one, Reference) else self._encoded(one)
            for one in self.all_of(references)
        ]

    def all_of(self, references):
        """A new list of `Reference` and `Picture`, of one picture or `Reference`, or of several.

        Raises:
            InputError: none, pictures that can't be used, references that other weights encoded.
        """
        weights = self._engine.weights
        found = [self._checked(one, weights) for one in _several(references)]
        if not found:
            raise InputError("`references` is empty. Give one, or None for the picture itself.")
        return found

    def _checked(self, reference, weights):
        if not isinstance(reference, Reference):
            return self._picture(reference)
        if reference.weights != weights:
            raise InputError(
                "`references`: one was encoded by another network, or before the weights changed. "
                "Give what `encode_reference` of this one makes now."
            )
        return reference

    def _encoded(self, picture):
        return Reference(picture.key, picture.value, self._engine.weights)

    def _picture(self, ref):
        ref = given.rgb("ref", ref, self._smallest)
        if ref.ndim == 4:
            raise InputError("`ref` is a batch. Give one picture, or a list of them to `upscale`.")
        height, width = (n // 4 * 4 for n in ref.shape[:2])
        return Picture(self._engine, ref[None, :height, :width])


def _several(references):
    """A list of what can be iterated over; of one reference, too."""
    one = isinstance(references, (Reference, str, os.PathLike, PIL.Image.Image))
    if one or hasattr(references, "shape") or not isinstance(references, Iterable):
        return [references]
    return list(references)
