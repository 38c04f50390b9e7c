"""What the export for LiteRT can be told, and what of it can be judged without TensorFlow."""

import dataclasses
import importlib.util
import os

from ttsr_tf.configuration import REQUIRED, Configuration, choice, string
from ttsr_tf.errors import InputError
from ttsr_tf.files import check_folder
from ttsr_tf.weights import files, naming, tflite


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiteRTConfig(Configuration):
    """An export; each field's help says what it is.

    Raises:
        InputError: a value out of its bounds.
    """

    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    output: str = string(REQUIRED, "Where to write the file; must end in .tflite.")
    weights: str = choice(
        "float16",
        "What weights are stored as; what is computed is float32.",
        enum_values=files.DTYPES,
    )


def check(config: LiteRTConfig) -> None:
    """Finds what would make an export fail, before TensorFlow is there.

    Raises:
        InputError: weights or a place that can't be used, an extra that isn't installed.
    """
    if not config.output.endswith(tflite.SUFFIX):
        raise InputError(f"`output`={config.output} must end in {tflite.SUFFIX}.")
    check_folder(os.path.dirname(config.output) or ".")
    files.read_header(naming.path_of(config.checkpoint))
    if not importlib.util.find_spec("ai_edge_litert"):
        raise InputError("The file is run before it appears: pip install 'ttsr-tf[litert]'.")
    if not importlib.util.find_spec("skimage"):
        raise InputError(
            "The file is compared on photographs of scikit-image: pip install 'ttsr-tf[sample]'."
        )
