"""The three ways in which a picture is enlarged.

References   for every reference: key; query ─ match, band by band ─► the best of all
             for every tile: textures of every reference where it is the best, added up
                             lr, textures, confidence ─► sr
Itself       the network's own way without a reference
SingleImage  its path that never sees one

Each has `sizes`, (height, width) of the references that are searched; `encoded`, whether they are
in memory from the start; `search`, which is done first, step by step; and `enlarge`, from a tile
with its surroundings, uint8 [1, H, W, 3], and its slices in the picture, to a dict of arrays: `sr`
uint8 [1, 4·H, 4·W, 3]; `source` and `index`, int32 [1, H, W]; `confidence` [1, H, W, 1]. `last`
says that nothing is enlarged after it. What computes is an `engines.Engine`.
"""

import contextlib
import functools
import operator

import numpy as np

from ttsr_tf.errors import InputError
from ttsr_tf.images import resizing
from ttsr_tf.inference import tiles
from ttsr_tf.inference.encoding import Reference

_QUERY_BORDER = 8  # pixels around one on which it depends: bicubic 2, VGG19's relu3_1 4
_MATCH_BORDER = 2  # likewise the match: a patch, and the pixels that align it


def chosen(model, engine, encoder, *, lr, references, alone):
    """The way in which a picture is enlarged.

    Args:
        model, engine, encoder: a network, what computes it and its `Encoder`.
        lr: uint8 [H, W, 3].
        references: what `Encoder.all_of` takes, or None.
        alone: whether the network's path without any reference is wanted.

    Raises:
        InputError: references that can't be used, a picture that is too small to be its own, or a
            path that the network hasn't.
    """
    if alone:
        return _without_any(model, engine, references)
    if references is not None:
        return References(engine, encoder.all_of(references))
    if min(lr.shape[:2]) < model.smallest_ref:
        raise InputError(
            f"`lr` is {lr.shape[1]}×{lr.shape[0]} pixels; without a reference "
            f"{model.smallest_ref}×{model.smallest_ref} are needed. Give a reference."
        )
    return Itself(engine, lr) if model.without_reference else References(engine, encoder.all_of(lr))


def check_single_image(model):
    """Raises InputError unless a network has a path without any reference."""
    if not model.single_image:
        name = type(model).__name__
        raise InputError(f"`single_image`: {name} has no path without a reference. Leave it.")


@contextlib.contextmanager
def memory_reported(engine):
    """Too little memory, as GPUs report it, is an InputError."""
    try:
        yield
    except engine.out_of_memory:
        raise InputError(
            "The memory of what computes isn't enough for this picture in such pieces. Give a "
            "smaller `memory_gb`."
        ) from None


def _without_any(model, engine, references):
    if references is not None:
        raise InputError("`single_image` goes without references. Leave one of them out.")
    check_single_image(model)
    return SingleImage(engine)


class References:
    """With references, a list of `Reference` and `Picture`.

    Attributes:
        encoded: whether all of their keys and values are in memory from the start.
    """

    def __init__(self, engine, references):
        self._engine, self._references = engine, references
        self._found = self._values = None
        self.sizes = [reference.size for reference in references]
        self.encoded = all(isinstance(reference, Reference) for reference in references)

    def search(self, lr, cuts, bands):
        """Finds which reference is the best, where in it and how well; yields after each step.

        Args:
            lr: uint8 [H, W, 3], all of the picture.
            cuts: its tiles.
            bands: list of slices of its rows, each of which is searched for at once.
        """
        query = self._query(lr, cuts)
        source, index = (np.zeros(query.shape[:3], np.int32) for _ in range(2))
        confidence = np.full((*query.shape[:3], 1), -np.inf, np.float32)
        for i, reference in enumerate(self._references):
            key = reference.key
            for band in bands:
                found, score = self._match(query, key, band)
                better = score > confidence[:, band]  # strictly: on a tie the earlier one stays
                np.copyto(confidence[:, band], score, where=better)
                np.copyto(index[:, band], found, where=better[..., 0])
                np.copyto(source[:, band], i, where=better[..., 0])
                yield
            del key  # before the next one's is made, or the values
        self._found = source, index, confidence
        del query
        self._values = [reference.value for reference in self._references]
        self._references.clear()

    def enlarge(self, lr, outer, *, last):
        source, index, confidence = (x[(slice(None), *outer)] for x in self._found)
        # Where another reference was the best, this one adds nothing: index -1.
        parts = (
            self._engine.transfer(value, np.where(source == i, index, np.int32(-1)))
            for i, value in enumerate(self._values)
        )
        textures = functools.reduce(lambda *both: tuple(map(operator.add, *both)), parts)
        if last:
            self._values.clear()  # the backbone needs their memory, if nobody else needs them
        pictures = lr, resizing.upscale(lr)
        sr = np.asarray(self._engine.synthesise(pictures, textures, confidence))
        place = index // self._engine.shifts
        return {"sr": sr, "source": source, "index": place, "confidence": confidence}

    def _query(self, lr, cuts):
        """The query of all of the picture, made tile by tile."""
        size, query = lr.shape[:2], None
        for tile in cuts:
            outer = tiles.surrounded(tile, size, _QUERY_BORDER)
            part = self._engine.query(resizing.upscale(lr[outer][None]))
            if len(cuts) == 1:
                return part
            if query is None:
                query = np.empty((1, *size, part.shape[-1]), np.float32)
            query[(0, *tile)] = part[0][tiles.within(tile, outer, 1)]
        return query

    def _match(self, query, key, band):
        """index and confidence of the rows of a band."""
        top = max(band.start - _MATCH_BORDER, 0)
        found = self._engine.match(query[:, top : band.stop + _MATCH_BORDER], key)
        rows = slice(band.start - top, band.stop - top)
        return (np.asarray(x)[:, rows] for x in found)


class Itself:
    """Without a reference, where the network has a way of its own for that.

    Args:
        engine: what computes.
        whole: uint8 [H, W, 3], all of the small picture.
    """

    sizes, encoded = (), False

    def __init__(self, engine, whole):
        height, width = (n // 4 * 4 for n in whole.shape[:2])
        self._engine, self._whole = engine, whole[None, :height, :width]

    def search(self, lr, cuts, bands):
        return ()

    def enlarge(self, lr, outer, *, last):
        del outer, last
        found = self._engine.without_reference((lr, resizing.upscale(lr)), self._whole)
        sr, index, confidence = map(np.asarray, found)
        source = np.zeros_like(index)
        return {"sr": sr, "source": source, "index": index, "confidence": confidence}


class SingleImage:
    """By the path that never sees a reference."""

    sizes, encoded = (), False

    def __init__(self, engine):
        self._engine = engine

    def search(self, lr, cuts, bands):
        return ()

    def enlarge(self, lr, outer, *, last):
        del outer, last
        sr = np.asarray(self._engine.single_image((lr, resizing.upscale(lr))))
        none, confidence = (
            np.zeros(lr.shape[:3], np.int32),
            np.zeros([*lr.shape[:3], 1], np.float32),
        )
        return {"sr": sr, "source": none, "index": none - 1, "confidence": confidence}
