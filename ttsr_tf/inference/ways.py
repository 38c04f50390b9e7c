"""The three ways in which a part of a picture is enlarged.

References   query ─ match with every reference ─► the best of all: source, index, confidence
             textures of every reference where it is the best, added up
             lr, textures, confidence ─► sr
Itself       the network's own way without a reference
SingleImage  its path that never sees one

Each has `sizes`, (height, width) of the references that it keeps in memory, and `enlarge`, from
uint8 [1, H, W, 3] to a dict of arrays: `sr` uint8 [1, 4·H, 4·W, 3]; `source` and `index`, int32
[1, H, W]; `confidence` [1, H, W, 1]. `last` says that nothing is enlarged after it. What computes
is an `engines.Engine`.
"""

import functools
import operator

import numpy as np

from ttsr_tf.errors import InputError
from ttsr_tf.images import resizing


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


def enlarged(way, engine, lr, *, last):
    """What `way.enlarge` gives; too little memory, as GPUs report it, is an InputError."""
    try:
        return way.enlarge(lr, last=last)
    except engine.out_of_memory:
        raise InputError(
            "The memory of what computes isn't enough for this picture in such pieces. Give a "
            "smaller `memory_gb`."
        ) from None


def _without_any(model, engine, references):
    if references is not None:
        raise InputError("`single_image` goes without references. Leave one of them out.")
    if not model.single_image:
        name = type(model).__name__
        raise InputError(f"`single_image`: {name} has no path without a reference. Leave it.")
    return SingleImage(engine)


class References:
    """With references, a list of `Reference`."""

    def __init__(self, engine, references):
        self._engine, self._references = engine, references
        self.sizes = [tuple(reference.value[-1].shape[1:3]) for reference in references]

    def enlarge(self, lr, *, last):
        lr_up = resizing.upscale(lr)
        query = self._engine.query(lr_up)
        source, index, confidence = self._best_match(query, [r.key for r in self._references])
        # Where another reference was the best, this one adds nothing: index -1.
        parts = (
            self._engine.transfer(r.value, np.where(source == i, index, np.int32(-1)))
            for i, r in enumerate(self._references)
        )
        textures = functools.reduce(lambda *both: tuple(map(operator.add, *both)), parts)
        if last:
            self._references.clear()  # the backbone needs their memory, if nobody else needs them
        sr = np.asarray(self._engine.synthesise((lr, lr_up), textures, confidence))
        place = index // self._engine.shifts
        return {"sr": sr, "source": source, "index": place, "confidence": confidence}

    def _best_match(self, query, keys):
        """Which reference, where in it and how well: [B, H, W] twice, [B, H, W, 1]."""
        index, confidence = self._match(query, keys[0])
        source = np.zeros_like(index)
        for i, key in enumerate(keys[1:], 1):
            other, score = self._match(query, key)
            better = score > confidence  # strictly: on a tie the earlier reference stays
            source = np.where(better[..., 0], i, source)
            index = np.where(better[..., 0], other, index)
            confidence = np.where(better, score, confidence)
        return source, index, confidence

    def _match(self, query, key):
        return map(np.asarray, self._engine.match(query, key))


class Itself:
    """Without a reference, where the network has a way of its own for that.

    Args:
        engine: what computes.
        whole: uint8 [H, W, 3], all of the small picture.
    """

    sizes = ()

    def __init__(self, engine, whole):
        height, width = (n // 4 * 4 for n in whole.shape[:2])
        self._engine, self._whole = engine, whole[None, :height, :width]

    def enlarge(self, lr, *, last):
        del last
        found = self._engine.without_reference((lr, resizing.upscale(lr)), self._whole)
        sr, index, confidence = map(np.asarray, found)
        source = np.zeros_like(index)
        return {"sr": sr, "source": source, "index": index, "confidence": confidence}


class SingleImage:
    """By the path that never sees a reference."""

    sizes = ()

    def __init__(self, engine):
        self._engine = engine

    def enlarge(self, lr, *, last):
        del last
        sr = np.asarray(self._engine.single_image((lr, resizing.upscale(lr))))
        none, confidence = (
            np.zeros(lr.shape[:3], np.int32),
            np.zeros([*lr.shape[:3], 1], np.float32),
        )
        return {"sr": sr, "source": none, "index": none - 1, "confidence": confidence}
