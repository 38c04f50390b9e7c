"""What a network is computed by: TensorFlow, or LiteRT's interpreter."""

import importlib.util
import os
from typing import Protocol

from ttsr_tf import cli
from ttsr_tf.configuration import choice
from ttsr_tf.errors import InputError
from ttsr_tf.weights import naming, tflite

TENSORFLOW, LITERT = "tensorflow", "litert"
EXACT, FAST = PRECISIONS = "exact", "fast"
_PACKAGES = {TENSORFLOW: "tensorflow", LITERT: "ai_edge_litert"}


class Engine(Protocol):
    """What enlarging asks for: `Stages` of a network in TensorFlow, or `LiteRT`.

    Pictures are uint8 arrays [B, H, W, 3]; maps are arrays or tensors that nothing but the engine,
    a sum and a look at `shape` is given. B is 1 but in a graph.

    Attributes:
        weights: what tells apart the weights that a reference is encoded with.
        shifts: how many values of `index` stand for each position of the key.
        halves: whether values of a large reference are kept as float16.
        out_of_memory: the exception that says so.
    """

    weights: tuple
    shifts: int
    halves: bool
    out_of_memory: type[Exception]

    def encode(self, ref, ref_down_up):
        """key, of `ref_down_up`, and value, of `ref`; their sides are multiples of 4."""

    def kept(self, x):
        """A map of `encode`, or an array with the same, as the engine takes it again and again."""

    def query(self, lr_up):
        """query."""

    def match(self, query, key):
        """index, confidence."""

    def transfer(self, value, index):
        """textures."""

    def synthesise(self, pictures, textures, confidence):
        """sr, uint8 [B, 4·H, 4·W, 3]; `pictures` are `lr` and `lr_up`."""

    def single_image(self, pictures):
        """The same, where the network has such a path."""

    def without_reference(self, pictures, whole):
        """sr, index, confidence, where the network has a way of its own for that."""


def field():
    """The field of every configuration whose command can do without TensorFlow."""
    return choice(
        None,
        "What computes. Default: litert for a .tflite or a name, if the extra is installed.",
        enum_values=list(_PACKAGES),
    )


def precision():
    """The field of every configuration that chooses between equal and nearly equal pictures."""
    return choice(
        EXACT,
        "fast, for nearly the same picture: large references are searched in likely places only; "
        "TensorFlow computes the backbone in bfloat16 where that is faster.",
        enum_values=PRECISIONS,
    )


def of(checkpoint: str | os.PathLike, wanted: str | None = None) -> str:
    """TENSORFLOW or LITERT: what is wanted for a checkpoint, or else the faster start.

    Raises:
        InputError: there is no such checkpoint, or it can't be computed by that.
    """
    path = naming.path_of(checkpoint)
    light = path.endswith(tflite.SUFFIXES)
    engine = wanted or (LITERT if light and _installed(LITERT) else TENSORFLOW)
    if engine == LITERT and not light:
        raise InputError(
            f"`engine`={LITERT} needs a {tflite.SUFFIX}: python -m export.litert "
            f"--checkpoint={checkpoint} writes one."
        )
    if not _installed(engine):
        other = ", or a .tflite" if engine == TENSORFLOW and not light else ""
        extra = {TENSORFLOW: "tensorflow", LITERT: "'ttsr-tf[litert]'"}
        if light and not wanted:  # neither is there
            extra[TENSORFLOW] = extra[LITERT]
        raise InputError(f"{checkpoint} needs {engine}: pip install {extra[engine]}{other}.")
    return engine


def of_python(checkpoint: str | os.PathLike, wanted: str | None = None) -> str:
    """As `of`, but a name such as ttsr-mini stands for a Keras model where there can be one."""
    named = os.fspath(checkpoint) in naming.names()
    return of(checkpoint, wanted or (TENSORFLOW if named and _installed(TENSORFLOW) else None))


def start(engine):
    """Prepares this process, which is a command's own, for one of them."""
    if engine == TENSORFLOW:
        cli.start_tensorflow()
    else:
        cli.keep_freed_memory()


def _installed(engine):
    return importlib.util.find_spec(_PACKAGES[engine]) is not None
