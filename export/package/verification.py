"""Does the written model do what the checkpoint does?"""

import numpy as np
import tensorflow as tf

from ttsr_tf import layers
from ttsr_tf.errors import InputError
from ttsr_tf.inference import Upscaler
from ttsr_tf.progress import Progress

from ..graph.session import Session
from ..graph.signatures import ENCODED, SERVING_DEFAULT


def verify(path: str, upscaler: Upscaler, pairs: list[tuple]) -> None:
    """Compares what both signatures give with `upscaler.upscale`.

    Args:
        path: the SavedModel's folder.
        upscaler: what was exported, and hasn't enlarged anything before.
        pairs: list of (lr, ref), uint8 [H, W, 3].

    Raises:
        InputError: the model doesn't load or run, or its results differ.
    """
    progress = Progress(len(pairs), "pair")
    try:
        # The upscaler's graph, too, is the one for every machine: sums in the same order.
        with layers.portable.traced(), Session(path) as session:
            for lr, ref in pairs:
                _compare(session, lr, ref, expected=upscaler.upscale(lr, ref))
                progress.advance()
    except InputError:  # a ValueError too
        raise
    except (tf.errors.OpError, OSError, ValueError) as error:
        reason = str(error).removeprefix("Graph execution error:").strip().splitlines()[0]
        raise InputError(f"The exported model doesn't run, and was removed: {reason}") from None
    finally:
        progress.close()


def _compare(session, lr, ref, *, expected):
    result = session.run(SERVING_DEFAULT, lr=lr[None], ref=ref[None])
    _require_equal("sr", result["sr"][0], expected)
    lr_bytes, ref_bytes = ([tf.io.encode_png(picture).numpy()] for picture in (lr, ref))
    result = session.run(ENCODED, lr_bytes=lr_bytes, ref_bytes=ref_bytes)
    _require_equal("sr_bytes", tf.io.decode_png(result["sr_bytes"][0]).numpy(), expected)


def _require_equal(name, given, expected):
    differing = np.mean(given != expected) if given.shape == expected.shape else 1
    if differing:
        raise InputError(
            f"The exported model was removed: `{name}` differs from the checkpoint's in "
            f"{differing:.2%} of its values. Please report this."
        )
