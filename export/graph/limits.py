"""Which pictures a served network takes, checked in the graph: others are refused by name."""

from typing import NamedTuple

import tensorflow as tf


class Limits(NamedTuple):
    """The most pixels (height times width) of one picture; both bound a request's memory.

    Attributes:
        lr: of LR.
        ref: of a reference.
    """

    lr: int
    ref: int


class Bounds(NamedTuple):
    """The sizes that one picture may have.

    Attributes:
        smallest: the fewest pixels each way.
        most: the most pixels in all.
    """

    smallest: int
    most: int


def check_size(name: str | tf.Tensor, size: tf.Tensor, bounds: Bounds) -> list[tf.Operation]:
    """Fails unless the size is allowed; to be made a control dependency of what uses it.

    Args:
        name: what the error calls the picture, a string or a scalar string tensor.
        size: int [2], height and width in pixels.
        bounds: what is allowed.

    Returns:
        Operations that raise tf.errors.InvalidArgumentError.
    """
    smallest, most = bounds
    height, width = tf.unstack(tf.cast(size, tf.int64), 2)
    given = [name, " is ", tf.as_string(width), "×", tf.as_string(height), " pixels, "]
    return [
        require(
            tf.minimum(height, width) >= smallest,
            [*given, f"at least {smallest}×{smallest} are needed. Send a larger picture."],
        ),
        require(
            height * width <= most,
            [*given, f"at most {most} in all are allowed. Send a smaller picture."],
        ),
    ]


def require(condition, message):
    """An operation that raises tf.errors.InvalidArgumentError with the joined `message`."""
    return tf.debugging.Assert(condition, [tf.strings.join(message)])
