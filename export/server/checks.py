"""What is checked by name before a request takes a place at a replica; the rest is in the graph."""

import math

import tensorflow as tf

from ..graph.signatures import SERVING_DEFAULT
from .refused import invalid

# A request is worked on as a whole: its answer's memory, and the others' waiting, grow with it.
MOST_PICTURES = 8


def signature(signatures, name):
    """The signature that a request asks for.

    Args:
        signatures: dict of SignatureDef by name.
        name: string; "" is TF Serving's default.

    Returns:
        Its name, the SignatureDef.

    Raises:
        Refused: there is none of this name.
    """
    name = name or SERVING_DEFAULT
    if name not in signatures:
        raise invalid(f"There is no signature `{name}`. Use {_listed(signatures)}.")
    return name, signatures[name]


def names(signature, given):
    """Raises Refused unless `given` are the names of the signature's inputs."""
    takes = f"the inputs are {_listed(signature.inputs)}"
    for name in sorted(signature.inputs):
        if name not in given:
            raise invalid(f"`{name}` is missing: {takes}.")
    for name in given:
        if name not in signature.inputs:
            raise invalid(f"`{name}` is unknown: {takes}.")


def tensor(name, info, dtype, *, shape, most_bytes):
    """Raises Refused unless an input is what the signature says, and bounded.

    Args:
        name: of the input.
        info: its TensorInfo in the signature.
        dtype: `tf.DType` that was given.
        shape: list of ints that was given.
        most_bytes: the most that its values may take.
    """
    allowed = [dim.size for dim in info.tensor_shape.dim]  # -1 where any size goes
    fits = len(shape) == len(allowed) and all(
        size >= 0 and most in (-1, size) for size, most in zip(shape, allowed, strict=True)
    )
    wanted = tf.as_dtype(info.dtype)
    if dtype != wanted or not fits:
        free = ", ".join("?" if size == -1 else str(size) for size in allowed)
        raise invalid(f"`{name}` must be {wanted.name} [{free}], got {dtype.name} {list(shape)}.")
    if shape[0] > MOST_PICTURES:
        raise invalid(
            f"`{name}` holds {shape[0]} pictures, at most {MOST_PICTURES} are allowed in a "
            "request. Send several requests."
        )
    # A few bytes can stand for any number of values: TensorProto repeats the last one.
    if math.prod(shape) * wanted.size > most_bytes:
        raise invalid(
            f"`{name}` {list(shape)} is too large: at most {most_bytes} bytes are allowed. "
            "Send smaller pictures."
        )


def _listed(names):
    return ", ".join(f"`{name}`" for name in sorted(names))
