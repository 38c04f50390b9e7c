"""From a checkpoint to what enlarges pictures with it."""

import os

from ttsr_tf.errors import InputError
from ttsr_tf.inference import engines
from ttsr_tf.inference.litert import LiteRT
from ttsr_tf.inference.upscaler import Upscaler
from ttsr_tf.weights import naming


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
        precision: "exact", or "fast": large references are searched in likely places only, for
            nearly the same picture.

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
    from ttsr_tf.weights import checkpoints  # imports TensorFlow

    model = checkpoints.load(checkpoint)
    model.fast = fast
    return Upscaler(model)
