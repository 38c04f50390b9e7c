"""Does the written model do what the checkpoint does?

TensorFlow may fuse other operations in a server's graph than in the checkpoint's, and then adds in
another order: a value from the middle between two levels may become either.
"""

import numpy as np
import tensorflow as tf

from ttsr_tf import layers
from ttsr_tf.errors import InputError
from ttsr_tf.inference import Upscaler
from ttsr_tf.progress import Progress

from ..graph.session import Session
from ..graph.signatures import ENCODED, SERVING_DEFAULT

_ROUNDED_OTHERWISE = 1e-3  # the share of values that may be a level apart


def verify(path: str, upscaler: Upscaler, pairs: list[tuple]) -> float:
    """Compares what both signatures give with `upscaler.upscale`.

    Args:
        path: the SavedModel's folder.
        upscaler: what was exported, and hasn't enlarged anything before.
        pairs: list of (lr, ref), uint8 [H, W, 3].

    Returns:
        The largest share of a result's values that are rounded otherwise.

    Raises:
        InputError: the model doesn't load or run, or its results differ.
    """
    progress, share = Progress(len(pairs), "pair"), 0.0
    try:
        # The upscaler's graph, too, is the one for every machine: sums in the same order.
        with layers.portable.traced(), Session(path) as session:
            for lr, ref in pairs:
                shares = _compare(session, lr, ref, expected=upscaler.upscale(lr, ref))
                share = max(share, *shares)
                progress.advance()
        return share
    except InputError:  # a ValueError too
        raise
    except (tf.errors.OpError, OSError, ValueError) as error:
        reason = str(error).removeprefix("Graph execution error:").strip().splitlines()[0]
        raise InputError(f"The exported model doesn't run, and was removed: {reason}") from None
    finally:
        progress.close()


def _compare(session, lr, ref, *, expected):
    result = session.run(SERVING_DEFAULT, lr=lr[None], ref=ref[None])
    yield _differing("sr", result["sr"][0], expected)
    lr_bytes, ref_bytes = ([tf.io.encode_png(picture).numpy()] for picture in (lr, ref))
    result = session.run(ENCODED, lr_bytes=lr_bytes, ref_bytes=ref_bytes)
    yield _differing("sr_bytes", tf.io.decode_png(result["sr_bytes"][0]).numpy(), expected)


def _differing(name, given, expected):
    """The share of values that are a level apart; what is more than rounding is an error."""
    differing, most = 1.0, 255
    if given.shape == expected.shape:
        apart = np.abs(np.subtract(given, expected, dtype=np.int16))
        differing, most = np.mean(apart > 0), np.max(apart)
    if most > 1 or differing > _ROUNDED_OTHERWISE:
        raise InputError(
            f"The exported model was removed: `{name}` differs from the checkpoint's in "
            f"{differing:.2%} of its values, by up to {most} of 255. Please report this."
        )
    return differing
