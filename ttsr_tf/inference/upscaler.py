"""From pictures to a picture: of any size, in tiles, and in one of three ways (see ways.py).

for every band of lr and every reference: where the best match is
for every tile of lr, with its surroundings: sr, of which the surroundings are cut off
"""

from __future__ import annotations  # so that `help` shows `Picture`, not all that it may be

import itertools
import os
from collections.abc import Callable, Iterable

import numpy as np
import PIL.Image
from numpy.typing import ArrayLike

from ttsr_tf import cli
from ttsr_tf.errors import InputError
from ttsr_tf.images import given
from ttsr_tf.inference import tiles, ways
from ttsr_tf.inference.encoding import Encoder, Reference
from ttsr_tf.inference.litert import LiteRT
from ttsr_tf.models import Network

# See `images.given`: a path, Pillow's picture, an array or tensor.
Picture = str | os.PathLike | PIL.Image.Image | ArrayLike


class Upscaler:
    """Enlarges pictures four times with a network; sizes are free, and nothing is traced twice.

    Args:
        model: a built network (see `ttsr_tf.models`), such as `ttsr_tf.TTSR`; or a `LiteRT`.

    Attributes:
        model: that network.

    Pictures are paths, `PIL.Image`s, or arrays and tensors [H, W, 3], [H, W, 4], [H, W, 1] or
    [H, W] of uint8, uint16 or floats in [0, 1]; transparency is left out.

    Raises:
        InputError: what is no network, or isn't built.
    """

    def __init__(self, model: Network | LiteRT):
        self.model = model
        self._engine = model if isinstance(model, LiteRT) else _stages(model)
        self._encoder = Encoder(self._engine, model.smallest_ref)

    def encode_reference(self, ref: Picture) -> Reference:
        """A reference that many pictures are enlarged with, encoded once.

        Args:
            ref: a picture from 12×12 pixels; used up to the last multiple of 4.

        Returns:
            A `Reference`, which serves until the weights change.

        Raises:
            InputError: what is no picture, a batch, or a smaller one.
        """
        return self._encoder.encode(ref)

    def upscale(
        self,
        lr: Picture,
        references: Picture | Reference | Iterable | None = None,
        memory_gb: float | None = None,
        *,
        single_image: bool = False,
    ) -> np.ndarray:
        """Enlarges one picture, or a batch, four times.

        Args:
            lr: a picture from 3×3 pixels, or a batch of them, [B, H, W, 3].
            references: sharp pictures of something similar, from 12×12 pixels or from
                `encode_reference`: one, or several, of which the best match everywhere is used.
                Default: none, so the network does what it has for that, or the picture itself,
                from 12×12, is one.
            memory_gb: what the process may take, GiB; default: most of what is free. A picture that
                takes more is done in overlapping tiles.
            single_image: whether the network's path without any reference makes the picture.

        Returns:
            uint8 array [4·H, 4·W, 3], or [B, 4·H, 4·W, 3].

        Raises:
            InputError: what is no picture, or a smaller one; no references in a list; references
                that other weights encoded; too little memory, also if a GPU has less than was
                thought; no such path.
        """
        lr = given.rgb("lr", lr, self.model.smallest_lr)
        if lr.ndim == 3:
            result = self.upscale_with_attention(
                lr, references, memory_gb, single_image=single_image
            )
            return result["sr"]
        if references is not None:
            references = self._encoder.encoded(references)
        how = {"memory_gb": memory_gb, "single_image": single_image}
        return np.stack([self.upscale(one, references, **how) for one in lr])

    def upscale_with_attention(
        self,
        lr: Picture,
        references: Picture | Reference | Iterable | None = None,
        memory_gb: float | None = None,
        *,
        single_image: bool = False,
        progress: Callable[[int, int], None] | None = None,
        tile_seconds: float | None = None,
    ) -> dict[str, np.ndarray]:
        """As `upscale` of one picture, but tells where the textures came from.

        Args:
            progress: called with the number of steps that are done and of all: parts of the search,
                then tiles.
            tile_seconds: about what a step may take, down to tiles of 128 pixels.

        Returns:
            A dict of arrays: `sr` uint8 [4·H, 4·W, 3]; `source` int32 [H, W], the reference's
            place in the list; `index` int32 [H, W], row-major positions in that reference's grid
            of 4×4 pixels [h // 4, w // 4]; `confidence` float32 [H, W]. By the single-image path
            there are no textures: index -1, confidence 0.
        """
        lr = given.rgb("lr", lr, self.model.smallest_lr)
        if lr.ndim == 4:
            raise InputError("`lr` is a batch. Give one picture, or use `upscale`.")
        way = ways.chosen(
            self.model,
            self._engine,
            self._encoder,
            lr=lr,
            references=references,
            alone=single_image,
        )
        size = lr.shape[:2]
        limits = {"memory_gb": memory_gb, "seconds": tile_seconds}
        cuts = tiles.cut(self.model, size, way.sizes, encoded=way.encoded, **limits)
        bands = tiles.bands(self.model, size, way.sizes, seconds=tile_seconds)
        count, done = len(cuts) + len(bands) * len(way.sizes), itertools.count(1)
        advance = (lambda: progress(next(done), count)) if progress else (lambda: None)
        result = {
            "sr": np.empty((4 * size[0], 4 * size[1], 3), np.uint8),
            "source": np.empty(size, np.int32),
            "index": np.empty(size, np.int32),
            "confidence": np.empty((*size, 1), np.float32),
        }
        whole = slice(0, size[0]), slice(0, size[1])
        with ways.memory_reported(self._engine):
            for _ in way.search(lr, cuts, bands):
                advance()
            for tile in cuts:
                if len(cuts) > 1:  # the last one's memory may not be large enough
                    cli.give_back_memory()
                outer = tiles.surrounded(tile, size, self.model.tile_overlap)
                outputs = way.enlarge(lr[outer][None], outer, last=tile == cuts[-1])
                for name, output in outputs.items():
                    scale = 4 if name == "sr" else 1
                    inner = output[0][tiles.within(tile, outer, scale)]
                    result[name][tiles.within(tile, whole, scale)] = inner
                advance()
        return {**result, "confidence": result["confidence"][..., 0]}


def _stages(model):
    from ttsr_tf.inference.stages import Stages  # with TensorFlow
    from ttsr_tf.models.sizes import check_built

    check_built("model", model)
    return Stages(model)
