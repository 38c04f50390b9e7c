"""From pictures to a picture: several references, and pictures of any size in tiles.

for every tile of lr, with its surroundings:
    query ─ relevance with every reference ─► the best of all: source, index, confidence
    textures of every reference where it is the best, added up
    lr, textures, confidence ─► sr, of which the surroundings are cut off
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ttsr_tf import degrade, images, tiles
from ttsr_tf.errors import InputError

_PICTURE = tf.TensorSpec([None, None, None, 3], tf.uint8)
_INDEX = tf.TensorSpec([None, None, None], tf.int32)


def _map(channels):
    return tf.TensorSpec([None, None, None, channels], tf.float32)


_PYRAMID = (_map(256), _map(128), _map(64))


def _traced(signature):
    # Without AutoGraph, whose reading of Python takes longer than all of the trace.
    return tf.function(input_signature=signature, autograph=False)


class Reference(NamedTuple):
    """A reference as the network searches it.

    Attributes:
        key: float32 [1, h // 4, w // 4, 256].
        value: a tuple of float32 [1, h // 4, w // 4, 256], [1, h // 2, w // 2, 128] and
            [1, h, w, 64].
    """

    key: tf.Tensor
    value: tuple


class Enlarger:
    """Enlarges pictures with a network; sizes are free, and nothing is traced twice.

    Args:
        model: a built `TTSR`.
    """

    def __init__(self, model):
        self._model = model

    def encode(self, ref):
        """A `Reference` from a picture, uint8 [h, w, 3]; see `TTSR.encode_reference`."""
        ref = images.checked("ref", ref, smallest=12)
        return Reference(*self._encode(ref[None]))

    def encode_all(self, references):
        """A list of `Reference` from one or a list of pictures, encoded or not."""
        references = references if isinstance(references, list) else [references]
        if not references:
            raise InputError("`references` is empty. Give one, or None for the picture itself.")
        return [r if isinstance(r, Reference) else self.encode(r) for r in references]

    def enlarge(self, lr, references, memory_gb=None, progress=None):
        """Enlarges a picture in as few tiles as memory allows; see `TTSR.upscale`.

        Args:
            lr: uint8 [H, W, 3].
            references: list of `Reference`; it is emptied.
            memory_gb: what the process may take, GiB; most of what is free by default.
            progress: called with the number of tiles that are done and of all.

        Returns:
            As `TTSR.upscale_with_attention`.

        Raises:
            InputError: `memory_gb` is too small for the smallest tile.
        """
        size = lr.shape[:2]
        cuts = tiles.cut(size, [r.value[-1].shape[1:3] for r in references], memory_gb)
        result = {
            "sr": np.empty((4 * size[0], 4 * size[1], 3), np.uint8),
            "source": np.empty(size, np.int32),
            "index": np.empty(size, np.int32),
            "confidence": np.empty((*size, 1), np.float32),
        }
        whole = slice(0, size[0]), slice(0, size[1])
        for done, tile in enumerate(cuts, 1):
            outer = tiles.surrounded(tile, size)
            textures, outputs = self._textures(lr[outer][None], references)
            if done == len(cuts):
                references.clear()  # the backbone needs their memory, if nobody else needs them
            outputs["sr"] = self._synthesise(lr[outer][None], textures, outputs["confidence"])
            del textures
            for name, output in outputs.items():
                scale = 4 if name == "sr" else 1
                inner = output.numpy()[0][tiles.within(tile, outer, scale)]
                result[name][tiles.within(tile, whole, scale)] = inner
            if progress:
                progress(done, len(cuts))
        return {**result, "confidence": result["confidence"][..., 0]}

    def enlarge_whole(self, lr, ref):
        """What `enlarge` gives of a picture in one piece, as operations of a graph.

        Args:
            lr: uint8 [B, H, W, 3], from 3×3.
            ref: uint8 [B, h, w, 3], from 12×12; used up to the last multiple of 4.

        Returns:
            sr: uint8 [B, 4·H, 4·W, 3].
            confidence: float32 [B, H, W].
        """
        textures, outputs = self._textures(lr, [Reference(*self._encode(ref))])
        confidence = outputs["confidence"]
        return self._synthesise(lr, textures, confidence), confidence[..., 0]

    def _textures(self, lr, references):
        """The three maps of textures; and a dict of `source`, `index` and `confidence`."""
        query = self._query(lr)
        source, index, confidence = self._best_match(query, [r.key for r in references])
        # Where another reference was the best, this one adds nothing: index -1.
        parts = (
            self._transfer(r.value, tf.where(source == i, index, -1))
            for i, r in enumerate(references)
        )
        textures = functools.reduce(lambda *both: tuple(map(tf.add, *both)), parts)
        return textures, {"source": source, "index": index, "confidence": confidence}

    def _best_match(self, query, keys):
        """Which reference, where in it and how well: [1, H, W] twice, [1, H, W, 1]."""
        index, confidence = self._match(query, keys[0])
        source = tf.zeros_like(index)
        for i, key in enumerate(keys[1:], 1):
            other, score = self._match(query, key)
            better = score > confidence  # strictly: on a tie the earlier reference stays
            source = tf.where(better[..., 0], i, source)
            index = tf.where(better[..., 0], other, index)
            confidence = tf.where(better, score, confidence)
        return source, index, confidence

    @_traced([_PICTURE])
    def _encode(self, ref):
        height, width = tf.unstack(tf.shape(ref)[1:3] // 4 * 4)
        ref = ref[:, :height, :width]
        extractor = self._model.texture_extractor
        key, *_ = extractor(images.to_float(degrade.enlarge(degrade.shrink(ref))))
        return _float32((key, extractor(images.to_float(ref))))

    @_traced([_PICTURE])
    def _query(self, lr):
        query, *_ = self._model.texture_extractor(images.to_float(degrade.enlarge(lr)))
        return _float32(query)

    @_traced([_map(256), _map(256)])
    def _match(self, query, key):
        return self._model.relevance([query, key])

    @_traced([_PYRAMID, _INDEX])
    def _transfer(self, value, index):
        return _float32(self._model.transferred(value, index))

    @_traced([_PICTURE, _PYRAMID, _map(1)])
    def _synthesise(self, lr, textures, confidence):
        return images.to_uint8(self._model.synthesised(images.to_float(lr), textures, confidence))


def write(path, lr, sr):
    """Writes an enlarged picture with the transparency, or the lack of colours, of the small one.

    Args:
        path: file name; its extension chooses the format.
        lr: the small `images.Picture`.
        sr: uint8 [4·H, 4·W, 3].

    Raises:
        InputError: the file can't be written.
    """
    alpha = None if lr.alpha is None else degrade.enlarge(lr.alpha).numpy()
    images.write(path, sr, alpha, lr.grey)


def _float32(maps):
    """What passes between the functions, whatever the layers compute in."""
    return tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), maps)
