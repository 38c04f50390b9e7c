"""The three ways in which a part of a picture is enlarged.

References   query ─ match with every reference ─► the best of all: source, index, confidence
             textures of every reference where it is the best, added up
             lr, textures, confidence ─► sr
Itself       the network's own way without a reference
SingleImage  its path that never sees one

Each has `sizes`, (height, width) of the references that it keeps in memory, and `enlarge`, from
uint8 [B, H, W, 3] to a dict of tensors: `sr` uint8 [B, 4·H, 4·W, 3]; `source` and `index`, int32
[B, H, W]; `confidence` [B, H, W, 1]. `last` says that nothing is enlarged after it.
"""

import functools

import tensorflow as tf

from ttsr_tf.errors import InputError


def chosen(model, stages, encoder, *, lr, references, alone):
    """The way in which a picture is enlarged.

    Args:
        model, stages, encoder: a network, its `Stages` and its `Encoder`.
        lr: uint8 [H, W, 3].
        references: what `Encoder.all_of` takes, or None.
        alone: whether the network's path without any reference is wanted.

    Raises:
        InputError: references that can't be used, a picture that is too small to be its own, or a
            path that the network hasn't.
    """
    if alone:
        return _without_any(model, stages, references)
    if references is not None:
        return References(stages, encoder.all_of(references))
    if min(lr.shape[:2]) < model.smallest_ref:
        raise InputError(
            f"`lr` is {lr.shape[1]}×{lr.shape[0]} pixels; without a reference "
            f"{model.smallest_ref}×{model.smallest_ref} are needed. Give a reference."
        )
    return Itself(stages, lr) if model.without_reference else References(stages, encoder.all_of(lr))


def enlarged(way, lr, *, last):
    """What `way.enlarge` gives; too little memory, as GPUs report it, is an InputError."""
    try:
        return way.enlarge(lr, last=last)
    except tf.errors.ResourceExhaustedError:
        raise InputError(
            "The memory of what computes isn't enough for this picture in such pieces. Give a "
            "smaller `memory_gb`."
        ) from None


def _without_any(model, stages, references):
    if references is not None:
        raise InputError("`single_image` goes without references. Leave one of them out.")
    if not model.single_image:
        name = type(model).__name__
        raise InputError(f"`single_image`: {name} has no path without a reference. Leave it.")
    return SingleImage(stages)


class References:
    """With references, a list of `Reference`, through a `Stages`."""

    def __init__(self, stages, references):
        self._stages, self._references = stages, references
        self.sizes = [reference.value[-1].shape[1:3] for reference in references]

    def enlarge(self, lr, *, last):
        query = self._stages.query(lr)
        source, index, confidence = self._best_match(query, [r.key for r in self._references])
        # Where another reference was the best, this one adds nothing: index -1.
        parts = (
            self._stages.transfer(r.value, tf.where(source == i, index, -1))
            for i, r in enumerate(self._references)
        )
        textures = functools.reduce(lambda *both: tuple(map(tf.add, *both)), parts)
        if last:
            self._references.clear()  # the backbone needs their memory, if nobody else needs them
        sr = self._stages.synthesise(lr, textures, confidence)
        place = index // self._stages.shifts
        return {"sr": sr, "source": source, "index": place, "confidence": confidence}

    def _best_match(self, query, keys):
        """Which reference, where in it and how well: [B, H, W] twice, [B, H, W, 1]."""
        index, confidence = self._stages.match(query, keys[0])
        source = tf.zeros_like(index)
        for i, key in enumerate(keys[1:], 1):
            other, score = self._stages.match(query, key)
            better = score > confidence  # strictly: on a tie the earlier reference stays
            source = tf.where(better[..., 0], i, source)
            index = tf.where(better[..., 0], other, index)
            confidence = tf.where(better, score, confidence)
        return source, index, confidence


class Itself:
    """Without a reference, where the network has a way of its own for that.

    Args:
        stages: a `Stages`.
        whole: uint8 [H, W, 3], all of the small picture.
    """

    sizes = ()

    def __init__(self, stages, whole):
        self._stages, self._whole = stages, whole[None]

    def enlarge(self, lr, *, last):
        del last
        sr, index, confidence = self._stages.without_reference(lr, self._whole)
        source = tf.zeros_like(index)
        return {"sr": sr, "source": source, "index": index, "confidence": confidence}


class SingleImage:
    """By the path that never sees a reference, through a `Stages`."""

    sizes = ()

    def __init__(self, stages):
        self._stages = stages

    def enlarge(self, lr, *, last):
        del last
        sr, none = self._stages.single_image(lr), tf.zeros(tf.shape(lr)[:3], tf.int32)
        confidence = tf.zeros([*tf.unstack(tf.shape(none)), 1])
        return {"sr": sr, "source": none, "index": none - 1, "confidence": confidence}
