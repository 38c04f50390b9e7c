"""REST's JSON to arrays and back, by rows ("instances") or by columns ("inputs")."""

import base64
import json
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from . import checks
from .refused import invalid


class Request(NamedTuple):
    """A request to predict.

    Attributes:
        signature_name: string, "" by default.
        rows: whether it holds a list of pictures' inputs, rather than inputs of lists.
        values: what `instances` or `inputs` holds.
    """

    signature_name: str
    rows: bool
    values: Any


def parse(body):
    """A `Request` from bytes; raises Refused."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"The body is not JSON: {error}.") from None
    if not isinstance(given, dict) or ("instances" in given) == ("inputs" in given):
        raise invalid("Send an object with either `instances` (rows) or `inputs` (columns).")
    name = given.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid("`signature_name` must be a string.")
    rows = "instances" in given
    return Request(name, rows, given["instances" if rows else "inputs"])


def arrays(signature, request, most_bytes):
    """The inputs of a request: a dict of arrays by name.

    Args:
        signature: SignatureDef.
        request: `Request`.
        most_bytes: the most that one input may take.

    Raises:
        Refused: they are not what the signature says.
    """
    columns = _columns(request.values) if request.rows else request.values
    if not isinstance(columns, dict):
        raise invalid("`inputs` must be an object with a list for every input.")
    checks.names(signature, columns)
    return {
        name: _array(name, info, columns[name], most_bytes=most_bytes)
        for name, info in sorted(signature.inputs.items())
    }


def _columns(rows):
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise invalid("`instances` must be a list of objects, one for every picture.")
    if any(row.keys() != rows[0].keys() for row in rows):
        raise invalid("Every one of `instances` must hold the same inputs.")
    return {name: [row[name] for row in rows] for name in rows[0]}


def _array(name, info, values, *, most_bytes):
    dtype = tf.as_dtype(info.dtype)
    try:
        array = _strings(values) if dtype == tf.string else _numbers(values, dtype)
    except RuntimeError:  # of Python's recursion, of NumPy's dimensions
        raise invalid(f"`{name}` has too many lists within lists.") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid(f"`{name}` can't be read as {dtype.name}: {error}.") from None
    checks.tensor(name, info, dtype, shape=array.shape, most_bytes=most_bytes)
    return array


def _numbers(values, dtype):
    # Not the type that NumPy would choose: among strings, it gives all the space of the longest.
    numbers = np.array(values, np.float64)
    with np.errstate(invalid="ignore"):
        array = numbers.astype(dtype.as_numpy_dtype)
    if not np.array_equal(array, numbers):
        raise ValueError(f"only whole numbers from {dtype.min} to {dtype.max} are allowed")
    return array


def _strings(values):
    array = np.array(_bytes(values), object)
    if array.ndim >= 32:  # beyond, NumPy 1 leaves lists in it and NumPy 2 can't go through it
        raise RuntimeError("too many dimensions")
    if not all(isinstance(value, bytes) for value in array.flat):
        raise ValueError("its lists differ in length")
    return array


def _bytes(value):
    if isinstance(value, list):
        return [_bytes(entry) for entry in value]
    if isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str):
        return base64.b64decode(value["b64"], validate=True)
    if isinstance(value, str):
        return value.encode()
    raise ValueError('send {"b64": "…"} for every string')


def answer(outputs, rows):
    """The bytes of an answer.

    Args:
        outputs: arrays by name, each with the batch first.
        rows: whether to answer by rows.

    Returns:
        JSON; as TF Serving does, the name is left out where there is one output only.
    """
    columns = {name: _values(name, value) for name, value in outputs.items()}
    if len(columns) == 1:
        (values,) = columns.values()
    elif rows:
        values = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
    else:
        values = columns
    return json.dumps({"predictions" if rows else "outputs": values}).encode()


def _values(name, array):
    if array.dtype != object:
        return array.tolist()
    # TF Serving too goes by the name.
    binary = name.endswith("_bytes")
    return [
        {"b64": base64.b64encode(value).decode()} if binary else value.decode() for value in array
    ]
