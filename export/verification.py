"""Does the written model do what the checkpoint does?"""

import numpy as np
import tensorflow as tf

from export.graph import ENCODED, SERVING_DEFAULT
from ttsr_tf.errors import InputError
from ttsr_tf.progress import Progress


class Session:
    """A SavedModel in a session, as servers run it.

    Python's own loader would also accept models that servers can't run.

    Args:
        path: the SavedModel's folder.
    """

    def __init__(self, path):
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph)
        with graph.as_default():
            model = tf.compat.v1.saved_model.load(self._session, ["serve"], path)
        self.signatures = model.signature_def

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session.close()

    def run(self, signature, **inputs):
        """A dict of arrays, the outputs of a signature, from arrays by its inputs' names."""
        signature = self.signatures[signature]
        return self._session.run(
            {name: info.name for name, info in signature.outputs.items()},
            {signature.inputs[name].name: value for name, value in inputs.items()},
        )


def verify(path, model, pairs):
    """Compares what both signatures give with `model.upscale`.

    Args:
        path: the SavedModel's folder.
        model: the `TTSR` that was exported.
        pairs: list of (lr, ref), uint8 [H, W, 3].

    Raises:
        InputError: the model doesn't load or run, or its results differ.
    """
    progress = Progress(len(pairs), "pair")
    try:
        with Session(path) as session:
            for lr, ref in pairs:
                _compare(session, model, lr, ref)
                progress.advance()
    except InputError:  # a ValueError too
        raise
    except (tf.errors.OpError, OSError, ValueError) as error:
        reason = str(error).removeprefix("Graph execution error:").strip().splitlines()[0]
        raise InputError(f"The exported model doesn't run, and was removed: {reason}") from None
    finally:
        progress.close()


def _compare(session, model, lr, ref):
    expected = model.upscale(lr, ref)
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
