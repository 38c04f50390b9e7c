"""A SavedModel as servers run it: in a session, by the names of its signatures."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf


class Session:
    """A SavedModel in a session.

    Python's own loader would also accept models that servers can't run.

    Args:
        path: the SavedModel's folder.
        threads: how many TensorFlow computes with. It holds for the whole process, if this is the
            first of TensorFlow there; default: all processors.

    Attributes:
        signatures: dict of SignatureDef by name.

    Raises:
        OSError: there is no SavedModel.
    """

    def __init__(self, path: str, threads: int | None = None):
        graph = tf.Graph()
        options = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads or 0, inter_op_parallelism_threads=threads or 0
        )
        self._session = tf.compat.v1.Session(graph=graph, config=options)
        with graph.as_default():
            model = tf.compat.v1.saved_model.load(self._session, ["serve"], path)
        self.signatures: Mapping = model.signature_def

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session.close()

    def run(self, signature: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """A dict of arrays, the outputs of a signature, from arrays by its inputs' names.

        Raises:
            tf.errors.InvalidArgumentError: the graph refuses an input.
        """
        signature = self.signatures[signature]
        return self._session.run(
            {name: info.name for name, info in signature.outputs.items()},
            {signature.inputs[name].name: value for name, value in inputs.items()},
        )
