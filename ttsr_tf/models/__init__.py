"""The networks, and the contract that each of them keeps.

What inference, training, evaluation and export use of a network is `Network`, and nothing else.
Another one of the family is a file here, a line in `MODELS` and in `OPTIONS`, and a flagfile in
configs/; for each option of its own a field in training/config.py.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tensorflow import Tensor

    Inputs = dict[str, Tensor]
    Pyramid = tuple[Tensor, Tensor, Tensor]
    Size = tuple[int, int]

# Of the critic's kernels.
NORMALIZATIONS = NONE, SPECTRAL = "none", "spectral"
# A network's name on command lines and in files: the class in the module of that name.
MODELS = {"ttsr": "TTSR", "srntt": "SRNTT"}
# What a call gives of the textures, from coarse to fine; flat, as a SavedModel's outputs must be.
TEXTURES = "textures_x1", "textures_x2", "textures_x4"
# Its arguments beyond `num_residual_blocks` and `num_features`.
OPTIONS = {
    "ttsr": ("residual", "alignment", "reference", "soft_attention", "cross_scale"),
    "srntt": ("transposed_vgg19",),
}


def model_class(name: str) -> type:
    """The class of a name in `MODELS`, whose module is imported now."""
    return getattr(importlib.import_module(f"{__name__}.{name}"), MODELS[name])


class Network(Protocol):
    """A built `keras.Model` with these attributes and methods.

    Pictures are float32 [B, H, W, 3] in [-1, 1]; pyramids are tuples from coarse (×1) to fine (×4).
    `inputs` is a dict of `lr` [B, H, W, 3], `lr_up` [B, 4·H, 4·W, 3], `ref` and `ref_down_up`
    [B, h, w, 3], h and w multiples of 4.

    Calling it with `inputs` gives a dict of `sr` [B, 4·H, 4·W, 3], `index` and `confidence`, as the
    methods below have them, and of the textures under the names of `TEXTURES`.

    Attributes:
        value_channels: of the maps of `value` and `textures`.
        query_channels: of `query` and `key`.
        shifts: how many values of `match`'s `index` stand for each position of the key.
        smallest_lr, smallest_ref: pixels each way.
        tile_overlap: pixels of `lr` around a tile that its result depends on.
        bytes_per_pixel: memory that `synthesise` takes for a pixel of `sr`.
        texture_extractor: the layer whose variables learn at a rate of their own.
        pretrained: layers that learn first, by what `single_image` makes, and then no more.
        fast: whether `match` looks for nearly the best place, which is faster if the reference is
            large; may be set before the network is used.
    """

    value_channels: tuple[int, int, int]
    query_channels: int
    shifts: int
    smallest_lr: int
    smallest_ref: int
    tile_overlap: int
    bytes_per_pixel: int
    texture_extractor: object
    pretrained: tuple
    fast: bool

    def query(self, lr_up: Tensor) -> Tensor:
        """What the reference is searched for: [B, H, W, query_channels]."""

    def encode(self, ref: Tensor, ref_down_up: Tensor) -> tuple[Tensor, Pyramid]:
        """key [B, h // 4, w // 4, query_channels], and value, whose maps are
        [B, s·h // 4, s·w // 4, …], s = 1, 2, 4.
        """

    def match(self, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        """index, int32 [B, H, W], row-major positions in the key times `shifts`, and which of the
        shifts; confidence [B, H, W, 1].
        """

    def transfer(self, value: Pyramid, index: Tensor) -> Pyramid:
        """textures, maps [B, s·H, s·W, …]; zeros where index is -1."""

    def synthesise(self, inputs: Inputs, textures: Pyramid, confidence: Tensor) -> Tensor:
        """sr; of `inputs` only `lr` and `lr_up` are there."""

    def without_reference(self, inputs: Inputs) -> dict:
        """As a call; `ref` is the small picture itself, of which `lr` may be a part. Or None in the
        place of the method: then the picture serves as a reference like others.
        """

    def single_image(self, inputs: Inputs) -> Tensor:
        """A picture as large as `sr`, by a path that never sees a reference, from `lr` alone; or
        None in the place of the method.
        """

    def texture_loss(self, outputs: dict, sr: Tensor, weigh_by_confidence: bool = False) -> Tensor:
        """How far the textures of `sr` are from those that were transferred: a scalar."""

    def ideal_textures(self, hr: Tensor) -> Pyramid:
        """What `transfer` would give of a perfect reference, with which every batch is trained a
        second time; or None in the place of the method: then only with what is found.
        """

    def flops(self, lr_size: Size, ref_sizes: list[Size]) -> int:
        """Floating point operations for one picture, from (height, width) of it and of each
        reference; of none, `without_reference`.
        """
