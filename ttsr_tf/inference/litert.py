"""A network in a .tflite file, run by LiteRT's interpreter: neither TensorFlow nor Keras is needed.

The matching is NumPy's (see search.py and pasting.py), which is faster and takes less memory than
what LiteRT could do; all else is in the file, as signatures of the functions' names.
"""

import functools
import os

import numpy as np

from ttsr_tf import cli, clusters
from ttsr_tf.errors import InputError
from ttsr_tf.inference import memory, pasting, search, shifting
from ttsr_tf.weights import tflite

_SCALES = 1, 2, 4


class LiteRT:
    """A network that computes by itself; what it is asked for is what `Stages` are of others.

    Args:
        path: file name.
        threads: how many it computes with; default: as many as there are processors.
        fast: as of `ttsr_tf.models.Network`.

    Attributes:
        value_channels, query_channels, shifts, smallest_lr, smallest_ref, tile_overlap,
            bytes_per_pixel: as of `ttsr_tf.models.Network`.
        costs: `memory.Costs`.

    Raises:
        InputError: no interpreter is installed; the file is another's, damaged, or of a later
            release than the interpreter.
    """

    costs = memory.LITERT
    out_of_memory = MemoryError

    def __init__(self, path: str | os.PathLike, threads: int | None = None, *, fast: bool = False):
        self.fast = self.halves = fast
        self._path = os.fspath(path)
        about, self._content = tflite.read(self._path)
        numbers = dict(about["numbers"])
        self._flops, self._padding = numbers.pop("flops"), numbers.pop("padding")
        vars(self).update(numbers, value_channels=tuple(numbers["value_channels"]))
        self.weights = (about["sha256"],)  # what tells them apart
        self._threads = threads or os.cpu_count()
        self._kept = {}
        self._interpreter = _interpreter_class()
        signatures = self._new().get_signature_list()
        # As of a network: there or not.
        self.single_image = self._single_image if "single_image" in signatures else None
        self.without_reference = self._without_reference if "alone" in self._flops else None

    def encode(self, ref, ref_down_up):
        """uint8 [1, h, w, 3] twice → key, value."""
        found = self._run("encode", ref=ref, ref_down_up=ref_down_up)
        return found["key"], _pyramid("value", found)

    def kept(self, x):
        return x

    def query(self, lr_up):
        return self._run("query", lr_up=lr_up)["query"]

    def match(self, query, key):
        how = {"padding": self._padding, "fast": self.fast}
        if self.shifts == 1:
            return search.match(query, key, **how)
        channels = [self.value_channels[0]]
        (query, pixels), (key, key_pixels) = (np.split(x, channels, -1) for x in (query, key))
        index, confidence = search.match(query, key, **how)
        return shifting.align(pixels, key_pixels, index), confidence

    def transfer(self, value, index):
        if self.shifts == 1:
            paste = functools.partial(pasting.transfer, padding=self._padding)
        else:
            paste = shifting.transfer
        return tuple(paste(x, index, scale) for x, scale in zip(value, _SCALES, strict=True))

    def synthesise(self, pictures, textures, confidence):
        maps = {**_named("textures", textures), "confidence": confidence}
        return self._run("synthesise", **_pictures(pictures), **maps)["sr"]

    def flops(self, lr_size, ref_sizes):
        """As of `ttsr_tf.models.Network`, from what the export found of it."""
        area = lr_size[0] * lr_size[1]
        keys = sum((height // 4) * (width // 4) for height, width in ref_sizes)
        if not ref_sizes and self.without_reference:
            return self._flops["alone"] * area + self._flops["alone_pair"] * area**2
        of_all = self._flops["position"] * area + self._flops["key"] * keys
        if self.fast and clusters.used(area, keys):
            return of_all + clusters.flops(area, keys, self._flops["pair"] // 2)
        return of_all + self._flops["pair"] * area * keys

    def _single_image(self, pictures):
        return self._run("single_image", **_pictures(pictures))["sr"]

    def _without_reference(self, pictures, whole):
        raise InputError(
            f"Without `ref` this network matches its own maps at every scale, which {self._path} "
            "can't: give a reference, `single_image`, or the checkpoint to TensorFlow."
        )

    def _run(self, name, **inputs):
        # Each has its interpreter, since memory that one has taken for a signature stays with it.
        # Of a small picture it is ready for another one.
        keeps = "lr_up" in inputs and inputs["lr_up"].size <= 48 * memory.KEPT
        if "lr_up" in inputs and not keeps:
            self._kept.clear()
        interpreter = self._kept.get(name) or self._new()
        if keeps:
            self._kept[name] = interpreter
        with cli.stderr_kept():
            return interpreter.get_signature_runner(name)(**inputs)

    def _new(self):
        try:
            with cli.stderr_kept():
                return self._interpreter(model_content=self._content, num_threads=self._threads)
        except (ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(
                f"{self._path} can't be run by this LiteRT ({reason}). Install a later "
                "ai-edge-litert."
            ) from None


def _interpreter_class():
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise InputError(
            "A .tflite needs LiteRT's interpreter: pip install 'ttsr-tf[litert]'."
        ) from None
    return Interpreter


def _pictures(pictures):
    return dict(zip(("lr", "lr_up"), pictures, strict=True))


def _named(name, pyramid):
    return {f"{name}_x{scale}": x for scale, x in zip(_SCALES, pyramid, strict=True)}


def _pyramid(name, found):
    return tuple(found[f"{name}_x{scale}"] for scale in _SCALES)
