"""The weights in what LiteRT's converter wrote: found, named, halved.

Its own float16 would round every number of the graph; here only the network's weights are.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ttsr_tf.errors import InputError, first_of

_IDENTIFIER = b"TFL3"
_DEQUANTIZE_VERSION = 3  # the first one that reads float16


def named(content: bytes, weights: dict, dtype: str) -> tuple[bytes, dict]:
    """A .tflite whose weights have the names of the network's.

    Args:
        content: what the converter wrote, in float32.
        weights: dict of float32 arrays by name.
        dtype: what they are stored as, float32 or float16.

    Returns:
        The new content; and where the weights lie there, as of `ttsr_tf.weights.tflite.read_about`.

    Raises:
        InputError: the converter has changed weights, so that they can't be read back.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    places = {}  # of each weight: the buffer of every part, by its first channel
    for graph in model.subgraphs:
        for tensor in list(graph.tensors):
            found = _found(model, tensor, weights)
            for name, start in found:
                places.setdefault(name, {}).setdefault(start, tensor.buffer)
            if found:
                tensor.name = found[0][0].encode()
    halved = {buffer for parts in places.values() for buffer in parts.values()}
    if dtype == "float16":
        _halve(model, halved)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    content = bytes(builder.Output())
    return content, _located(content, places, weights, dtype=dtype)


def _found(model, tensor, weights):
    """Which weights a tensor is: pairs of a name and the first of its channels."""
    data = model.buffers[tensor.buffer].data
    if tensor.type != schema.TensorType.FLOAT32 or data is None or not len(data):
        return []
    array = np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)
    found = []
    for name, weight in weights.items():
        if weight.ndim != array.ndim:
            continue
        if weight.ndim == 4:
            weight = weight.transpose(3, 0, 1, 2)  # as LiteRT has them
        channels = array.shape[-1]
        if weight.shape[:-1] != array.shape[:-1]:
            continue
        for start in range(weight.shape[-1] - channels + 1 if weight.ndim == 4 else 1):
            if np.array_equal(weight[..., start : start + channels], array):
                found.append((name, start))
    return found


def _halve(model, buffers):
    """Stores buffers as float16, which is made float32 where a graph begins."""
    code = schema.OperatorCodeT()
    code.deprecatedBuiltinCode = code.builtinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = _DEQUANTIZE_VERSION
    model.operatorCodes.append(code)
    for buffer in buffers:
        data = np.frombuffer(bytes(model.buffers[buffer].data), np.float32)
        model.buffers[buffer].data = np.frombuffer(data.astype(np.float16).tobytes(), np.uint8)
    for graph in model.subgraphs:
        made = []
        for i, tensor in enumerate(list(graph.tensors)):
            if tensor.buffer not in buffers:
                continue
            half = schema.TensorT()
            half.name, half.shape = tensor.name, tensor.shape
            half.type, half.buffer = schema.TensorType.FLOAT16, tensor.buffer
            half.hasRank = tensor.hasRank
            tensor.name, tensor.buffer = tensor.name + b" in float32", 0
            graph.tensors.append(half)
            operator = schema.OperatorT()
            operator.opcodeIndex = len(model.operatorCodes) - 1
            operator.inputs, operator.outputs = [len(graph.tensors) - 1], [i]
            operator.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
            operator.builtinOptions = schema.DequantizeOptionsT()
            made.append(operator)
        graph.operators = made + graph.operators


def _located(content, places, weights, *, dtype):
    model = schema.Model.GetRootAs(content, 0)
    start_of_all = np.frombuffer(content, np.uint8).ctypes.data
    located, wrong = {}, []
    for name, weight in weights.items():
        parts, channels = [], 0
        for start, buffer in sorted(places.get(name, {}).items()):
            if start != channels:
                continue
            data = model.Buffers(buffer).DataAsNumpy()
            shape = [weight.shape[-1], *weight.shape[:-1]] if weight.ndim == 4 else [len(weight)]
            if weight.ndim == 4:
                shape[-1] = data.nbytes // np.dtype(dtype).itemsize // int(np.prod(shape[:-1]))
            channels += shape[-1]
            parts.append((data.ctypes.data - start_of_all, [int(n) for n in shape], dtype))
        if channels != weight.shape[-2 if weight.ndim == 4 else -1]:
            wrong.append(name)
        located[name] = parts
    if wrong:
        raise InputError(
            f"LiteRT's converter has changed {first_of(wrong, most=5)}. This network can't be "
            "written as a .tflite."
        )
    return located
