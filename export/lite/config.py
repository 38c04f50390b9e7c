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
    base: str | None = string(
        None,
        "A .tflite of such a network in the folder of `output`, which then ends in .tflite.patch "
        "and has the difference only, with weights stored as there.",
    )
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
    suffix = tflite.PATCH_SUFFIX if config.base else tflite.SUFFIX
    if not config.output.endswith(suffix):
        raise InputError(f"`output`={config.output} must end in {suffix}.")
    folder = os.path.dirname(config.output) or "."
    check_folder(folder)
    header = files.read_header(naming.path_of(config.checkpoint))
    if config.base:
        tflite.read_about(config.base)
        if files.read_header(config.base) != header:
            raise InputError(f"`base`={config.base} is of another network than the checkpoint.")
        if not os.path.samefile(os.path.dirname(config.base) or ".", folder):
            raise InputError(f"`base`={config.base} must lie in the folder of `output`, {folder}.")
    if not importlib.util.find_spec("ai_edge_litert"):
        raise InputError("The file is run before it appears: pip install 'ttsr-tf[litert]'.")
    if not importlib.util.find_spec("skimage"):
        raise InputError(
            "The file is compared on photographs of scikit-image: pip install 'ttsr-tf[sample]'."
        )
