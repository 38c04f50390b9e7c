"""From pictures to a picture: several references, and pictures of any size in tiles.

for every tile of lr, with its surroundings:
    query ─ match with every reference ─► the best of all: source, index, confidence
    textures of every reference where it is the best, added up
    lr, textures, confidence ─► sr, of which the surroundings are cut off
"""

import functools
import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.images import files
from ttsr_tf.inference import tiles
from ttsr_tf.inference.stages import Stages
from ttsr_tf.models import Network
from ttsr_tf.weights import checkpoints


class Reference(NamedTuple):
    """A reference as the network searches it.

    Attributes:
        key: float32 [1, h // 4, w // 4, C].
        value: a tuple of float32 [1, s·h // 4, s·w // 4, …], s = 1, 2, 4.
    """

    key: tf.Tensor
    value: tuple


def load(checkpoint: str | os.PathLike) -> "Upscaler":
    """An `Upscaler` with trained weights.

    Args:
        checkpoint: a file that `ttsr_tf.convert` wrote (.safetensors), or the folder of a training.

    Raises:
        InputError: nothing there, not such a file, or a damaged one.
    """
    return Upscaler(checkpoints.load(checkpoint))


Picture = np.ndarray | tf.Tensor


class Upscaler:
    """Enlarges pictures four times with a network; sizes are free, and nothing is traced twice.

    Args:
        model: a built network (see `ttsr_tf.models`), such as `ttsr_tf.TTSR`.

    Attributes:
        model: that network.
    """

    def __init__(self, model: Network):
        self.model = model
        self._stages = Stages(model)

    def encode_reference(self, ref: Picture) -> Reference:
        """A reference that many pictures are enlarged with, encoded once.

        Args:
            ref: uint8 [h, w, 3], from 12×12; used up to the last multiple of 4.

        Returns:
            A `Reference`, which holds this model's features: weights must not change meanwhile.

        Raises:
            InputError: an array of another type, rank or size.
        """
        ref = files.checked("ref", ref, self.model.smallest_ref)
        return Reference(*self._stages.encode(ref[None]))

    def upscale(
        self,
        lr: Picture,
        references: Picture | Reference | list | None = None,
        memory_gb: float | None = None,
    ) -> np.ndarray:
        """Enlarges one picture four times.

        Args:
            lr: uint8 [H, W, 3], from 3×3.
            references: sharp pictures of something similar, uint8 [h, w, 3] from 12×12 or from
                `encode_reference`: one, or a list, of which the best match everywhere is used.
                Default: the picture itself.
            memory_gb: what the process may take, GiB; default: most of what is free. A picture that
                takes more is done in overlapping tiles.

        Returns:
            uint8 array [4·H, 4·W, 3].

        Raises:
            InputError: an array of another type, rank or size; an empty list; too little memory.
        """
        return self.upscale_with_attention(lr, references, memory_gb)["sr"]

    def upscale_with_attention(
        self,
        lr: Picture,
        references: Picture | Reference | list | None = None,
        memory_gb: float | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, np.ndarray]:
        """As `upscale`, but tells where the textures came from.

        Args:
            progress: called with the number of tiles that are done and of all.

        Returns:
            A dict of arrays: `sr` uint8 [4·H, 4·W, 3]; `source` int32 [H, W], the reference's
            place in the list; `index` int32 [H, W], row-major positions in that reference's grid
            of 4×4 pixels [h // 4, w // 4]; `confidence` float32 [H, W].
        """
        lr = files.checked("lr", lr, self.model.smallest_lr)
        references = self._encoded(lr if references is None else references)
        size = lr.shape[:2]
        ref_sizes = [reference.value[-1].shape[1:3] for reference in references]
        cuts = tiles.cut(self.model, size, ref_sizes, memory_gb=memory_gb)
        result = {
            "sr": np.empty((4 * size[0], 4 * size[1], 3), np.uint8),
            "source": np.empty(size, np.int32),
            "index": np.empty(size, np.int32),
            "confidence": np.empty((*size, 1), np.float32),
        }
        whole = slice(0, size[0]), slice(0, size[1])
        for done, tile in enumerate(cuts, 1):
            outer = tiles.surrounded(tile, size, self.model.tile_overlap)
            textures, outputs = self._textures(lr[outer][None], references)
            if done == len(cuts):
                references.clear()  # the backbone needs their memory, if nobody else needs them
            outputs["sr"] = self._stages.synthesise(
                lr[outer][None], textures, outputs["confidence"]
            )
            del textures
            for name, output in outputs.items():
                scale = 4 if name == "sr" else 1
                inner = output.numpy()[0][tiles.within(tile, outer, scale)]
                result[name][tiles.within(tile, whole, scale)] = inner
            if progress:
                progress(done, len(cuts))
        return {**result, "confidence": result["confidence"][..., 0]}

    def upscale_whole(self, lr: tf.Tensor, ref: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What `upscale` gives of a picture in one piece, as operations of a graph.

        Args:
            lr: uint8 [B, H, W, 3], from 3×3.
            ref: uint8 [B, h, w, 3], from 12×12; used up to the last multiple of 4.

        Returns:
            sr: uint8 [B, 4·H, 4·W, 3].
            confidence: float32 [B, H, W].
        """
        textures, outputs = self._textures(lr, [Reference(*self._stages.encode(ref))])
        confidence = outputs["confidence"]
        return self._stages.synthesise(lr, textures, confidence), confidence[..., 0]

    def _encoded(self, references):
        """A new list of `Reference`."""
        references = references if isinstance(references, list) else [references]
        if not references:
            raise InputError("`references` is empty. Give one, or None for the picture itself.")
        return [r if isinstance(r, Reference) else self.encode_reference(r) for r in references]

    def _textures(self, lr, references):
        """The three maps of textures; and a dict of `source`, `index` and `confidence`."""
        query = self._stages.query(lr)
        source, index, confidence = self._best_match(query, [r.key for r in references])
        # Where another reference was the best, this one adds nothing: index -1.
        parts = (
            self._stages.transfer(r.value, tf.where(source == i, index, -1))
            for i, r in enumerate(references)
        )
        textures = functools.reduce(lambda *both: tuple(map(tf.add, *both)), parts)
        return textures, {"source": source, "index": index, "confidence": confidence}

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
