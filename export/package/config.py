"""What an export can be told, and what of it can be judged without TensorFlow."""

import dataclasses
import importlib.util

from ttsr_tf.configuration import REQUIRED, Configuration, integer, string, switch
from ttsr_tf.errors import InputError
from ttsr_tf.files import make_folder
from ttsr_tf.inference import engines
from ttsr_tf.weights import files, naming


@dataclasses.dataclass(frozen=True, kw_only=True)
class SavedModelConfig(Configuration):
    """An export; each field's help says what it is.

    Raises:
        InputError: a value out of its bounds.
    """

    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    output_dir: str = string(
        REQUIRED,
        "The model's folder, which its clients call it by; a numbered version is added to it.",
    )
    max_lr_pixels: int = integer(
        256 * 256,
        "Height times width of the largest LR; larger ones are refused.",
        lower_bound=40 * 40,
    )
    max_ref_pixels: int = integer(
        1024 * 1024,
        "Height times width of the largest reference; larger ones are refused.",
        lower_bound=160 * 160,
    )
    precision: str = engines.precision()
    verify: bool = switch(True, "Compare the written model with the checkpoint on photographs.")
    warmup: bool = switch(
        True, "Write requests that TF Serving warms up with; needs the extra `serving`."
    )


def check(config: SavedModelConfig) -> None:
    """Finds what would make an export fail, before TensorFlow is there; makes `output_dir`.

    Raises:
        InputError: weights or a folder that can't be used, an extra that isn't installed.
    """
    files.read_header(naming.path_of(config.checkpoint))
    if config.warmup and not importlib.util.find_spec("tensorflow_serving"):
        raise InputError(
            "Warm-up requests need tensorflow-serving-api of TensorFlow's release: "
            "pip install 'ttsr-tf[serving]'. Or give `warmup`=false."
        )
    if (config.warmup or config.verify) and not importlib.util.find_spec("skimage"):
        raise InputError(
            "An export is verified and warmed up with photographs of scikit-image: "
            "pip install 'ttsr-tf[serving]'. Or give `verify`=false and `warmup`=false."
        )
    make_folder(config.output_dir, "output_dir")
