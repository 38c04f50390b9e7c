"""Converts a checkpoint of the authors' PyTorch program, or one of ours to half its size.

python -m ttsr_tf.convert --torch_checkpoint=TTSR.pt --output=ttsr.safetensors
python -m ttsr_tf.convert --checkpoint=runs/mini --dtype=float16 --output=mini.safetensors
"""

import dataclasses
import os

from ttsr_tf import cli
from ttsr_tf.configuration import REQUIRED, Configuration, choice, string
from ttsr_tf.errors import InputError
from ttsr_tf.files import check_folder
from ttsr_tf.weights import files, naming


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvertConfig(Configuration):
    """What is converted."""

    torch_checkpoint: str | None = string(None, "The authors' file, such as TTSR.pt.")
    checkpoint: str | None = string(None, naming.MEANING)
    dtype: str = choice(
        "float32", "What is written; what it is read as stays float32.", enum_values=files.DTYPES
    )
    output: str = string(REQUIRED, "Where to write the weights; must end in .safetensors.")


def main(config):
    files.check_name("output", config.output)
    check_folder(os.path.dirname(config.output) or ".")
    if bool(config.torch_checkpoint) == bool(config.checkpoint):
        raise InputError("Give `torch_checkpoint` or `checkpoint`.")
    if config.checkpoint:
        files.read_header(naming.path_of(config.checkpoint))
    elif not os.path.isfile(config.torch_checkpoint):
        raise InputError(f"{config.torch_checkpoint} is not a file. Check the path.")
    cli.start_tensorflow()
    from ttsr_tf.weights import checkpoints, released

    if config.checkpoint:
        model = checkpoints.load(config.checkpoint)
    else:
        model = released.to_model(released.read(config.torch_checkpoint))
    checkpoints.save(model, config.output, dtype=config.dtype)
    print(f"{config.output}: {model.count_params():,} parameters, {model.get_config()}")


if __name__ == "__main__":
    cli.run(ConvertConfig, main)
