"""Converts a checkpoint of the authors' PyTorch program.

python -m ttsr_tf.convert --torch_checkpoint=TTSR.pt --output=ttsr.weights.h5
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import os

from absl import flags

from ttsr_tf import checkpoints, images, torch_checkpoint
from ttsr_tf.errors import InputError

_TORCH_CHECKPOINT = flags.DEFINE_string(
    "torch_checkpoint", None, "The authors' file, such as TTSR.pt.", required=True
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "Where to write the weights; must end in .weights.h5.", required=True
)


def main():
    if not _OUTPUT.value.endswith(checkpoints.SUFFIX):
        raise InputError(f"--output={_OUTPUT.value} must end in {checkpoints.SUFFIX}.")
    images.check_folder(os.path.dirname(_OUTPUT.value) or ".")
    model = torch_checkpoint.to_model(torch_checkpoint.read(_TORCH_CHECKPOINT.value))
    checkpoints.save(model, _OUTPUT.value)
    print(f"{_OUTPUT.value}: {model.count_params():,} parameters, {model.get_config()}")


if __name__ == "__main__":
    cli.run(main)
