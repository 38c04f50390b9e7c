"""From a checkpoint to what enlarges pictures with it."""

import os

from ttsr_tf.errors import InputError
from ttsr_tf.inference import engines
from ttsr_tf.inference.litert import LiteRT
from ttsr_tf.inference.upscaler import Upscaler
from ttsr_tf.weights import naming

# Of a network: as it was trained, but for the backbone.
_FAST = {"dtype": "mixed_bfloat16", "extractor_dtype": "float32"}


def load(
    checkpoint: str | os.PathLike,
    engine: str | None = None,
    *,
    threads: int | None = None,
    precision: str = engines.EXACT,
) -> Upscaler:
    """An `Upscaler` with trained weights.

    Args:
        checkpoint: one of `ttsr_tf.weights.names()`; a file that `ttsr_tf.convert`
            (.safetensors) or `export.litert` (.tflite) wrote; or the folder of a training.
        engine: what computes, "tensorflow" or "litert". Default: LiteRT for a .tflite if the extra
            `litert` is installed, and where TensorFlow isn't; then neither TensorFlow nor Keras is
            imported.
        threads: how many LiteRT computes with; default: as many as there are processors.
        precision: "exact", or "fast", for nearly the same picture: large references are searched
            in likely places only, and TensorFlow computes the backbone in bfloat16, where that is
            faster.

    Raises:
        InputError: nothing there, not such a file, or a damaged one; one for another engine; an
            unknown `precision`.
    """
    if precision not in engines.PRECISIONS:
        raise InputError(
            f"`precision` must be {' or '.join(engines.PRECISIONS)}, got {precision!r}."
        )
    fast = precision == engines.FAST
    if engines.of_python(checkpoint, engine) == engines.LITERT:
        return Upscaler(LiteRT(naming.path_of(checkpoint), threads, fast=fast))
    from ttsr_tf import devices  # imports TensorFlow
    from ttsr_tf.weights import checkpoints

    dtypes = _FAST if fast and devices.has_fast_bfloat16() else {}
    model = checkpoints.load(checkpoint, **dtypes)
    model.fast = fast
    return Upscaler(model)
