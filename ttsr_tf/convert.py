"""Converts a checkpoint of the authors' PyTorch program.

python -m ttsr_tf.convert --torch_checkpoint=TTSR.pt --output=ttsr.safetensors
"""

import dataclasses
import os

from ttsr_tf import cli
from ttsr_tf.configuration import REQUIRED, Configuration, string
from ttsr_tf.errors import InputError
from ttsr_tf.files import check_folder
from ttsr_tf.weights import files


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvertConfig(Configuration):
    """What is converted."""

    torch_checkpoint: str = string(REQUIRED, "The authors' file, such as TTSR.pt.")
    output: str = string(REQUIRED, "Where to write the weights; must end in .safetensors.")


def main(config):
    files.check_name("output", config.output)
    check_folder(os.path.dirname(config.output) or ".")
    if not os.path.isfile(config.torch_checkpoint):
        raise InputError(f"{config.torch_checkpoint} is not a file. Check the path.")
    cli.start_tensorflow()
    from ttsr_tf.weights import checkpoints, released

    model = released.to_model(released.read(config.torch_checkpoint))
    checkpoints.save(model, config.output)
    print(f"{config.output}: {model.count_params():,} parameters, {model.get_config()}")


if __name__ == "__main__":
    cli.run(ConvertConfig, main)
