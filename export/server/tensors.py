"""gRPC's tensors to arrays and back."""

import tensorflow as tf

from . import checks
from .refused import invalid


def arrays(signature, protos, most_bytes):
    """The inputs of a request.

    Args:
        signature: SignatureDef.
        protos: TensorProto by name.
        most_bytes: the most that one input may take.

    Returns:
        A dict of arrays by name.

    Raises:
        Refused: they are not what the signature says.
    """
    checks.names(signature, protos)
    return {
        name: _array(name, info, protos[name], most_bytes=most_bytes)
        for name, info in sorted(signature.inputs.items())
    }


def _array(name, info, proto, *, most_bytes):
    try:
        dtype = tf.as_dtype(proto.dtype)
    except TypeError:
        raise invalid(f"`{name}` has the unknown data type {proto.dtype}.") from None
    shape = [dim.size for dim in proto.tensor_shape.dim]
    checks.tensor(name, info, dtype, shape=shape, most_bytes=most_bytes)
    try:
        return tf.make_ndarray(proto)
    except (ValueError, TypeError, OverflowError, IndexError) as error:
        reason = str(error).splitlines()[0]
        raise invalid(f"`{name}` {shape} doesn't hold what its shape says: {reason}.") from None


def write(array, proto):
    """Fills a TensorProto with an array."""
    proto.CopyFrom(tf.make_tensor_proto(array))
